import assert from 'node:assert/strict';
import { test } from 'node:test';
import { feeds } from './feeds.mjs';

test('every feed gives items of one shape', () => {
  for (const [name, items] of Object.entries(feeds)) {
    assert.ok(items().length > 0, `${name} is empty`);
    for (const item of items()) assert.deepEqual([typeof item.title, typeof item.kind], ['string', 'string']);
  }
});

test('the length of a film is given in minutes', () => {
  assert.deepEqual(
    feeds.films().map(({ minutes }) => minutes),
    [90, 121],
  );
});

test('episodes carry their show and number', () => {
  assert.equal(feeds.series()[1].title, 'Blue, Green 2: Handover');
});
