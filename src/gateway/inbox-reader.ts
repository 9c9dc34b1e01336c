import type { InboxBatch } from '../ledger/delivery.ts';
import type { InboxFiles } from './inbox-files.ts';
import { parseInboxName } from './inbox-name.ts';
import { decodeRecords, fileStart, type Decoded } from './record.ts';

/** How far each file was taken, by name. */
export type Taken = ReadonlyMap<string, number>;

/** Reads what was not taken yet, one file after another in the order in which they were made. */
export class InboxReader {
  readonly #files: InboxFiles;
  readonly #chunkBytes: number;
  /** Name → its size when nothing more was found in it: it need not be looked at again before it has grown, which a closed one does not. */
  #exhausted = new Map<string, number>();

  constructor(files: InboxFiles, chunkBytes = 4 * 1024 * 1024) {
    this.#files = files;
    this.#chunkBytes = chunkBytes;
  }

  /** What comes next, at most one chunk or one record; undefined when all is taken. */
  async next(taken: Taken): Promise<InboxBatch | undefined> {
    const names = (await this.#files.names()).toSorted();
    const there = new Set(names);
    this.#exhausted = new Map([...this.#exhausted].filter(([name]) => there.has(name)));
    for (const name of names) {
      const parsed = parseInboxName(name);
      if (!parsed || (parsed.isClosed && this.#exhausted.has(name))) continue;
      const size = await this.#files.size(name);
      // It was renamed or removed: what it is called now comes before those after it.
      if (size === undefined) return this.next(taken);
      if (this.#exhausted.get(name) === size) continue;
      const from = taken.get(parsed.file) ?? fileStart.length;
      const { deliveries, bytes } = await recordsAt(this.#files, { name, from, chunkBytes: this.#chunkBytes });
      if (deliveries.length > 0) return { file: parsed.file, from, to: from + bytes, deliveries };
      this.#exhausted.set(name, size);
    }
    return undefined;
  }
}

/** A record longer than the chunk is read whole. */
export async function recordsAt(
  files: InboxFiles,
  { name, from, chunkBytes }: { name: string; from: number; chunkBytes: number },
): Promise<Decoded> {
  const chunk = await files.read(name, from, chunkBytes);
  const decoded = decodeRecords(chunk);
  const isCut = decoded.deliveries.length === 0 && (decoded.needs ?? 0) > chunk.length && chunk.length === chunkBytes;
  return isCut ? decodeRecords(await files.read(name, from, decoded.needs ?? 0)) : decoded;
}
