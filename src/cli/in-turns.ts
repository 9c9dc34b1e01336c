/** Runs work side by side, at most `width` at once; results in the order of the work. */
export async function inTurns<T>(width: number, work: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = Array.from({ length: work.length });
  const queue = work.entries();
  const worker = async (): Promise<void> => {
    for (const [index, task] of queue) results[index] = await task();
  };
  await Promise.all(Array.from({ length: Math.min(width, work.length) }, worker));
  return results;
}
