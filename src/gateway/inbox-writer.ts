import type { Delivery } from '../ledger/delivery.ts';
import type { Problem } from '../problem.ts';
import { done, failed, type Result } from '../result.ts';
import type { InboxFile, InboxFiles } from './inbox-files.ts';
import { closedName, openName } from './inbox-name.ts';
import { encodeRecord, fileStart } from './record.ts';

type Waiting = { pieces: readonly Uint8Array[]; bytes: number; settle: (result: Result<void>) => void };

type Current = { name: string; file: InboxFile; bytes: number };

export type InboxWriting = {
  files: InboxFiles;
  newName: () => string;
  /** A file that has grown beyond this is closed. */
  fileBytes?: number;
};

/** What one write may hold. */
const groupBytes = 8 * 1024 * 1024;

/**
 * Appends to a file of its own. What arrives while one group is written and synced is the next group: one write and one sync for all
 * of it. A file that a write or sync failed on, or that somebody else has closed, is never written to again: what was in the group
 * goes to a new file, or is refused.
 */
export class InboxWriter {
  readonly #options: InboxWriting;
  #waiting: Waiting[] = [];
  #current: Current | undefined;
  #writing: Promise<void> | undefined;

  constructor(options: InboxWriting) {
    this.#options = options;
  }

  /** Resolves when it is on disk, or with why it is not. In the order of the calls. */
  append(delivery: Delivery): Promise<Result<void>> {
    const pieces = encodeRecord(delivery);
    const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
    return new Promise((settle) => {
      this.#waiting.push({ pieces, bytes, settle });
      this.#writing ??= this.#writeAll();
    });
  }

  /** Resolves when all that was appended is settled, and the file is closed. */
  async close(): Promise<void> {
    await this.#writing;
    await this.#closeCurrent();
  }

  async #writeAll(): Promise<void> {
    // What else arrives in this turn of the event loop belongs to the group.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const group = this.#nextGroup();
      const result = await this.#write(group);
      for (const { settle } of group) settle(result);
    }
    this.#writing = undefined;
  }

  #nextGroup(): Waiting[] {
    let bytes = 0;
    const end = this.#waiting.findIndex((waiting) => (bytes += waiting.bytes) > groupBytes);
    return this.#waiting.splice(0, end < 0 ? this.#waiting.length : Math.max(1, end));
  }

  async #write(group: readonly Waiting[]): Promise<Result<void>> {
    const pieces = group.flatMap((waiting) => waiting.pieces);
    const bytes = group.reduce((sum, waiting) => sum + waiting.bytes, 0);
    try {
      while (!(await this.#writeTo(await this.#file(), pieces, bytes)));
    } catch (error) {
      await this.#closeCurrent();
      return failed(unwritable(error as NodeJS.ErrnoException));
    }
    if ((this.#current?.bytes ?? 0) >= (this.#options.fileBytes ?? groupBytes)) await this.#closeCurrent();
    return done(undefined);
  }

  /** False when somebody else has closed the file meanwhile, so that it may be gone before these were read. */
  async #writeTo(current: Current, pieces: readonly Uint8Array[], bytes: number): Promise<boolean> {
    await current.file.append(current.bytes === 0 ? [fileStart, ...pieces] : pieces);
    await current.file.sync();
    current.bytes += bytes;
    if ((await this.#options.files.size(openName(current.name))) !== undefined) return true;
    this.#current = undefined;
    await current.file.close();
    return false;
  }

  async #file(): Promise<Current> {
    if (this.#current) return this.#current;
    const name = this.#options.newName();
    this.#current = { name, file: await this.#options.files.make(openName(name)), bytes: 0 };
    return this.#current;
  }

  /** Best effort: a file that stays open by name is closed by the next gateway that starts. */
  async #closeCurrent(): Promise<void> {
    const current = this.#current;
    if (!current) return;
    this.#current = undefined;
    const { files } = this.#options;
    await current.file.close().catch(() => undefined);
    const settled =
      current.bytes === 0 ? files.remove(openName(current.name)) : files.rename(openName(current.name), closedName(current.name));
    await settled.catch(() => undefined);
  }
}

function unwritable(error: NodeJS.ErrnoException): Problem {
  const isFull = error.code === 'ENOSPC' || error.code === 'EDQUOT';
  return {
    code: 'INBOX_UNWRITABLE',
    what: 'the delivery could not be written down, and is not taken',
    why: isFull ? 'no space is left on the disk of the inbox' : error.message,
    safe: 'every delivery that was answered with 2xx is on disk',
    next: isFull ? 'make room on the disk, then have it delivered again' : 'have it delivered again; changeless logs gateway',
  };
}
