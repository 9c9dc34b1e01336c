// What the catalog shows: the feeds of its providers, fetched at most once a second; a feed that fails keeps its last content,
// and until every feed has come once, each question asks again.

const FRESH_MS = 1_000;

/** `fetchFeed(name)` gives a feed's items. `read()` gives `{ items, stale }`, or undefined until every feed came once. */
export function createContent({ feeds, fetchFeed, now = Date.now }) {
  const kept = new Map();
  let stale = [];
  let fetchedAt = -Infinity;
  let fetching;

  async function fetchAll() {
    const results = await Promise.allSettled(feeds.map((feed) => fetchFeed(feed)));
    results.forEach((result, index) => {
      if (result.status === 'fulfilled') kept.set(feeds[index], result.value);
    });
    stale = feeds.filter((_, index) => results[index].status === 'rejected');
    fetchedAt = now();
    fetching = undefined;
  }

  return {
    async read() {
      if (kept.size < feeds.length || now() - fetchedAt >= FRESH_MS) await (fetching ??= fetchAll());
      if (kept.size < feeds.length) return undefined;
      return { items: feeds.flatMap((feed) => kept.get(feed)), stale };
    },
  };
}
