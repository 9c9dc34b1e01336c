import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as settled } from 'node:timers/promises';
import { sharedLook } from './shared-look.ts';

/** Looks that end when they are told to. */
function looks() {
  const begun: PromiseWithResolvers<number>[] = [];
  const take = sharedLook(() => {
    const one = Promise.withResolvers<number>();
    begun.push(one);
    return one.promise;
  });
  return { begun, take };
}

test('who asks while a look is under way shares the next one with all who ask meanwhile', async () => {
  const { begun, take } = looks();
  const first = take();
  const others = [take(), take(), take()];
  assert.equal(begun.length, 1);
  begun[0]?.resolve(1);
  assert.equal(await first, 1);
  await settled();
  assert.equal(begun.length, 2, 'one for all of them');
  begun[1]?.resolve(2);
  assert.deepEqual(await Promise.all(others), [2, 2, 2], 'and none older than the question');
});

test('a look that fails fails for those who share it, and the next one begins', async () => {
  const { begun, take } = looks();
  const first = assert.rejects(take(), /away/);
  const second = take();
  begun[0]?.reject(new Error('away'));
  await first;
  begun[1]?.resolve(2);
  assert.equal(await second, 2);
  await settled();
  const third = take();
  begun[2]?.resolve(3);
  assert.equal(await third, 3);
});
