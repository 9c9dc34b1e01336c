import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UnitAlarm } from '../rollout/desired.ts';
import { evaluate, type Watched } from './evaluate.ts';
import type { PathSample, Sample } from './sample.ts';

const quiet: PathSample = { requests: 0, answers: 0, errors: 0, queue: 0, connections: 0 };

/** One look a second, the last one at `nowMs`. */
const seconds = (...paths: (Partial<PathSample> | undefined)[]): Watched => ({
  samples: paths.map((path, index): Sample => ({
    atMs: (index + 1) * 1000,
    spanMs: 1000,
    instances: [],
    ...(path && { path: { ...quiet, ...path } }),
  })),
  deaths: [],
  nowMs: paths.length * 1000,
});

const cores = (...values: (number | undefined)[]): Watched => ({
  samples: values.map((value, index): Sample => ({
    atMs: (index + 1) * 1000,
    spanMs: 1000,
    instances: [
      { service: 'api', ...(value !== undefined && { cores: value }), memory: 0.1 },
      { service: 'api', cores: 0.01, memory: 0.2 },
      { service: 'other', cores: 9, memory: 0.9 },
    ],
  })),
  deaths: [],
  nowMs: values.length * 1000,
});

const alarm = (change: Partial<UnitAlarm>): UnitAlarm => ({ name: 'alarm', metric: 'error-ratio', forMs: 3000, ...change });
const p99 = (ms: number): Partial<PathSample> => ({ latencyMs: { p50: 1, p95: 2, p99: ms } });
const failing = { answers: 10, errors: 5 };
const well = { answers: 10 };

const cases: [
  name: string,
  alarm: UnitAlarm,
  watched: Watched,
  expected: [value: number | undefined, breached: boolean, calm: boolean] | undefined,
][] = [
  ['nothing is judged before its time is over', alarm({ above: 0.1 }), seconds(failing, failing), undefined],
  ['a ratio is taken over all of its time', alarm({ above: 0.1 }), seconds(well, well, failing), [5 / 30, true, false]],
  ['what is older than its time does not count', alarm({ above: 0.1 }), seconds(failing, well, well, well), [0, false, true]],
  ['without an answer there is no ratio', alarm({ above: 0.1 }), seconds({}, {}, {}), [undefined, false, true]],
  ['at the limit is not above it', alarm({ above: 0.5 }), seconds(failing, failing, failing), [0.5, false, true]],
  ['a rate is one a second', alarm({ metric: 'request-rate', below: 5 }), seconds({ requests: 3 }, { requests: 3 }, {}), [2, true, false]],
  [
    'a path that was not there has no rate',
    alarm({ metric: 'request-rate', below: 5 }),
    seconds(undefined, undefined, undefined),
    [undefined, false, true],
  ],
  [
    'latency has to be past the limit all the time',
    alarm({ metric: 'latency-p99', above: 100 }),
    seconds(p99(900), p99(90), p99(900)),
    [90, false, false],
  ],
  ['and then is', alarm({ metric: 'latency-p99', above: 100 }), seconds(p99(900), {}, p99(101)), [101, true, false]],
  ['it is calm when it never was', alarm({ metric: 'latency-p99', above: 100 }), seconds(p99(9), p99(99), p99(100)), [9, false, true]],
  ['a queue', alarm({ metric: 'queue', above: 3 }), seconds({ queue: 4 }, { queue: 5 }, { queue: 9 }), [4, true, false]],
  [
    'of instances the worst counts, of this service',
    alarm({ metric: 'cpu', above: 0.5, service: 'api' }),
    cores(0.6, 0.8, 0.7),
    [0.6, true, false],
  ],
  [
    'one whose use is not known yet does not count',
    alarm({ metric: 'cpu', above: 0.5, service: 'api' }),
    cores(undefined, 0.8, 0.7),
    [0.01, false, false],
  ],
  ['memory, of any instance of a store', alarm({ metric: 'memory', above: 0.8 }), cores(1, 1, 1), [0.9, true, false]],
];

for (const [name, watched, seen, expected] of cases)
  test(name, () => {
    const verdict = evaluate(watched, seen);
    assert.deepEqual(verdict && [verdict.value, verdict.isBreached, verdict.isCalm], expected);
  });

test('restarts are counted at once, those of its own service, within its time', () => {
  const watched = alarm({ metric: 'restarts', above: 1, service: 'api' });
  const death = (atMs: number, service = 'api') => ({ service, atMs });
  const judged = (...deaths: { service: string; atMs: number }[]) => evaluate(watched, { samples: [], deaths, nowMs: 10_000 });
  assert.equal(judged(death(9000), death(9500))?.isBreached, true);
  assert.equal(judged(death(6000), death(9500))?.isBreached, false);
  assert.equal(judged(death(9000, 'other'), death(9500))?.isBreached, false);
  assert.equal(judged()?.isCalm, true);
});
