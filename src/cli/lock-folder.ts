import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { evaluateArchitecture } from '../architecture/evaluate.ts';
import type { Evaluator } from '../architecture/evaluation.ts';
import { emptyLock, formatLock, type Lock, lockFile, parseLock } from '../architecture/lock.ts';
import type { Architecture } from '../architecture/model.ts';
import type { Commit, Repository } from '../architecture/repository.ts';
import type { Assets } from '../build/build-context.ts';
import { lockArchitecture } from '../build/lock-architecture.ts';
import { byCodeUnit } from '../canonical-json.ts';
import { short } from '../digest.ts';
import type { Engine } from '../engine/engine.ts';
import type { Report } from '../events.ts';
import { done, type Result } from '../result.ts';
import type { Locked } from './delivery.ts';
import type { EvaluatorParts } from './evaluator-parts.ts';

export type Locking = {
  engine: Engine;
  repository: Repository;
  folder: string;
  assets: Assets;
  evaluator: (parts: EvaluatorParts) => Evaluator;
  cacheFolder: string;
  report: Report;
  update: boolean;
};

/** Writes architecture.lock for the working folder as it is. A lock that is right already is not written. */
export async function lockFolder(locking: Locking): Promise<Result<Locked>> {
  const { repository, folder } = locking;
  const file = path.join(repository.top, folder, lockFile);
  const text = await readFile(file, 'utf8').catch(() => undefined);
  const before = text === undefined ? done(undefined) : parseLock(text, lockFile);
  if (!before.ok && !locking.update) return before;
  const old = before.ok ? before.value : undefined;
  const commit = await repository.snapshot();
  if (!commit.ok) return commit;
  const architecture = await evaluateFolder(locking, commit.value, old);
  if (!architecture.ok) return architecture;
  const locked = await lockArchitecture({ ...locking, architecture: architecture.value, commit: commit.value, ...(old && { lock: old }) });
  if (!locked.ok) return locked;
  const next = formatLock(locked.value);
  if (next !== text) await writeFile(file, next);
  return done({ file: path.join(folder, lockFile), changes: changesBetween(old ?? emptyLock, locked.value) });
}

async function evaluateFolder(
  { engine, repository, folder, assets, evaluator, cacheFolder, report, update }: Locking,
  commit: Commit,
  old: Lock | undefined,
): Promise<Result<Architecture>> {
  // What evaluates needs bases itself: those of an architecture of nothing.
  const lock = (): Promise<Result<Lock>> =>
    lockArchitecture({
      engine,
      repository,
      report: () => {},
      cacheFolder,
      architecture: nothing,
      commit,
      folder,
      update,
      ...(old && { lock: old }),
    });
  const found = await evaluateArchitecture({
    repository,
    commit,
    folder,
    evaluator: evaluator({ engine, assets, report, lock }),
    cacheFolder,
  });
  return found.ok ? done(found.value.architecture) : found;
}

const nothing: Architecture = { name: 'nothing', core: { publish: [] }, apps: {}, stores: {}, agents: {}, environments: {} };

/** What is new, moved or gone, as sentences. */
export function changesBetween(before: Lock, after: Lock): string[] {
  const [old, next] = [pinsOf(before), pinsOf(after)];
  return [...new Set([...old.keys(), ...next.keys()])].toSorted(byCodeUnit).flatMap((name) => {
    const [from, to] = [old.get(name), next.get(name)];
    if (from === to) return [];
    if (to === undefined) return [`${name} is no longer needed`];
    return [from === undefined ? `${name} is pinned to ${short(to)}` : `${name} moved from ${short(from)} to ${short(to)}`];
  });
}

const pinsOf = ({ images, repositories }: Lock): Map<string, string> =>
  new Map([...Object.entries(images), ...Object.entries(repositories).map(([address, { commit }]): [string, string] => [address, commit])]);
