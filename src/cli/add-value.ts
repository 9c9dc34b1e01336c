import { done, type Result } from '../result.ts';
import type { Secret } from '../secret.ts';
import { createIdentity, identitiesIn, recipientsOf } from '../secrets/identities.ts';
import { addRecipient, addVersion, recipientLines } from '../secrets/secrets-folder.ts';
import type { Session } from './command.ts';
import { identityPlace } from './identity-place.ts';

/** `identity`: the file of a key that was made for it. */
export type Added = { name: string; version: number; file: string; identity?: string };

/** The value as the next version of the secret; with the first of all of them, a key for this machine. */
export async function addValue(session: Session, name: string, value: Secret): Promise<Result<Added>> {
  const isFirst = (await recipientLines(session.input.folder)) === undefined;
  const identity = isFirst ? (await newRecipient(session)).file : undefined;
  const added = await addVersion(session.input.folder, name, value);
  return added.ok ? done({ name, ...added.value, ...(identity !== undefined && { identity }) }) : added;
}

/** The named identity's key where that is there already, else a new one. */
export async function newRecipient({ world, input }: Session): Promise<{ recipient: string; file: string }> {
  const place = identityPlace(world, input);
  const [named] = 'file' in place ? await recipientsOf((await identitiesIn(place)).keys) : [];
  const made = named !== undefined && 'file' in place ? { recipient: named, file: place.file } : await createIdentity(place);
  await addRecipient(input.folder, made.recipient);
  return made;
}

/** What was written, in lines. */
export const wroteLines = ({ name, version, file, identity }: Added): string[] => [
  ...(identity === undefined ? [] : [`made   ${identity}    the key: keep it outside of the repository, and a copy in a safe place`]),
  `wrote  ${file}    version ${version} of ${name}, encrypted`,
];
