import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { skip, withSources } from '../../src/datapath/haproxy-fixture.ts';
import { renderAppPath } from '../../src/datapath/app-path.ts';

const CLIENTS = 20;

/**
 * A place has its address before its instance listens: what comes to it meanwhile is refused, and tried elsewhere. That has to be
 * so little that no request finds only such places.
 */
test(
  'places that come, three beside two, make no request fail while they refuse all, and serve when they listen',
  { skip, timeout: 30_000 },
  async (story) => {
    const port = await listen(story, ['127.0.0.2', '127.0.0.3']);
    const names = await startNames(story, ['127.0.0.2', '127.0.0.3']);
    const socket = await startPath(story, { port, names: names.port });
    const load = startClients(socket);
    await load.until(({ answered }) => answered > 500);
    names.addresses.push('127.0.0.4', '127.0.0.5', '127.0.0.6');
    await names.told(5);
    await load.until(({ answered }) => answered > 5_000);
    await listen(story, ['127.0.0.4', '127.0.0.5', '127.0.0.6'], port);
    await load.until(({ by }) => by.size === 5);
    assert.deepEqual(await load.stop(), []);
  },
);

/** Answers on the addresses, at one port of all; the other addresses of this machine refuse there. */
async function listen(story: TestContext, addresses: readonly string[], given = 0): Promise<number> {
  let port = given;
  for (const address of addresses) {
    const server = http.createServer((_request, response) => void setTimeout(() => response.end(address), 5));
    await once(server.listen(port, address), 'listening');
    ({ port } = server.address() as AddressInfo);
    story.after(() => {
      server.close();
      server.closeAllConnections();
    });
  }
  return port;
}

type Names = { port: number; addresses: string[]; told: (count: number) => Promise<void> };

/** A name server that has these addresses for every name. */
async function startNames(story: TestContext, addresses: string[]): Promise<Names> {
  const socket = createSocket('udp4');
  let most = 0;
  socket.on('message', (question, from) => {
    most = addresses.length;
    socket.send(answerTo(question, addresses), from.port, from.address, () => socket.emit('told'));
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  story.after(() => socket.close());
  const told = async (count: number): Promise<void> => {
    while (most < count) await once(socket, 'told');
  };
  return { port: socket.address().port, addresses, told };
}

/** An answer of address records (RFC 1035, 4.1) to the one question, which is what its bytes up to the additional records are. */
function answerTo(question: Buffer, addresses: readonly string[]): Buffer {
  const end = question.indexOf(0, 12) + 5;
  const head = Buffer.from(question.subarray(0, end));
  head.writeUInt16BE(0x8580, 2);
  head.writeUInt16BE(addresses.length, 6);
  head.writeUInt16BE(0, 8);
  head.writeUInt16BE(0, 10);
  const records = addresses.map((address) => Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, ...address.split('.').map(Number)]));
  return Buffer.concat([head, ...records]);
}

async function startPath(story: TestContext, { port, names }: { port: number; names: number }): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), 'coming-'));
  const socket = path.join(folder, 'path.sock');
  const { proxy } = renderAppPath({
    app: 'shop',
    generation: 'a'.repeat(64),
    colour: 'blue',
    entry: 'web',
    services: [{ name: 'web', port, replicas: { min: 2, max: 5 }, health: { kind: 'tcp' } }],
    drainLimitMs: 1_000,
  });
  const ours = proxy
    .replace('bind :8080 accept-proxy', `bind unix@${socket}`)
    .replace(/bind :\d+/, `bind unix@${socket}.metrics`)
    .replace('parse-resolv-conf', `nameserver here 127.0.0.1:${names}`)
    .replaceAll('/run/changeless', folder);
  writeFileSync(path.join(folder, 'proxy.cfg'), withSources(ours));
  const child = spawn('haproxy', ['-db', '-f', path.join(folder, 'proxy.cfg')], {
    env: { ...process.env, CHANGELESS_INCARNATION: 'coming' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  story.after(async () => {
    child.kill('SIGKILL');
    await once(child, 'close');
    rmSync(folder, { recursive: true });
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  while (!said.includes('"serving"')) await once(child.stderr, 'data');
  return socket;
}

/** Ask again and again on connections they keep, once the path has found its first instances. */
function startClients(socketPath: string) {
  const agent = new http.Agent({ keepAlive: true });
  const failed: string[] = [];
  const seen = { answered: 0, by: new Set<string>() };
  let stopped = false;
  const ask = (): Promise<{ status: number; body: string }> =>
    new Promise((resolve, reject) => {
      http
        .get({ socketPath, agent }, (response) => {
          let body = '';
          response.setEncoding('utf8').on('data', (text: string) => (body += text));
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
        })
        .on('error', reject);
    });
  const client = async (): Promise<void> => {
    while (!stopped) {
      const { status, body } = await ask();
      if (status === 200) {
        seen.answered += 1;
        seen.by.add(body);
      } else if (seen.answered > 0) failed.push(`${status} after ${seen.answered} answers`);
    }
  };
  const running = Array.from({ length: CLIENTS }, client);
  return {
    until: async (isSo: (so: typeof seen) => boolean): Promise<void> => {
      while (!isSo(seen)) await new Promise((resolve) => setImmediate(resolve));
    },
    stop: async (): Promise<string[]> => {
      stopped = true;
      await Promise.all(running);
      agent.destroy();
      return failed;
    },
  };
}
