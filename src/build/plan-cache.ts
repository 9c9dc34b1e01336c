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
  readonly #kept: Kept | undefined;

  private constructor(file: string, kept: Kept | undefined) {
    this.#file = file;
    this.#kept = kept;
  }

  static async open(cacheFolder: string, architecture: string): Promise<PlanCache> {
    const file = path.join(cacheFolder, 'plans', `${architecture}.json`);
    return new PlanCache(file, await readCached<Kept>(file));
  }

  get(inputs: PlanInputs): Derived | undefined {
    return this.#kept !== undefined && this.#kept.inputs === digestOfInputs(inputs) ? this.#kept.derived : undefined;
  }

  async set(inputs: PlanInputs, derived: Derived): Promise<void> {
    await writeCached(this.#file, JSON.stringify({ inputs: digestOfInputs(inputs), derived } satisfies Kept));
  }
}

function digestOfInputs({ evaluated: { architecture, commit, folder, lock }, platform, assets, system }: PlanInputs): string {
  return digestOfBytes(JSON.stringify([format, assets.version, system.keys, platform, commit.id, commit.tree, folder, lock, architecture]));
}
