import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Measures, ObservedInstance } from '../engine/engine.ts';
import type { LiveUnit } from './live-state.ts';
import { trafficOf, trafficWords } from './traffic.ts';

const none = { '1xx': 0, '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 };
const latencyMs = { p50: 4, p95: 20, p99: 130 };
const busy: Measures = {
  at: '2026-01-01T00:00:00Z',
  number: 1,
  spanMs: 1250,
  requests: 150,
  answers: { ...none, '2xx': 90, '5xx': 10 },
  latencyMs,
  routes: { '/api': { answers: { ...none, '2xx': 25 }, latencyMs }, '/': { answers: { ...none, '4xx': 5 } } },
  refused: { 'patch:x': 2, 'rate:login': 10 },
  retries: 3,
  redispatches: 1,
  connections: 2,
  open: 7,
  queue: 6,
  servers: { 'api-1': { inFlight: 4, state: 'up' }, 'api-2': { inFlight: 5, state: 'draining' } },
};

const unit = (path: ObservedInstance['path']): LiveUnit =>
  ({
    kind: 'app',
    name: 'shop',
    state: 'live',
    instances: [{ role: 'path', ...(path && { path }) }],
    steps: [],
    scaled: [],
  }) as unknown as LiveUnit;

test('what a path said last is told a second, with what it refused since it serves', () => {
  const traffic = trafficOf(unit({ phase: 'serving', measures: busy }));
  assert.deepEqual(traffic, {
    requestsPerSecond: 120,
    errorRatio: 0.1,
    latencyMs,
    queue: 6,
    inFlight: 9,
    connections: 7,
    retries: 3,
    redispatches: 1,
    refused: { 'patch:x': 2, 'rate:login': 10 },
    routes: { '/api': { perSecond: 20, errorRatio: 0, latencyMs }, '/': { perSecond: 4, errorRatio: 0 } },
  });
  assert.equal(
    traffic && trafficWords(traffic),
    '120/s, 10 % errors, p50 4 p95 20 p99 130 ms, queue 6, 3 retries, 1 redispatches, 12 refused (patch:x 2, rate:login 10)',
  );
});

test('a path that has nothing to do says so, and one that has said nothing is not spoken for', () => {
  const { latencyMs: _, refused: __, routes: ___, ...rest } = busy;
  const idle = trafficOf(
    unit({ phase: 'serving', measures: { ...rest, requests: 0, answers: none, queue: 0, retries: 0, redispatches: 0 } }),
  );
  assert.equal(idle && trafficWords(idle), '0/s');
  for (const path of [undefined, { phase: 'serving' }, { phase: 'draining' }] as const) assert.equal(trafficOf(unit(path)), undefined);
});
