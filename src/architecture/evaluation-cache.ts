import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { evaluationVersion } from './evaluation.ts';
import type { Architecture } from './model.ts';
import type { Repository } from './repository.ts';
import { digestOf } from '../digest.ts';

/** What an evaluation read, by git object, and what it looked for in vain. Paths are relative to the architecture's folder. */
export type CachedEvaluation = {
  /** The folder's tree object when it was evaluated: the same tree needs no look-up of files. */
  tree: string;
  files: readonly { path: string; object: string }[];
  missing: readonly string[];
  architecture: Architecture;
};

/** A commit's folder, as the cache asks it. */
export type EvaluatedFolder = { repository: Repository; tree: string; folder: string; entry: string; cacheFolder: string };

// Going back and forth between a few commits (a rollback, two branches) stays cached.
const KEPT = 4;

/** An earlier evaluation that read exactly what this commit has. Never fails: what cannot be read is not there. */
export async function cachedEvaluation(folder: EvaluatedFolder): Promise<CachedEvaluation | undefined> {
  const variants = await readVariants(cacheFile(folder));
  const same = variants.find(({ tree }) => tree === folder.tree);
  if (same !== undefined) return same;
  for (const variant of variants) {
    if (!(await stillHolds(variant, folder))) continue;
    const current = { ...variant, tree: folder.tree };
    await keepEvaluation(folder, current);
    return current;
  }
  return undefined;
}

/** Keeps an evaluation. Written whole beside the old one and then renamed, so that no reader sees half of it. */
export async function keepEvaluation(folder: EvaluatedFolder, evaluation: CachedEvaluation): Promise<void> {
  const file = cacheFile(folder);
  const read = JSON.stringify(evaluation.files);
  const others = (await readVariants(file)).filter(({ files }) => JSON.stringify(files) !== read);
  const temporary = `${file}.${randomUUID()}`;
  try {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(temporary, JSON.stringify({ version: evaluationVersion, variants: [evaluation, ...others].slice(0, KEPT) }));
    await rename(temporary, file);
  } catch {
    // A cache that cannot be written (a read-only home, a full disk) costs time, not the command.
    await rm(temporary, { force: true }).catch(() => {});
  }
}

const cacheFile = ({ cacheFolder, folder, entry }: EvaluatedFolder): string =>
  path.join(cacheFolder, 'evaluations', `${digestOf({ version: evaluationVersion, folder, entry })}.json`);

async function readVariants(file: string): Promise<CachedEvaluation[]> {
  try {
    const { version, variants } = JSON.parse(await readFile(file, 'utf8')) as { version: number; variants: CachedEvaluation[] };
    return version === evaluationVersion && Array.isArray(variants) ? variants : [];
  } catch {
    return [];
  }
}

async function stillHolds(variant: CachedEvaluation, { repository, tree }: EvaluatedFolder): Promise<boolean> {
  const wanted = [...variant.files, ...variant.missing.map((file) => ({ path: file, object: undefined }))];
  const found = await Promise.all(wanted.map(({ path: file }) => repository.find(tree, file)));
  return wanted.every(({ object }, index) => found[index]?.object === object);
}
