import type { LogLine } from '../engine.ts';

/** One frame of Docker's multiplexed stream: 1 or 2, three zeroes, the length, and so many bytes. */
export type Frame = { stream: 'stdout' | 'stderr'; payload: Buffer };

const HEADER_BYTES = 8;

/** Whoever prints without a line's end is not waited for. */
const LONGEST_LINE = 2 ** 18;

/** Takes a multiplexed stream apart, however its chunks are cut. */
export async function* frames(chunks: AsyncIterable<unknown>): AsyncGenerator<Frame> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    rest = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer]);
    while (rest.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + rest.readUInt32BE(4);
      if (rest.length < end) break;
      yield { stream: rest[0] === 2 ? 'stderr' : 'stdout', payload: rest.subarray(HEADER_BYTES, end) };
      rest = rest.subarray(end);
    }
  }
}

/**
 * The lines of frames that begin with a time. A line longer than 16 KB comes in several frames, each with a time of its
 * own; the first one's is the line's. One that is longer than any should be comes in several.
 */
export async function* timedLines(parts: AsyncIterable<Frame>): AsyncGenerator<LogLine> {
  const open = new Map<Frame['stream'], LogLine>();
  for await (const { stream, payload } of parts) {
    const text = payload.toString();
    const space = text.indexOf(' ');
    const begun = open.get(stream);
    const line = { at: begun?.at ?? text.slice(0, space), stream, line: (begun?.line ?? '') + text.slice(space + 1) };
    if (line.line.endsWith('\n')) {
      open.delete(stream);
      yield { ...line, line: line.line.slice(0, -1) };
    } else if (line.line.length > LONGEST_LINE) {
      open.delete(stream);
      yield line;
    } else {
      open.set(stream, line);
    }
  }
  yield* open.values();
}
