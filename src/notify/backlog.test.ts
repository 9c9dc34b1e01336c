import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LedgerEntry } from '../ledger/channel-places.ts';
import { mostWaiting, overdue, pauseMs } from './backlog.ts';
import { Repeats } from './repeats.ts';

const nowMs = Date.UTC(2026, 0, 10);
const hour = 3_600_000;

const entry = (number: number, agoMs: number, instance = 'api-1'): LedgerEntry => ({
  number,
  digest: String(number),
  event: {
    type: 'instance-lost',
    unit: { kind: 'app', name: 'catalog' },
    instance,
    what: 'it died',
    at: new Date(nowMs - agoMs).toISOString(),
  },
});

const entries = (count: number, agoMs: number): LedgerEntry[] => Array.from({ length: count }, (_, index) => entry(index + 1, agoMs));

test('the oldest go when more wait than may', () => {
  assert.equal(overdue(entries(mostWaiting, hour), nowMs), 0);
  assert.equal(overdue(entries(mostWaiting + 3, hour), nowMs), 3);
});

test('what is older than three days goes', () => {
  const old = [entry(1, 73 * hour), entry(2, 72.5 * hour), entry(3, 71 * hour)];
  assert.equal(overdue(old, nowMs), 2);
  assert.equal(overdue(old.slice(0, 2), nowMs), 2);
  assert.equal(overdue([], nowMs), 0);
});

test('pauses grow to five minutes, differ by chance, and are never shorter than was asked for', () => {
  const pauses = [1, 2, 3, 4, 5, 50].map((failures) => pauseMs(failures, { random: 0 }));
  assert.deepEqual(pauses, [1000, 5000, 25_000, 120_000, 300_000, 300_000]);
  assert.equal(pauseMs(1, { random: 0.5 }), 1100);
  assert.equal(pauseMs(1, { random: 0, afterMs: 60_000 }), 60_000);
  assert.equal(pauseMs(3, { random: 0, afterMs: 10 }), 25_000);
});

test('an instance that is lost again and again is told once in ten minutes, and the same however often that is asked', () => {
  const repeats = new Repeats();
  const minute = 60_000;
  const asked = [
    entry(1, 30 * minute),
    entry(2, 25 * minute),
    entry(3, 21 * minute),
    entry(4, 21 * minute, 'api-2'),
    entry(5, 19 * minute),
  ];
  // A message that nobody took is made of its entry again.
  for (let time = 0; time < 2; time += 1)
    assert.deepEqual(
      asked.map((each) => repeats.isOne(each)),
      [false, true, true, false, false],
    );
});
