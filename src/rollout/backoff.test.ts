import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heldBack, nextStart, pauseMs, recordDeath, type Deaths } from './backoff.ts';

void test('a first death is forgiven at once, later ones cost twice as much each, up to half a minute', () => {
  assert.deepEqual([0, 1, 2, 3, 4, 8, 9, 40].map(pauseMs), [0, 0, 500, 1000, 2000, 30_000, 30_000, 30_000]);
});

void test('an instance is held back until its pause has passed', () => {
  const deaths: Deaths = new Map();
  recordDeath(deaths, 'api-1', 1000);
  assert.deepEqual([...heldBack(deaths, 1000)], []);
  assert.equal(recordDeath(deaths, 'api-1', 2000), 2);
  assert.deepEqual([...heldBack(deaths, 2400)], ['api-1']);
  assert.equal(nextStart(deaths, 2400), 100);
  assert.deepEqual([...heldBack(deaths, 2500)], []);
  assert.equal(nextStart(deaths, 2500), undefined);
});

void test('a death long after the last one counts as a first', () => {
  const deaths: Deaths = new Map();
  recordDeath(deaths, 'api-1', 0);
  recordDeath(deaths, 'api-1', 10);
  assert.equal(recordDeath(deaths, 'api-1', 120_000), 1);
});
