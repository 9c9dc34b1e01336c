/** `map` over all items, at most `limit` of them under way; results in the order of the items. The first throw ends it. */
export async function mapBounded<Item, Out>(items: readonly Item[], limit: number, map: (item: Item) => Promise<Out>): Promise<Out[]> {
  const results: Out[] = [];
  let index = 0;
  const worker = async (): Promise<void> => {
    while (index < items.length) {
      const mine = index;
      index += 1;
      results[mine] = await map(items[mine] as Item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}
