import { Secret } from '../secret.ts';

/** The file format and its cryptography (age-encryption.org/v1); loaded by who first has to do with a value. */
const age = () => import('age-encryption');

/** A fresh X25519 key, `AGE-SECRET-KEY-1…`, that every age tool reads. */
export const newKey = async (): Promise<Secret> => new Secret(await (await age()).generateX25519Identity());

/** What is encrypted for: `age1…`, which anybody may know. */
export const recipientOf = async (key: Secret): Promise<string> => (await age()).identityToRecipient(key.revealText());

/** The value as an age file in text form, which each of the recipients alone can open. Throws on one that is not a recipient. */
export async function sealFor(recipients: readonly string[], value: Secret): Promise<string> {
  const { Encrypter, armor } = await age();
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  return armor.encode(await encrypter.encrypt(value.reveal()));
}

/** The value; undefined when none of the keys opens it, or it was tampered with. */
export async function open(sealed: string, keys: readonly Secret[]): Promise<Secret | undefined> {
  const { Decrypter, armor } = await age();
  const decrypter = new Decrypter();
  try {
    for (const key of keys) decrypter.addIdentity(key.revealText());
    return new Secret(await decrypter.decrypt(armor.decode(sealed)));
  } catch {
    // What it says may hold parts of what it was given.
    return undefined;
  }
}

export async function isRecipient(text: string): Promise<boolean> {
  const { Encrypter } = await age();
  try {
    new Encrypter().addRecipient(text);
    return true;
  } catch {
    return false;
  }
}
