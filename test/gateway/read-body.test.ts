import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { it } from 'node:test';
import { readBody } from '../../src/gateway/read-body.ts';
import { Room } from '../../src/gateway/room.ts';

const longBytes = 100_000;

/** A request that says it is long, of which so much has come. */
function coming(bytes: number): PassThrough & IncomingMessage {
  const stream = new PassThrough({ highWaterMark: longBytes });
  stream.write(Buffer.alloc(bytes));
  return Object.assign(stream, { headers: { 'content-length': String(longBytes) }, complete: bytes === longBytes }) as never;
}

function whole(): IncomingMessage {
  const request = coming(longBytes);
  request.end();
  return request;
}

/** All that can happen without anybody's doing has happened. */
async function atRest(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

it('gives room back that a request waited for and went away from, before or after it got any', async () => {
  const room = new Room(longBytes);
  const reading = { room, limitBytes: longBytes };
  const first = await readBody(whole(), reading);
  assert.equal(first.kind, 'whole');
  const gone = coming(longBytes - 1);
  const waiting = readBody(gone, reading);
  await atRest();
  gone.destroy();
  assert.deepEqual(await waiting, { kind: 'cut' });
  if (first.kind === 'whole') first.release();
  const cut = coming(longBytes - 1);
  const begun = readBody(cut, reading);
  await atRest();
  cut.destroy();
  assert.deepEqual(await begun, { kind: 'cut' });
  const last = await Promise.race([readBody(whole(), reading), atRest()]);
  assert.equal(last && last.kind, 'whole');
});

it('waits for room with all of a body that has come, and has all of it then', async () => {
  const room = new Room(longBytes);
  const reading = { room, limitBytes: longBytes };
  const first = await readBody(whole(), reading);
  const second = readBody(whole(), reading);
  await atRest();
  if (first.kind === 'whole') first.release();
  const read = await second;
  assert.equal(read.kind === 'whole' && read.body.length, longBytes);
});
