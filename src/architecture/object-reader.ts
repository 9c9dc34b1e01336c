import type { ChildProcess } from 'node:child_process';
import { startGit } from './git.ts';

/** An object git has under a name. */
export type ObjectHeader = { object: string; kind: 'blob' | 'tree' | 'commit' | 'tag'; sizeBytes: number };

type Waiting = { resolve: (answer: { header: ObjectHeader | undefined; body: Buffer }) => void; reject: (error: Error) => void };

/**
 * One `git cat-file --batch`: answers come in the order of the questions, so any number can be under way. Started by the first question. It does not keep the program from ending.
 */
export class ObjectReader {
  readonly #gitFolder: string;
  readonly #waiting: Waiting[] = [];
  #child: ChildProcess | undefined;
  #chunks: Buffer[] = [];
  #bufferedBytes = 0;
  /** Bytes that must be there before looking again is worth it. */
  #neededBytes = 0;

  constructor(gitFolder: string) {
    this.#gitFolder = gitFolder;
  }

  /** The object of any name git knows, or undefined. */
  ask(name: string): Promise<{ header: ObjectHeader | undefined; body: Buffer }> {
    if (/[\n\0]/.test(name)) return Promise.resolve({ header: undefined, body: Buffer.alloc(0) });
    const { promise, resolve, reject } = Promise.withResolvers<{ header: ObjectHeader | undefined; body: Buffer }>();
    this.#waiting.push({ resolve, reject });
    this.#child ??= this.#start();
    this.#hold(true);
    this.#child.stdin?.write(`${name}\n`);
    return promise;
  }

  /** Ends the process once all questions are answered. */
  async close(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    this.#hold(true);
    child.stdin?.end();
    await ended;
  }

  #start(): ChildProcess {
    const child = startGit(
      { folder: this.#gitFolder, arguments: [`--git-dir=${this.#gitFolder}`, 'cat-file', '--batch'], configuration: 'objects' },
      'pipe',
    );
    let complaints = '';
    child.stdout?.on('data', (chunk: Buffer) => this.#receive(chunk));
    child.stderr?.on('data', (chunk: Buffer) => (complaints = (complaints + chunk.toString()).slice(-2000)));
    // A write after its end is reported by 'close' as well.
    child.stdin?.on('error', () => {});
    child.on('error', (error) => this.#end(child, error.message));
    child.on('close', () => this.#end(child, complaints));
    return child;
  }

  #end(child: ChildProcess, why: string): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    this.#chunks = [];
    this.#bufferedBytes = this.#neededBytes = 0;
    for (const { reject } of this.#waiting.splice(0)) reject(new Error(`git cat-file ended before it answered: ${why.trim()}`));
  }

  #receive(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bufferedBytes += chunk.length;
    if (this.#bufferedBytes < this.#neededBytes) return;
    let buffer = Buffer.concat(this.#chunks);
    for (let used = this.#answer(buffer); used > 0; used = this.#answer(buffer)) buffer = buffer.subarray(used);
    this.#chunks = [buffer];
    this.#bufferedBytes = buffer.length;
    if (this.#waiting.length === 0) this.#hold(false);
  }

  /** Answers the oldest question if all of its answer is there; gives the bytes it took. */
  #answer(buffer: Buffer): number {
    const lineEnd = buffer.indexOf(10);
    if (lineEnd < 0) return 0;
    const header = parseHeader(buffer.toString('utf8', 0, lineEnd));
    const bodyBytes = header === undefined ? 0 : header.sizeBytes + 1;
    const total = lineEnd + 1 + bodyBytes;
    this.#neededBytes = buffer.length < total ? total : 0;
    if (buffer.length < total) return 0;
    // Copied, so that a small blob does not keep the whole of what was received with it.
    const body = Buffer.from(buffer.subarray(lineEnd + 1, Math.max(lineEnd + 1, total - 1)));
    this.#waiting.shift()?.resolve({ header, body });
    return total;
  }

  #hold(hold: boolean): void {
    const child = this.#child;
    if (child === undefined) return;
    const streams = [child.stdin, child.stdout, child.stderr] as unknown as { ref?: () => void; unref?: () => void }[];
    for (const part of [child as { ref?: () => void; unref?: () => void }, ...streams]) {
      if (hold) part.ref?.();
      else part.unref?.();
    }
  }
}

// `<object> <kind> <size>`; what is not there is `<name> missing` or `<name> ambiguous`.
function parseHeader(line: string): ObjectHeader | undefined {
  const match = /^([0-9a-f]{40,64}) (blob|tree|commit|tag) (\d+)$/.exec(line);
  if (match === null) return undefined;
  return { object: match[1] ?? '', kind: match[2] as ObjectHeader['kind'], sizeBytes: Number(match[3]) };
}
