import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runHistory } from './history.ts';

void test('whatever happens to gateways, controllers and engine, what was acknowledged is done, once', async (context) => {
  const sums = { acknowledged: 0, kills: 0, pauses: 0 };
  for (let seed = 1; seed <= 4; seed += 1) {
    const { findings, acknowledged, kills, pauses } = await runHistory(seed, 25);
    assert.deepEqual(findings, [], `history ${seed}`);
    sums.acknowledged += acknowledged;
    sums.kills += kills;
    sums.pauses += pauses;
  }
  assert.ok(sums.acknowledged > 50 && sums.kills > 10, JSON.stringify(sums));
  context.diagnostic(`${sums.acknowledged} deliveries, ${sums.kills} controllers killed, ${sums.pauses} stopped for a while`);
});
