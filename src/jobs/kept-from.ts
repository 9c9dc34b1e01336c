import { open } from 'node:fs/promises';
import type { RunId } from '../digest.ts';
import { newestOf, parsed, type KeptLine, type KeptLogs } from './kept-log.ts';

/** So much is read at a time. */
const chunkBytes = 256 * 1024;

/** Whole lines, each with where it ends, and where to go on. */
export type KeptFrom = { lines: readonly { line: KeptLine; end: number }[]; next: number };

/**
 * What is kept of a step from a position on, at most a chunk of it. Positions count bytes: they are those of every owner's file, since
 * each begins with what was kept before. One that no line ends at is where nothing is found, ever.
 */
export async function readKeptFrom(logs: KeptLogs, { run, step, from }: { run: RunId; step: string; from: number }): Promise<KeptFrom> {
  const newest = await newestOf(logs, run, step);
  const handle = newest && (await open(newest.file).catch(() => undefined));
  if (!handle) return { lines: [], next: from };
  try {
    // With the byte before, which ends a line.
    const start = Math.max(0, from - 1);
    for (let length = chunkBytes; ; length *= 4) {
      const buffer = Buffer.alloc(length);
      const { bytesRead } = await handle.read(buffer, 0, length, start);
      const found = linesIn(buffer.subarray(0, bytesRead), start, from);
      // A line that is longer than the chunk is read whole.
      if (found.next > from || bytesRead < length) return found;
    }
  } finally {
    await handle.close();
  }
}

const newline = 0x0a;

function linesIn(bytes: Buffer, start: number, from: number): KeptFrom {
  if (from > 0 && bytes[0] !== newline) return { lines: [], next: from };
  const lines: { line: KeptLine; end: number }[] = [];
  let at = from - start;
  for (let end = bytes.indexOf(newline, at); end >= 0; end = bytes.indexOf(newline, at)) {
    const line = parsed(bytes.toString('utf8', at, end));
    at = end + 1;
    if (line) lines.push({ line, end: start + at });
  }
  return { lines, next: start + at };
}
