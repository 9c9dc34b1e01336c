import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Room } from './room.ts';

/** `release`: to be called when nobody needs the body any more. */
export type ReadBody = { kind: 'whole'; body: Buffer; release: () => void } | { kind: 'too-long' } | { kind: 'cut' };

/** So much each request has without asking for room, so that what is usual never waits for what is long. */
const ownBytes = 64 * 1024;

/**
 * Reads a body of at most `limitBytes`. One that turns out longer than its own 64 KB waits for room for all that it says it is, at
 * once: those that have some and wait for more would wait for one another. `cut`: its sender went away, or took too long.
 */
export async function readBody(request: IncomingMessage, { room, limitBytes }: { room: Room; limitBytes: number }): Promise<ReadBody> {
  const saidBytes = Number(request.headers['content-length'] ?? limitBytes);
  if (saidBytes > limitBytes) return { kind: 'too-long' };
  const chunks: Buffer[] = [];
  let length = 0;
  let taken = 0;
  const release = (): void => room.give(taken);
  const without = (kind: 'too-long' | 'cut'): ReadBody => {
    release();
    return { kind };
  };
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > limitBytes) return without('too-long');
      const wanted = length > ownBytes && taken === 0 ? saidBytes : 0;
      if (wanted > 0 && !(await gotRoom(request, room, wanted))) return without('cut');
      taken += wanted;
      chunks.push(chunk);
    }
  } catch {
    return without('cut');
  }
  return request.complete ? { kind: 'whole', body: joined(chunks), release } : without('cut');
}

/** Waits for room; false when the request was cut before there was any. */
export async function gotRoom(request: IncomingMessage, room: Room, bytes: number): Promise<boolean> {
  const place = room.take(bytes);
  const waiting = new AbortController();
  const closed = once(request, 'close', { signal: waiting.signal }).then(
    // One that has come to its end may close, too, before there is room for it.
    () => (request.complete ? place.granted.then(() => 'granted') : 'closed'),
    () => 'granted',
  );
  const first = await Promise.race([place.granted.then(() => 'granted'), closed]);
  waiting.abort();
  if (first === 'closed') place.callOff();
  return first === 'granted';
}

const joined = (chunks: readonly Buffer[]): Buffer => (chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks));
