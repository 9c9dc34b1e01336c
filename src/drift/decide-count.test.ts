import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { decideCount, type Scaled } from './decide-count.ts';

const range = { min: 2, max: 10, metric: 'requests', target: 10 } as const;

/** A load for each second that has passed, the last one now; as many for two minutes. */
const after = (loads: readonly number[], change: Partial<Scaled> = {}): number => {
  const now = 1_000_000;
  const samples = loads.map((load, index) => ({ at: now - (loads.length - 1 - index) * 1000, load }));
  return decideCount({ range, count: 4, since: now - 120_000, samples, now, ...change });
};

const seconds = (count: number, load: number): number[] => Array.from({ length: count }, () => load);

const cases: readonly (readonly [what: string, count: number, wanted: number])[] = [
  ['without a sample all stays', after([]), 4],
  ['one sample alone asks for none', after([400]), 4],
  ['a load that fits keeps all', after(seconds(90, 40)), 4],
  ['a tenth more is near enough', after(seconds(90, 44)), 4],
  ['more than that asks for as many as it takes', after(seconds(5, 61)), 7],
  ['and at most for twice as many at once', after(seconds(5, 400)), 8],
  ['and never for more than there may be', after(seconds(5, 400), { count: 8 }), 10],
  ['the mean of the last seconds counts, not one of them', after([...seconds(4, 30), 80]), 4],
  ['those that have only just come take their share first', after(seconds(5, 61), { since: 999_000 }), 4],
  ['less is believed after a minute', after(seconds(61, 20)), 3],
  ['and not before', after(seconds(59, 20)), 4],
  ['nor where one second of it asked for all', after([...seconds(30, 20), 36, ...seconds(30, 20)]), 4],
  ['nor less than a minute after the last change', after(seconds(61, 20), { since: 950_000 }), 4],
  ['nothing to do leaves the least', after(seconds(61, 0)), 2],
  ['a range without a target is by command alone', after(seconds(61, 400), { range: { min: 1, max: 9 } }), 4],
];

for (const [what, count, wanted] of cases) test(what, () => assert.equal(count, wanted));

test('whatever was measured, the answer is in the range, and at rest once it was followed', () => {
  const load = fc.double({ min: 0, max: 500, noNaN: true });
  fc.assert(
    fc.property(load, fc.integer({ min: 2, max: 10 }), (each, first) => {
      let count = first;
      for (let round = 0; round < 6; round += 1) count = after(seconds(61, each), { count });
      assert.ok(count >= range.min && count <= range.max);
      assert.equal(after(seconds(61, each), { count }), count);
    }),
  );
});
