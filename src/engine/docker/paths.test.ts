import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import type { PathPhase } from '../engine.ts';
import type { Call, DockerClient } from './client.ts';
import { PathPhases } from './paths.ts';

type Line = { stream: 1 | 2; at: string; text: string };

/** An engine's framing of a log, as its API documents it: stream, length, then the line with its time. */
function framed({ stream, at, text }: Line): Buffer {
  const payload = Buffer.from(`${at} ${text}\n`);
  const head = Buffer.alloc(8);
  head.writeUInt8(stream, 0);
  head.writeUInt32BE(payload.length, 4);
  return Buffer.concat([head, payload]);
}

/** Gives the log's lines from the moment that is asked from, that moment included; the last ones are counted before a stream is left out. */
function engineWith(log: readonly Line[], asked: Call['query'][] = []): DockerClient {
  const secondsOf = (at: string): number => Date.parse(at) / 1000;
  const stream = async ({ query }: Call): Promise<Readable> => {
    asked.push(query);
    const since = Number(query?.['since'] ?? 0);
    const last = log.slice(-Number(query?.['tail'] ?? log.length));
    const isAsked = ({ stream }: Line): boolean => query?.[stream === 1 ? 'stdout' : 'stderr'] === true;
    return Readable.from(last.filter((line) => secondsOf(line.at) >= since && isAsked(line)).map(framed));
  };
  return { stream } as unknown as DockerClient;
}

const at = (ms: number): string => `2026-01-01T00:00:00.${String(ms).padStart(3, '0')}000000Z`;

/** Lines of an access log, a millisecond apart. */
const accessLines = (from: number, count: number): Line[] =>
  Array.from({ length: count }, (_, more) => ({ stream: 1, at: at(from + more), text: '{"status":200}' }));

const cutting = (stream: 1 | 2): Line[] => [
  { stream, at: at(100), text: '{"changeless":"serving"}' },
  { stream: 2, at: at(300), text: '[WARNING]  (1) : Proxy app hard-stopped (2 remaining conns will be closed).' },
  { stream, at: at(200), text: '{"changeless":"draining","connections":2}' },
];

test('what a path cut is counted once, however often its log is read', async () => {
  const log = cutting(2);
  const phases = new PathPhases(engineWith(log));
  for (const _ of ['first', 'second']) assert.deepEqual(await phases.of('path'), { phase: 'draining', connections: 2, cut: 2 });
  log.push(...accessLines(400, 500), {
    stream: 2,
    at: at(950),
    text: '[WARNING]  (1) : Proxy tls hard-stopped (3 remaining conns will be closed).',
  });
  for (const _ of ['third', 'fourth']) assert.deepEqual(await phases.of('path'), { phase: 'draining', connections: 2, cut: 5 });
});

test('a path of an earlier Changeless, which has no access log and says all else on standard output, is understood', async () => {
  const log = cutting(1);
  const phases = new PathPhases(engineWith(log));
  for (const _ of ['first', 'second', 'third']) assert.deepEqual(await phases.of('path'), { phase: 'draining', connections: 2, cut: 2 });
});

const measured = (ms: number): Line => ({ stream: 2, at: at(ms), text: `{"changeless":"serving","measures":{"requests":${ms}}}` });
const requestsOf = (phase: PathPhase): number | undefined => (phase.phase === 'serving' ? phase.measures?.requests : undefined);

test('a path serves though its log has lost the line with which it began to, and the end of a long log is enough', async () => {
  const log = Array.from({ length: 900 }, (_, ms) => measured(ms));
  const asked: Call['query'][] = [];
  const phases = new PathPhases(engineWith(log, asked));
  assert.equal(requestsOf(await phases.of('path')), 899);
  log.splice(0, 500);
  log.push(...Array.from({ length: 60 }, (_, more) => measured(900 + more)));
  assert.equal(requestsOf(await phases.of('path')), 959);
  assert.ok(asked.every((query) => query?.['tail'] !== undefined));
});

test('what a path says last is found however long its access log is, and that is never sent', async () => {
  const log = [measured(1)];
  const asked: Call['query'][] = [];
  const phases = new PathPhases(engineWith(log, asked));
  assert.equal(requestsOf(await phases.of('path')), 1);
  for (const [ms, lines] of [
    [100, 30],
    [200, 300],
    [600, 100],
  ] as const) {
    log.push(measured(ms), ...accessLines(ms, lines));
    assert.equal(requestsOf(await phases.of('path')), ms);
  }
  assert.ok(asked.every((query) => query?.['stdout'] === false && query['tail'] !== undefined));
});

test('a waiter whose news are more than the last lines is read on from where it was known', async () => {
  const log: Line[] = [{ stream: 2, at: at(0), text: '{"changeless":"checking","failing":[]}' }];
  const phases = new PathPhases(engineWith(log));
  assert.equal((await phases.of('path')).phase, 'checking');
  log.push({ stream: 2, at: at(1), text: '{"changeless":"healthy"}' });
  log.push(...Array.from({ length: 300 }, (_, more): Line => ({ stream: 2, at: at(2 + more), text: 'something else' })));
  assert.equal((await phases.of('path')).phase, 'healthy');
});
