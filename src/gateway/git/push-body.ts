import type { IncomingMessage } from 'node:http';
import { createGunzip } from 'node:zlib';

/** Beyond what git itself takes: so much more of a push is read to its end, for its sender reads no answer before. */
const restBytes = 64 * 1024 * 1024;

/**
 * The body of a push, unzipped where it comes zipped. Rejects when it breaks off, or is not what it says it is; what goes on after
 * `packBytes` and some more is left unread.
 */
export async function* pushBody(request: IncomingMessage, { packBytes }: { packBytes: number }): AsyncGenerator<Buffer, undefined> {
  let bytes = 0;
  for await (const chunk of plain(request)) {
    bytes += chunk.length;
    if (bytes > packBytes + restBytes) return;
    yield chunk;
  }
  if (!request.complete) throw new Error('the push broke off');
}

function plain(request: IncomingMessage): AsyncIterable<Buffer> {
  // Leaving early must leave the connection, over which the answer goes.
  const raw = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  if (!/^(x-)?gzip$/i.test(request.headers['content-encoding'] ?? '')) return raw;
  const gunzip = createGunzip();
  request.once('error', (error) => gunzip.destroy(error));
  request.once('close', () => request.complete || gunzip.destroy(new Error('the push broke off')));
  return request.pipe(gunzip);
}
