import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createContent } from './content.mjs';

test('content joins the feeds in order', async () => {
  const content = createContent({ feeds: ['films', 'series'], fetchFeed: async (feed) => [`${feed} 1`] });
  assert.deepEqual(await content.read(), { items: ['films 1', 'series 1'], stale: [] });
});

test('many reads within a second fetch once', async () => {
  let fetches = 0;
  const content = createContent({ feeds: ['films'], fetchFeed: async () => [(fetches += 1)], now: () => 0 });
  await Promise.all([content.read(), content.read(), content.read()]);
  await content.read();
  assert.equal(fetches, 1);
});

test('there is no content until every feed came once', async () => {
  const fetchFeed = async (feed) => (feed === 'live' ? Promise.reject(new Error('down')) : []);
  assert.equal(await createContent({ feeds: ['films', 'live'], fetchFeed }).read(), undefined);
});

test('a feed that fails keeps what it had and is named', async () => {
  let up = true;
  let clock = 0;
  const fetchFeed = async () => (up ? ['kept'] : Promise.reject(new Error('down')));
  const content = createContent({ feeds: ['films'], fetchFeed, now: () => clock });
  await content.read();
  up = false;
  clock = 2_000;
  assert.deepEqual(await content.read(), { items: ['kept'], stale: ['films'] });
});
