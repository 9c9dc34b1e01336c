import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulate } from './simulate.ts';

/** `CHANGELESS_SIMULATION_SEED`: the one seed to replay, as a failure printed it. */
const replayed = process.env['CHANGELESS_SIMULATION_SEED'];
const seeds = replayed === undefined ? Array.from({ length: 100 }, (_, seed) => seed) : [Number(replayed)];

void test('whatever goes wrong around the controllers, one release is whole when all is at rest', async (context) => {
  for (const seed of seeds) {
    const { findings, operations, trace } = await simulate(seed, { trace: replayed !== undefined });
    if (replayed !== undefined) context.diagnostic(trace.join('\n'));
    assert.deepEqual(findings, [], `seed ${seed} (${operations.join(', ')}); CHANGELESS_SIMULATION_SEED=${seed} replays it`);
  }
  context.diagnostic(`${seeds.length} seeds`);
});

void test('a seed goes the same way each time: every effect, event and mishap, in order and in time', async () => {
  for (const seed of [7, 8, 9]) {
    const { trace } = await simulate(seed, { trace: true });
    assert.ok(trace.length > 100);
    assert.deepEqual((await simulate(seed, { trace: true })).trace, trace, `seed ${seed}`);
  }
});
