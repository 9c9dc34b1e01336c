import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Secret } from '../secret.ts';
import { newKey, recipientOf } from './age.ts';
import { identityText, keysIn } from './identity.ts';

/** Keys on this machine. `exposed`: files that others may read, which are not used. */
export type Identities = { keys: Secret[]; exposed: string[] };

/** Where keys are: a file of its own, or all of a folder. */
export type IdentityPlace = { file: string } | { folder: string };

/** The keys of the file, or of all files of the folder; none where it is not there. */
export async function identitiesIn(place: IdentityPlace): Promise<Identities> {
  const files = 'file' in place ? [place.file] : await filesIn(place.folder);
  const found = await Promise.all(files.map(keysOfFile));
  return { keys: found.flatMap(({ keys }) => keys), exposed: found.flatMap(({ exposed }) => exposed) };
}

const filesIn = (folder: string): Promise<string[]> =>
  readdir(folder).then(
    (names) =>
      names
        .filter((name) => name.endsWith('.txt'))
        .toSorted()
        .map((name) => path.join(folder, name)),
    () => [],
  );

async function keysOfFile(file: string): Promise<Identities> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined) return { keys: [], exposed: [] };
  if ((found.mode & 0o077) !== 0) return { keys: [], exposed: [file] };
  return { keys: keysIn(new Secret(await readFile(file))), exposed: [] };
}

/** A new key in a file that its owner alone may read; called as its recipient, unless the file is named. */
export async function createIdentity(place: IdentityPlace): Promise<{ file: string; recipient: string }> {
  const key = await newKey();
  const recipient = await recipientOf(key);
  const file = 'file' in place ? place.file : path.join(place.folder, `${recipient}.txt`);
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(file, identityText(key, recipient).reveal(), { mode: 0o600, flag: 'wx' });
  return { file, recipient };
}

export const recipientsOf = (keys: readonly Secret[]): Promise<string[]> => Promise.all(keys.map(recipientOf));
