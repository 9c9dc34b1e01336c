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
const format = 2;

/** All that a plan is a function of. The commit's tree stands for every file in it. */
export type PlanInputs = { evaluated: Evaluated; platform: string; assets: Assets; system: SystemPlan };

type Kept = { inputs: string; derived: Derived };

/** Going back and forth between a few commits finds them all. */
const plansKept = 4;

/**
 * The last plans of an architecture, kept on disk: planning one of them again needs neither git nor hashing, whatever the number
 * of components. The inputs are compared by a digest of their plain JSON: equal text is equal, and more is not claimed.
 */
export class PlanCache {
  readonly #file: string;
  readonly #kept: readonly Kept[];

  private constructor(file: string, kept: readonly Kept[]) {
    this.#file = file;
    this.#kept = kept;
  }

  static async open(cacheFolder: string, architecture: string): Promise<PlanCache> {
    const file = path.join(cacheFolder, 'plans', `${architecture}.json`);
    const kept = await readCached<Kept[]>(file);
    return new PlanCache(file, Array.isArray(kept) ? kept : []);
  }

  get(inputs: PlanInputs): Derived | undefined {
    const digest = digestOfInputs(inputs);
    return this.#kept.find((kept) => kept.inputs === digest)?.derived;
  }

  async set(inputs: PlanInputs, derived: Derived): Promise<void> {
    const newest: Kept = { inputs: digestOfInputs(inputs), derived };
    await writeCached(this.#file, JSON.stringify([newest, ...this.#kept].slice(0, plansKept)));
  }
}

function digestOfInputs({ evaluated: { architecture, commit, folder, lock }, platform, assets, system }: PlanInputs): string {
  return digestOfBytes(JSON.stringify([format, assets.version, system.keys, platform, commit.id, commit.tree, folder, lock, architecture]));
}
