import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import { firstTime, isSchedule, lastTime } from './cron.ts';

const at = (text: string): Date => new Date(text);

test('the last time is within the span: after its beginning, and its end is in it', () => {
  const last = (since: string, until: string) => lastTime('0 3 * * *', { since: at(since), until: at(until) })?.toISOString();
  assert.equal(last('2026-01-01T02:00:00Z', '2026-01-01T02:59:59.999Z'), undefined);
  assert.equal(last('2026-01-01T02:00:00Z', '2026-01-01T03:00:00.000Z'), '2026-01-01T03:00:00.000Z');
  assert.equal(last('2026-01-01T03:00:00.000Z', '2026-01-01T04:00:00Z'), undefined);
  assert.equal(last('2026-01-01T02:00:00Z', '2026-01-09T02:00:00Z'), '2026-01-08T03:00:00.000Z');
});

test('times are in UTC, where no hour is missing and none is twice', () => {
  // In most of Europe 02:30 does not exist on this day, and 01:30 in UTC is it.
  assert.equal(firstTime('30 2 * * *', at('2026-03-29T00:00:00Z'))?.toISOString(), '2026-03-29T02:30:00.000Z');
  assert.equal(firstTime('0 0 29 2 *', at('2026-01-01T00:00:00Z'))?.toISOString(), '2028-02-29T00:00:00.000Z');
});

test('from one time to the next, going back finds what going on found', () => {
  const field = (least: number, most: number) => fc.oneof(fc.constant('*'), fc.integer({ min: least, max: most }).map(String));
  const expression = fc.tuple(field(0, 59), field(0, 23), field(1, 28), field(1, 12), fc.constant('*')).map((fields) => fields.join(' '));
  const time = fc.date({ min: at('2020-01-01T00:00:00Z'), max: at('2040-01-01T00:00:00Z'), noInvalidDate: true });
  fc.assert(
    fc.property(expression, time, (cron, since) => {
      assert(isSchedule(cron));
      const first = firstTime(cron, since);
      assert(first !== undefined && first > since);
      assert.deepEqual(lastTime(cron, { since, until: first }), first);
      assert.equal(lastTime(cron, { since, until: new Date(first.getTime() - 1) }), undefined);
    }),
    { numRuns: 300 },
  );
});
