import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type net from 'node:net';
import { after, before, test } from 'node:test';
import { Duplex, PassThrough } from 'node:stream';
import tls from 'node:tls';
import { skip } from '../../src/datapath/haproxy-fixture.ts';
import { RecordingOrigin } from './recording-origin.ts';
import { readStrictly } from './strict-request.ts';
import { certify, foreign, host, TlsChain, type Chained } from './tls-chain.ts';

/** Each a client of its own: the whole of 127.0.0.0/8 is this machine. */
const [ann, bob] = ['127.0.0.1', '127.0.0.2'];

/** The host of another app, whose data path is none of the first one's. */
const neighbour = 'plain.localhost';

/** What a hostile client gets, and what others do meanwhile; and what it would get without what is there against it. */
type Case = {
  hostile: string;
  chained?: Chained;
  bare: Chained;
  see: (chain: TlsChain) => Promise<unknown>;
  with: unknown;
  without: unknown;
};

const changed = (from: string | RegExp, to: string): Chained => ({ change: (config) => config.replace(from, to) });

/** One request over a connection of its own, or over the given one: its status, or that it was closed. */
async function ask(chain: TlsChain, { source = ann, to = host, socket }: { source?: string; to?: string; socket?: net.Socket } = {}) {
  try {
    const connection = socket ?? (await chain.connect('core-8080', source));
    const request = http.request({ createConnection: () => connection, headers: { host: to, connection: 'close' } });
    request.end();
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    response.resume();
    await once(response, 'close');
    return response.statusCode;
  } catch {
    return 'closed';
  }
}

/** What a client is told that says a request byte by byte, and what somebody else is told while it does. */
async function slowly(chain: TlsChain, start: string, bytes: string): Promise<unknown> {
  const socket = await chain.connect('core-8080', bob);
  let text = '';
  socket.setEncoding('latin1').on('data', (more: string) => (text += more));
  const told = once(socket, 'data');
  const closed = once(
    socket.on('error', () => socket.destroy()),
    'close',
  );
  socket.write(start);
  const rest = bytes.split('');
  const timer = setInterval(() => {
    const byte = rest.shift();
    if (byte === undefined || text !== '') clearInterval(timer);
    else socket.write(byte);
  }, DRIP_MS);
  const other = await ask(chain);
  await Promise.race([told, closed]);
  clearInterval(timer);
  socket.destroy();
  return [/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 'closed', other];
}

/** A byte comes after each of these, and the whole of it takes several limits. */
const DRIP_MS = 40;
const LIMIT_MS = 400;
const dripped = 'x'.repeat(30);

/** How many of a thousand connections of one source are there at once, and what somebody else is told meanwhile. */
async function crowd(chain: TlsChain): Promise<unknown> {
  const all = await Promise.all(Array.from({ length: 1000 }, () => chain.connect('core-8080', bob).catch(() => undefined)));
  const other = await ask(chain);
  const told: unknown[] = [];
  for (const socket of all) told.push(socket ? await ask(chain, { socket }) : 'closed');
  return [told.filter((each) => each === 200).length, other];
}

async function flood(chain: TlsChain): Promise<unknown> {
  const told = await Promise.all(Array.from({ length: 200 }, () => ask(chain, { source: bob })));
  const counted = (status: number): number => told.filter((each) => each === status).length;
  return {
    let: counted(200),
    refused: counted(429),
    others: await ask(chain),
    neighbours: await ask(chain, { source: bob, to: neighbour }),
  };
}

/** What is answered to a request with these header lines. */
async function withLines(chain: TlsChain, lines: readonly string[]): Promise<unknown> {
  const socket = await chain.connect('core-8080', bob);
  socket.on('error', () => socket.destroy());
  const answered = once(socket.setEncoding('latin1'), 'data');
  socket.write(`GET / HTTP/1.1\r\nhost: ${host}\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`);
  const [text] = (await answered) as [string];
  socket.destroy();
  return [text.slice(9, 12), await ask(chain)];
}

/** How much a client is sent that asks for a name nobody has a certificate for. */
async function bytesFor(chain: TlsChain, servername: string): Promise<boolean> {
  const socket = await chain.connect('core-8443', bob);
  const secured = tls.connect({ socket, servername, rejectUnauthorized: false }).on('error', () => undefined);
  const over = Promise.withResolvers<void>();
  secured.on('secureConnect', () => over.resolve()).on('close', () => over.resolve());
  await over.promise;
  const sent = socket.bytesRead > 0;
  secured.destroy();
  return sent;
}

/** Whether a connection on which encryption was begun, and no more, is closed in a time in which everybody closes who ever does. */
async function halfway(chain: TlsChain): Promise<string> {
  const hello = await helloFor(host);
  const socket = await chain.connect('core-8443', bob);
  const closed = once(socket.on('error', () => socket.destroy()).resume(), 'close').then(() => 'closed');
  socket.write(hello);
  const told = await Promise.race([closed, new Promise<string>((resolve) => setTimeout(resolve, 4 * LIMIT_MS, 'waits'))]);
  socket.destroy();
  return told;
}

/** The first message of a client that asks for a name. */
async function helloFor(servername: string): Promise<Buffer> {
  const said = new PassThrough();
  const silent = Duplex.from({ readable: new PassThrough(), writable: said });
  tls.connect({ socket: silent, servername }).on('error', () => undefined);
  const [hello] = (await once(said, 'data')) as [Buffer];
  return hello;
}

const cases: readonly Case[] = [
  {
    hostile: 'who begins to encrypt and says no more is closed',
    chained: changed('timeout client 60s', `timeout client ${LIMIT_MS}ms`),
    bare: {},
    see: halfway,
    with: 'closed',
    without: 'waits',
  },
  {
    hostile: 'who says its headers one byte at a time is closed, and nobody else waits',
    chained: changed('timeout http-request 10s', `timeout http-request ${LIMIT_MS}ms`),
    bare: changed('timeout http-request 10s', ''),
    see: (chain) => slowly(chain, `GET / HTTP/1.1\r\nhost: ${host}\r\nx-`, `${dripped}: y\r\n\r\n`),
    with: ['408', 200],
    without: ['200', 200],
  },
  {
    hostile: 'who says its body one byte at a time is closed where that is limited, and nobody else waits',
    chained: { policy: { timeouts: { requestMs: LIMIT_MS } } },
    bare: {},
    see: (chain) => slowly(chain, `POST / HTTP/1.1\r\nhost: ${host}\r\ncontent-length: ${dripped.length}\r\n\r\n`, dripped),
    with: ['408', 200],
    without: ['200', 200],
  },
  {
    hostile: 'who holds a thousand connections has as many as one source may, and nobody else fewer',
    chained: { perSource: { connections: 100 } },
    bare: {},
    see: crowd,
    with: [100, 200],
    without: [1000, 200],
  },
  {
    hostile: 'who floods an app is refused by its limit, and no other client is, and no other app',
    chained: { policy: { rateLimits: { all: { requests: 10, periodMs: 600_000, burst: 10 } } } },
    bare: {},
    see: flood,
    with: { let: 10, refused: 190, others: 200, neighbours: 200 },
    without: { let: 200, refused: 0, others: 200, neighbours: 200 },
  },
  {
    hostile: 'who floods the core is refused by it, and no other client is',
    chained: { perSource: { requests: { count: 10, perMs: 600_000 } } },
    bare: {},
    see: async (chain) => {
      const told = await Promise.all(Array.from({ length: 200 }, () => ask(chain, { source: bob })));
      return [told.filter((each) => each === 200).length, told.filter((each) => each === 429).length, await ask(chain)];
    },
    with: [10, 190, 200],
    without: [200, 0, 200],
  },
  {
    hostile: 'headers that are too long are refused',
    bare: changed(/^global$/m, 'global\n    tune.bufsize 200000'),
    see: (chain) => withLines(chain, [`x: ${'y'.repeat(100_000)}`]),
    with: ['400', 200],
    without: ['200', 200],
  },
  {
    hostile: 'too many headers are refused',
    bare: changed(/^global$/m, 'global\n    tune.http.maxhdr 2000'),
    see: (chain) =>
      withLines(
        chain,
        Array.from({ length: 1000 }, (_, index) => `x-${index}: y`),
      ),
    with: ['400', 200],
    without: ['200', 200],
  },
  {
    hostile: 'a host that nobody has is told so in a few words',
    bare: changed('default_backend preview', `default_backend host:${host}`),
    see: async (chain) => {
      const { status, body } = await chain.ask({ socket: await chain.connect('core-8080', bob), headers: { host: 'nobody.example' } });
      return [status, status === 404 && body];
    },
    with: [404, '{"error":"nothing answers to this host name"}'],
    without: [200, false],
  },
  {
    hostile: 'who asks for a name that nobody has a certificate for is not sent a byte',
    bare: changed('default_backend unknown', `default_backend tls:${host}`),
    see: async (chain) => [await bytesFor(chain, foreign), await bytesFor(chain, host)],
    with: [false, true],
    without: [true, true],
  },
  {
    hostile: 'HTTP/2 is not spoken in the open',
    bare: changed('option disable-h2-upgrade', ''),
    see: async (chain) => {
      const told: string[] = [];
      for (const at of ['core-8080', 'path-8080'] as const) {
        const socket = await chain.connect(at);
        socket.on('error', () => socket.destroy()).write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0');
        const [said] = (await once(socket.setEncoding('latin1'), 'data')) as [string];
        told.push(said.startsWith('HTTP/1.1 400') ? '400' : 'frames');
        socket.destroy();
      }
      return told;
    },
    with: ['400', '400'],
    without: ['frames', 'frames'],
  },
];

let origin: RecordingOrigin;
let certified: Awaited<ReturnType<typeof certify>>;
before(async () => {
  [origin, certified] = await Promise.all([RecordingOrigin.start(readStrictly), certify()]);
});
after(() => origin?.stop());

/** The other app has the same service, without a data path that anything could be done to. */
const withNeighbour = (config: string): string =>
  config.replace(new RegExp(`(backend host:${neighbour}\\n +server \\S+) .*`), `$1 unix@${origin.socket()}`);

async function seenBehind(chained: Chained | undefined, see: Case['see']): Promise<unknown> {
  const change = chained?.change ?? ((config: string) => config);
  const chain = await TlsChain.start(origin, certified, { ...chained, change: (config) => withNeighbour(change(config)) });
  try {
    return await see(chain);
  } finally {
    await chain.stop();
  }
}

test('what is there against hostile clients makes the difference', { skip, concurrency: 2 }, async (suite) => {
  const all = cases.map(({ hostile, chained, bare, see, ...expected }) =>
    suite.test(hostile, { timeout: 60_000 }, async () => {
      assert.notDeepEqual(expected.with, expected.without);
      assert.deepEqual(await seenBehind(chained, see), expected.with);
      assert.deepEqual(await seenBehind(bare, see), expected.without);
    }),
  );
  await Promise.all(all);
});
