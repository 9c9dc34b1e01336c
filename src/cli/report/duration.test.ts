import assert from 'node:assert/strict';
import { test } from 'node:test';
import { counted, duration, size } from './duration.ts';

test('durations and sizes read as people say them', () => {
  assert.deepEqual([0, 80.4, 999, 1000, 59_949, 59_960, 125_000].map(duration), [
    '0 ms',
    '80 ms',
    '999 ms',
    '1.0 s',
    '59.9 s',
    '1 min',
    '2 min 5 s',
  ]);
  assert.deepEqual([0, 999, 1000, 999_600, 123_456_789].map(size), ['0 B', '999 B', '1.0 kB', '1.0 MB', '123 MB']);
  assert.deepEqual(
    [0, 1, 2].map((count) => counted(count, 'app')),
    ['0 apps', '1 app', '2 apps'],
  );
});
