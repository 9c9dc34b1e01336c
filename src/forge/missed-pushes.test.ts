import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FailedPush } from './forge.ts';
import { graceMs, isDealtWith, missedPushes, movedHeads, type MissedPush } from './missed-pushes.ts';
import { nextLookMs } from './pace.ts';

const failed = (before: string | undefined, after: string, branch = 'main'): FailedPush => ({
  branch,
  ...(before !== undefined && { before }),
  after,
  at: '2026-01-01T00:00:00.000Z',
});

const push = (before: string | undefined, after: string, follows: string): MissedPush => ({
  branch: 'main',
  ...(before !== undefined && { before }),
  after,
  follows,
});

test('heads have moved that are others than were noted, and none when nobody has looked before', () => {
  const heads = new Map([
    ['main', 'b'],
    ['same', 's'],
    ['new', 'n'],
  ]);
  assert.deepEqual(movedHeads(heads, undefined), []);
  const noted = new Map([
    ['main', 'a'],
    ['same', 's'],
    ['gone', 'g'],
  ]);
  assert.deepEqual(movedHeads(heads, noted), [
    { branch: 'main', head: 'b', noted: 'a' },
    { branch: 'new', head: 'n' },
  ]);
});

test('a head whose push was taken is dealt with, and so is one that nothing asks for', () => {
  const moved = { branch: 'main', head: 'b', noted: 'a' };
  assert.equal(
    isDealtWith({ ...moved, newest: { number: 1, after: 'b' } }, () => true),
    true,
  );
  assert.equal(
    isDealtWith({ ...moved, newest: { number: 1, after: 'a' } }, () => true),
    false,
  );
  assert.equal(
    isDealtWith(moved, () => false),
    true,
  );
});

const cases: [name: string, ...Parameters<typeof missedPushes>, MissedPush[]][] = [
  ['may have its webhook under way', { branch: 'main', head: 'b', noted: 'a' }, { failed: [], seenMs: graceMs - 1 }, []],
  [
    'is missed after its time',
    { branch: 'main', head: 'b', noted: 'a', newest: { number: 4, after: 'a' } },
    { failed: [], seenMs: graceMs },
    [push('a', 'b', 'a')],
  ],
  [
    'is missed where no push was ever taken',
    { branch: 'main', head: 'b', noted: 'a' },
    { failed: [], seenMs: graceMs },
    [push('a', 'b', '')],
  ],
  ['is missed on a branch that is new', { branch: 'main', head: 'b' }, { failed: [], seenMs: graceMs }, [push(undefined, 'b', '')]],
  [
    'is missed on a branch that was deleted before',
    { branch: 'main', head: 'b', newest: { number: 4 } },
    { failed: [], seenMs: graceMs },
    [push(undefined, 'b', '')],
  ],
  [
    'is missed at once when its webhook failed',
    { branch: 'main', head: 'b', noted: 'a', newest: { number: 4, after: 'a' } },
    { failed: [failed('a', 'b'), failed('a', 'b', 'other')], seenMs: 0 },
    [push('a', 'b', 'a')],
  ],
  [
    'is missed with those before it, in order, and with none that were taken',
    { branch: 'main', head: 'd', noted: 'a', newest: { number: 4, after: 'b' } },
    { failed: [failed('a', 'b'), failed('b', 'c'), failed('c', 'd'), failed('d', 'e')], seenMs: 0 },
    [push('b', 'c', 'b'), push('c', 'd', 'c')],
  ],
  [
    'waits its time when the pushes that failed do not lead there',
    { branch: 'main', head: 'd', noted: 'a', newest: { number: 4, after: 'a' } },
    { failed: [failed('a', 'b')], seenMs: 0 },
    [],
  ],
  [
    'is missed with those that are known to have failed before it',
    { branch: 'main', head: 'd', noted: 'a', newest: { number: 4, after: 'a' } },
    { failed: [failed('a', 'b')], seenMs: graceMs },
    [push('a', 'b', 'a'), push('b', 'd', 'b')],
  ],
  [
    'follows what was noted where nothing asked for the branch for a while',
    { branch: 'main', head: 'd', noted: 'c', newest: { number: 4, after: 'a' } },
    { failed: [failed('c', 'd')], seenMs: 0 },
    [push('c', 'd', 'a')],
  ],
];

for (const [name, moved, told, expected] of cases) test(`a head ${name}`, () => assert.deepEqual(missedPushes(moved, told), expected));

test('looks come every half minute, sooner while a webhook may be under way, and ever later when the forge does not answer', () => {
  const look = (failures: number, more: object = {}): number => nextLookMs({ failures, waits: false, random: 0.5, ...more });
  assert.deepEqual(
    [0, 1, 2, 3, 5, 50].map((failures) => look(failures)),
    [30_000, 60_000, 120_000, 240_000, 900_000, 900_000],
  );
  assert.equal(look(0, { waits: true }), 5000);
  assert.deepEqual([look(0, { random: 0 }), look(0, { random: 0.999 })], [27_000, 32_994]);
  assert.equal(look(1, { afterMs: 3_600_000 }), 3_600_000);
});
