import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { byCodeUnit } from '../canonical-json.ts';
import type { Problem } from '../problem.ts';
import { done, failed, type Result } from '../result.ts';
import type { Secret } from '../secret.ts';
import { isRecipient, sealFor } from './age.ts';
import { linesOf } from './identity.ts';
import { recipientsFile, secretsFolder, versionFile } from './read-secrets.ts';

/** Names → versions, lowest first, that the folder of an architecture holds values of. */
export async function versionsIn(folder: string): Promise<Map<string, number[]>> {
  const entries = await readdir(path.join(folder, secretsFolder), { withFileTypes: true }).catch(() => []);
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const versions = await Promise.all(names.toSorted(byCodeUnit).map(async (name) => [name, await versionsOf(folder, name)] as const));
  return new Map(versions.filter(([, found]) => found.length > 0));
}

async function versionsOf(folder: string, name: string): Promise<number[]> {
  const files = await readdir(path.join(folder, secretsFolder, name)).catch(() => []);
  const numbers = files.map((file) => Number(/^([1-9]\d{0,6})\.age$/.exec(file)?.[1])).filter((number) => !Number.isNaN(number));
  return numbers.toSorted((one, other) => one - other);
}

/** Writes the next version, encrypted for all recipients; a file that is there is never written to. Gives the version and its file. */
export async function addVersion(folder: string, name: string, value: Secret): Promise<Result<{ version: number; file: string }>> {
  const recipients = await recipientsIn(folder);
  if (!recipients.ok) return recipients;
  const version = ((await versionsOf(folder, name)).at(-1) ?? 0) + 1;
  const file = versionFile(name, version);
  const sealed = await sealFor(recipients.value, value);
  await mkdir(path.join(folder, secretsFolder, name), { recursive: true });
  await writeFile(path.join(folder, file), sealed.endsWith('\n') ? sealed : `${sealed}\n`, { flag: 'wx' });
  return done({ version, file });
}

/** For whom values are encrypted. RECIPIENTS_INVALID when for nobody, or a line is no recipient. */
export async function recipientsIn(folder: string): Promise<Result<string[]>> {
  const lines = await recipientLines(folder);
  const valid = await Promise.all((lines ?? []).map(isRecipient));
  const bad = lines?.find((_, index) => !valid[index]);
  if (lines === undefined || lines.length === 0) return failed(invalid('it is not there, or names nobody'));
  return bad === undefined ? done(lines) : failed(invalid(`${bad} is no recipient of age`));
}

/** The lines of the file, valid or not; undefined where there is none. */
export const recipientLines = (folder: string): Promise<string[] | undefined> =>
  readFile(path.join(folder, recipientsFile), 'utf8').then(linesOf, () => undefined);

/** Adds a recipient; who is there stays. */
export async function addRecipient(folder: string, recipient: string): Promise<void> {
  const file = path.join(folder, recipientsFile);
  const text = await readFile(file, 'utf8').catch(() => '# Values beside this file are encrypted for these keys of age, one to a line.\n');
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, `${text.endsWith('\n') ? text : `${text}\n`}${recipient}\n`);
}

const invalid = (why: string): Problem => ({
  code: 'RECIPIENTS_INVALID',
  what: `${recipientsFile} does not say for whom secrets are encrypted`,
  why,
  safe: 'nothing was written',
  next: 'changeless secret init    adds a key of this machine; or write one age1… to a line',
});
