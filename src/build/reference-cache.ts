import path from 'node:path';
import { byCodeUnit } from '../canonical-json.ts';
import { readCached, writeCached } from './cache-file.ts';

/** An external image in a Dockerfile, and where. */
export type FoundReference = { name: string; line: number; column: number };

/**
 * What Dockerfiles name, remembered by the tree they are in, so that an unchanged component is not read again.
 * Losing the file costs time, nothing else.
 */
export class ReferenceCache {
  readonly #file: string;
  readonly #known: ReadonlyMap<string, FoundReference[]>;
  readonly #used = new Map<string, FoundReference[]>();

  private constructor(file: string, known: ReadonlyMap<string, FoundReference[]>) {
    this.#file = file;
    this.#known = known;
  }

  /** One file per architecture: it then holds what that architecture's last plan used. */
  static async open(cacheFolder: string, architecture: string): Promise<ReferenceCache> {
    const file = path.join(cacheFolder, 'dockerfiles', `${architecture}.json`);
    return new ReferenceCache(file, await readKnown(file));
  }

  get(key: string): FoundReference[] | undefined {
    const found = this.#used.get(key) ?? this.#known.get(key);
    if (found !== undefined) this.#used.set(key, found);
    return found;
  }

  set(key: string, references: FoundReference[]): void {
    this.#used.set(key, references);
  }

  /** Writes what was used, when that is not what the file holds. */
  async save(): Promise<void> {
    const isSame = this.#used.size === this.#known.size && [...this.#used.keys()].every((key) => this.#known.has(key));
    if (isSame) return;
    const entries = [...this.#used].toSorted(([a], [b]) => byCodeUnit(a, b));
    await writeCached(this.#file, JSON.stringify({ version: 1, entries } satisfies Kept));
  }
}

type Kept = { version: number; entries: [string, FoundReference[]][] };

async function readKnown(file: string): Promise<Map<string, FoundReference[]>> {
  const kept = await readCached<Kept>(file);
  return new Map(kept?.version === 1 ? kept.entries : []);
}
