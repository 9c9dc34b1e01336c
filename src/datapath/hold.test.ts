import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort, ownAddress, portOf, runProxy, said, skip } from './haproxy-fixture.ts';
import { renderStorePath } from './store-path.ts';

const CLIENTS = 500;

test(
  'all who wait are let on, also when the proxy gets no time for longer than it waits between two looks',
  { skip, timeout: 30_000 },
  async (story) => {
    const proxy = await startProxy(story, { holdLimitMs: 60_000, isHeld: true, server: await startServer(story) });
    await said(proxy.lines, 'holding');
    const answers = Array.from({ length: CLIENTS }, () => askedOf(proxy.port));
    for (let stops = 0; stops < 150; stops += 1) {
      proxy.signal('SIGSTOP');
      await pause(40);
      proxy.signal('SIGCONT');
      await pause(3);
    }
    writeFileSync(proxy.gate, '');
    assert.deepEqual(new Set(await Promise.all(answers)), new Set(['stored']));
  },
);

test('who has waited as long as the limit says for a server that is not ready is turned away', { skip, timeout: 30_000 }, async (story) => {
  const proxy = await startProxy(story, { holdLimitMs: 200, isHeld: false, server: await freePort() });
  await said(proxy.lines, 'serving');
  assert.equal(await askedOf(proxy.port), '');
});

type Held = { holdLimitMs: number; isHeld: boolean; server: number };

async function startProxy(story: TestContext, { holdLimitMs, isHeld, server }: Held) {
  const folder = mkdtempSync(join(tmpdir(), 'hold-'));
  const [port, gate] = [await freePort(), join(folder, 'open')];
  const { proxy } = renderStorePath({ generation: 's1', port, server: 'localhost', health: { kind: 'tcp' }, holdLimitMs, drainLimitMs: 1 });
  const ours = [
    [`localhost:${port}`, `127.0.0.1:${server}`],
    [`bind :${port}`, `bind ${ownAddress}:${port}`],
    ['/run/changeless', `${folder}/run`],
  ] as const;
  mkdirSync(join(folder, 'run'));
  const config = ours.reduce((text, [from, to]) => text.replaceAll(from, to), proxy);
  const { haproxy, lines } = runProxy(story, {
    folder,
    config,
    env: { CHANGELESS_INCARNATION: 'held', ...(isHeld && { CHANGELESS_GATE: gate }) },
  });
  const signal = (name: NodeJS.Signals): boolean => haproxy.kill(name);
  return { port, gate, signal, lines };
}

/** What is answered; nothing where the connection ends before. */
function askedOf(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, ownAddress, () => socket.write('a question'));
    socket.once('data', (answer) => resolve(String(answer)));
    socket.on('error', () => resolve('')).on('close', () => resolve(''));
  });
}

async function startServer(story: TestContext): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => undefined).once('data', () => socket.end('stored')));
  story.after(() => server.close());
  return portOf(server);
}
