import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { once } from 'node:events';
import { it } from 'node:test';
import { runGateway } from '../../src/gateway/run-gateway.ts';
import { freePort } from '../e2e/world.ts';
import { deliveryOf, readAll, writerOf } from './inbox-fixture.ts';
import { PowerlessFiles } from './powerless-files.ts';
import { githubHeaders, post, pushOf, webhooks } from './webhook-fixture.ts';

const body = JSON.stringify(pushOf());

/** A gateway whose time passes when it is told to. */
async function running() {
  const files = new PowerlessFiles();
  const taken = new Map<string, number>();
  const abort = new AbortController();
  const port = await freePort();
  let tick = (): void => {};
  await writerOf(files).append(deliveryOf('of one that died'));
  const ended = runGateway({
    files,
    webhooks,
    readTaken: () => taken,
    address: { host: '127.0.0.1', port },
    report: () => {},
    clock: () => new Date(),
    random: (characters) => 'x'.repeat(characters),
    timers: {
      after: (_ms, work) => {
        tick = work;
        return () => {};
      },
    },
    signal: abort.signal,
  });
  const url = `http://127.0.0.1:${port}`;
  while ((await fetch(`${url}/healthz`).catch(() => undefined))?.status !== 200) await new Promise((resolve) => setImmediate(resolve));
  return { files, taken, abort, url, port, ended, pass: () => tick() };
}

it('closes what others left open, and removes it when the ledger says that it is taken', async () => {
  const { files, taken, abort, url, ended, pass } = await running();
  assert.deepEqual(
    (await files.names()).map((name) => name.split('.')[1]),
    ['closed'],
  );
  assert.equal((await post(`${url}/webhooks/github`, body, githubHeaders(body))).status, 202);
  pass();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(files.stored.size, 2, 'nothing is removed that was not taken');
  assert.deepEqual(
    (await readAll(files, { taken })).map(({ source }) => source),
    ['github', 'github'],
  );
  pass();
  while (files.stored.size > 1) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(
    (await files.names()).map((name) => name.split('.')[1]),
    ['inbox'],
  );
  abort.abort();
  await ended;
});

it('answers what it has when it is told to end, takes no more, and leaves its file closed', async () => {
  const { files, abort, url, port, ended } = await running();
  const socket = connect(port, '127.0.0.1').setEncoding('utf8');
  const headers = Object.entries({ host: 'x', 'content-length': String(body.length), ...githubHeaders(body) }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  socket.write(`POST /webhooks/github HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n${body.slice(0, 10)}`);
  // Another one that is answered after it: by then its head was read.
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
  abort.abort();
  socket.write(body.slice(10));
  const [answer] = (await once(socket, 'data')) as [string];
  assert.match(answer, /^HTTP\/1\.1 202 /);
  await once(socket, 'close');
  await ended;
  assert.ok((await files.names()).every((name) => name.endsWith('.closed')));
  await assert.rejects(fetch(`${url}/healthz`));
});
