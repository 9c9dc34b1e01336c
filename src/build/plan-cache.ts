import path from 'node:path';
import { digestOfBytes, type ReleaseId } from '../digest.ts';
import type { Generations } from '../release/generation.ts';
import type { Assets, Evaluated } from './build-context.ts';
import { readCached, writeCached } from './cache-file.ts';
import type { KeyedComponent } from './keys.ts';
import type { SystemPlan } from './system-images.ts';

/** What follows from a plan's inputs alone. */
export type Derived = { keyed: readonly KeyedComponent[]; release: ReleaseId; environments: Readonly<Record<string, Generations>> };

/** Moves when the same inputs give other keys or ids than they did. */
const format = 1;

/** All that a plan is a function of. The commit's tree stands for every file in it. */
export type PlanInputs = { evaluated: Evaluated; platform: string; assets: Assets; system: SystemPlan };

type Kept = { inputs: string; derived: Derived };

/**
 * The last plan of an architecture, kept on disk: planning the same again needs neither git nor hashing, whatever the number
 * of components. The inputs are compared by a digest of their plain JSON: equal text is equal, and more is not claimed.
 */
export class PlanCache {
  readonly #file: string;
  readonly #inputs: string;

  constructor(cacheFolder: string, { evaluated, platform, assets, system }: PlanInputs) {
    const { architecture, commit, folder, lock } = evaluated;
    this.#file = path.join(cacheFolder, 'plans', `${architecture.name}.json`);
    this.#inputs = digestOfBytes(JSON.stringify([format, assets.version, system.keys, platform, commit.id, commit.tree, folder, lock, architecture]));
  }

  async get(): Promise<Derived | undefined> {
    const kept = await readCached<Kept>(this.#file);
    return kept?.inputs === this.#inputs ? kept.derived : undefined;
  }

  async set(derived: Derived): Promise<void> {
    await writeCached(this.#file, JSON.stringify({ inputs: this.#inputs, derived } satisfies Kept));
  }
}
