import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { architectureFile } from '../architecture/evaluate.ts';
import { keyLocator } from '../architecture/locate.ts';
import { modulesOfCommit } from '../architecture/modules-of-commit.ts';
import { insideOf, openRepository } from '../architecture/repository.ts';
import type { KeyPath } from '../architecture/key-path.ts';
import type { Problem, SourcePlace } from '../problem.ts';
import { done, failed, type Result } from '../result.ts';
import { type Session, textOption } from './command.ts';

/** Where the working folder says which version is used. `current`: the number that is written there; undefined when it is computed. */
export type Reference = { place: SourcePlace; current?: number };

/** The line that names the version: of the environment that is asked for, where that has one of its own. */
export async function findReference(session: Session, name: string): Promise<Result<Reference>> {
  const { folder } = session.input;
  const repository = await openRepository(folder);
  if (!repository.ok) return repository;
  try {
    const snapshot = await repository.value.snapshot();
    if (!snapshot.ok) return snapshot;
    const tree = await repository.value.find(snapshot.value.tree, await insideOf(repository.value, folder));
    const modules = tree === undefined ? [] : await modulesOfCommit(repository.value, tree.object, architectureFile);
    const locate = keyLocator(new Map(modules.map((each) => [each.path, each.contents])), architectureFile);
    const environment = textOption(session.input, 'environment');
    const paths: KeyPath[] = [
      ...(environment === undefined ? [] : [['environments', environment, 'secrets', name, 'version']]),
      ['secrets', name, 'version'],
    ];
    const found = paths.map((keyPath) => numberAt(locate(keyPath, 'value'))).find((reference) => reference?.current !== undefined);
    const nearest = locate(['secrets', name], 'key');
    if (found) return done(found);
    return nearest?.text?.includes(name) ? done({ place: nearest }) : failed(unknown(name));
  } finally {
    await repository.value.close();
  }
}

function numberAt(place: SourcePlace | undefined): Reference | undefined {
  if (place === undefined) return undefined;
  const number = /^\d+/.exec(place.text?.slice((place.column ?? 1) - 1) ?? '')?.[0];
  return { place, ...(number !== undefined && { current: Number(number) }) };
}

/** Writes the new number over the old one, where that is still what is written there. */
export async function moveReference({ input }: Session, { place, current }: Reference, version: number): Promise<boolean> {
  if (current === undefined || place.column === undefined) return false;
  const file = path.join(input.folder, place.file);
  const lines = (await readFile(file, 'utf8')).split('\n');
  const line = lines[place.line - 1] ?? '';
  const [before, after] = [line.slice(0, place.column - 1), line.slice(place.column - 1)];
  if (!new RegExp(`^${current}(?!\\d)`).test(after)) return false;
  lines[place.line - 1] = `${before}${version}${after.slice(String(current).length)}`;
  await writeFile(file, lines.join('\n'));
  return true;
}

const unknown = (name: string): Problem => ({
  code: 'USAGE',
  what: `${architectureFile} names no secret ${name}`,
  safe: 'nothing was written',
  next: `changeless secret add ${name}    makes its first version`,
});
