import assert from 'node:assert/strict';
import test from 'node:test';
import { closest, didYouMean } from './closest.ts';

test('a mistyped word finds the one that was meant, and only a near one', () => {
  const words = ['port', 'health', 'replicas', 'build', 'a'];
  for (const [typed, meant] of [
    ['prot', 'port'],
    ['Ports', 'port'],
    ['helth', 'health'],
    ['replcas', 'replicas'],
    ['zzz', undefined],
    ['b', undefined],
    ['', undefined],
  ] as const) {
    assert.equal(closest(typed, words), meant, typed);
  }
  assert.equal(didYouMean('prot', words), ' (did you mean port?)');
  assert.equal(didYouMean('zzz', words), '');
});
