import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { skip, withSources } from './haproxy-fixture.ts';
import { type StoreHealth } from './path-config.ts';
import { parsePathLine, type PathReport } from './path-log.ts';
import { renderStorePath } from './store-path.ts';

const folder = mkdtempSync(join(tmpdir(), 'store-check-'));
after(() => rmSync(folder, { recursive: true }));

/** A message of PostgreSQL: its letter, its length, and what it holds. */
function message(letter: string, body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(letter), length, body]);
}

const mayEnter = message('R', Buffer.alloc(4));
const sessionStarted = [mayEnter, message('S', Buffer.from('TimeZone\0UTC\0')), message('Z', Buffer.from('I'))];
const wantsPassword = message('R', Buffer.from('\0\0\0\nSCRAM-SHA-256\0\0'));
const fatal = (code: string): Buffer => message('E', Buffer.from(`SFATAL\0VFATAL\0C${code}\0Mno\0Fpostmaster.c\0\0`));

const answers: readonly (readonly [what: string, health: StoreHealth, answer: Buffer, isReady: boolean])[] = [
  ['Redis that answers', { kind: 'redis' }, Buffer.from('+PONG\r\n'), true],
  ['Redis that loads', { kind: 'redis' }, Buffer.from('-LOADING Redis is loading the dataset in memory\r\n'), false],
  ['PostgreSQL that lets in', { kind: 'postgres' }, Buffer.concat(sessionStarted), true],
  ['PostgreSQL that wants a password', { kind: 'postgres' }, wantsPassword, true],
  ['PostgreSQL that does not know the user', { kind: 'postgres' }, Buffer.concat([mayEnter, fatal('28000')]), true],
  ['PostgreSQL that lets nobody in from here', { kind: 'postgres' }, fatal('28000'), true],
  ['PostgreSQL that starts up', { kind: 'postgres' }, fatal('57P03'), false],
  ['a server that says what is expected', { kind: 'exchange', send: 'hello', expect: 'ready' }, Buffer.from('I am ready'), true],
  ['a server that says something else', { kind: 'exchange', send: 'hello', expect: 'ready' }, Buffer.from('I am not'), false],
];

for (const [what, health, answer, isReady] of answers)
  test(`${what} is ${isReady ? 'ready' : 'not ready'}`, { skip, timeout: 20_000 }, async (story) => {
    const server = createServer((socket) => socket.on('error', () => undefined).once('data', () => socket.end(answer)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    story.after(() => server.close());
    const report = await judged(health, (server.address() as AddressInfo).port);
    assert.equal(report.phase, isReady ? 'healthy' : 'checking', JSON.stringify(report));
  });

test(
  'Redis that loads and keeps the connection is asked again at once, not after its check has timed out',
  { skip, timeout: 20_000 },
  async (story) => {
    const server = createServer((socket) => socket.on('error', () => undefined).once('data', () => socket.write('-LOADING Redis\r\n')));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    story.after(() => server.close());
    const report = await judged({ kind: 'redis' }, (server.address() as AddressInfo).port);
    assert.deepEqual(report.phase === 'checking' && report.failing.map(({ check }) => check), ['L7RSP']);
  },
);

/** What the waiter says once its first check has come to something. */
async function judged(health: StoreHealth, port: number): Promise<PathReport> {
  const { waiting } = renderStorePath({ generation: 's1', port, server: 'localhost', health, holdLimitMs: 1, drainLimitMs: 1 });
  const file = join(folder, `${port}.cfg`);
  writeFileSync(file, withSources(waiting));
  const waiter = spawn('haproxy', ['-db', '-f', file], { env: { ...process.env, CHANGELESS_INCARNATION: `check-${process.pid}-${port}` } });
  try {
    for await (const line of createInterface({ input: waiter.stderr })) {
      const report = parsePathLine(line);
      const isBegun = report?.phase === 'checking' && report.failing.every(({ check }) => check === 'INI' || check === 'DNS');
      if (report && !isBegun) return report;
    }
    throw new Error('the waiter ended');
  } finally {
    waiter.kill('SIGKILL');
  }
}
