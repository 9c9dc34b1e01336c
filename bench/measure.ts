/** What a series of measurements comes to. Times are in milliseconds, ratios plain. */
export type Summary = { median: number; min: number; max: number; count: number };

/** A bar that was set, and whether the median reaches it. */
export type Bar = { says: string; hit: boolean };

/** One line of the answer. `floor` and `ratio` are of the same rounds, so that a slow machine slows both. */
export type Row = {
  bench: string;
  what: string;
  unit: 'ms' | 'MB' | 'count';
  measured: Summary;
  floor?: Summary;
  ratio?: Summary;
  bar?: Bar;
  note?: string;
};

/** One round: the thing and its floor, measured right after each other. */
export type Pair = { measured: number; floor: number };

export function summarise(values: readonly number[]): Summary {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? at(middle) : (at(middle - 1) + at(middle)) / 2;
  return { median, min: at(0), max: at(sorted.length - 1), count: sorted.length };
}

/** The ratio is that of each pair, so that what disturbs a moment disturbs both of its sides. */
export function compare(row: Pick<Row, 'bench' | 'what' | 'note'>, pairs: readonly Pair[], limit?: number): Row {
  const ratio = summarise(pairs.map(({ measured, floor }) => measured / floor));
  return {
    ...row,
    unit: 'ms',
    measured: summarise(pairs.map(({ measured }) => measured)),
    floor: summarise(pairs.map(({ floor }) => floor)),
    ratio,
    ...(limit !== undefined && { bar: { says: `≤ ${limit} ×`, hit: ratio.median <= limit } }),
  };
}

/** How often something is measured: BENCH_ROUNDS, or what is enough for it on a quiet machine. */
export const roundsOr = (enough: number): number => Number(process.env['BENCH_ROUNDS'] ?? enough);

/** Runs A and B in turns, the one that begins changing each round; the first `warmUps` rounds do not count. */
export async function inTurns(
  { rounds, warmUps = 1 }: { rounds: number; warmUps?: number },
  thing: { measured: () => Promise<number>; floor: () => Promise<number> },
): Promise<Pair[]> {
  const pairs: Pair[] = [];
  for (let round = -warmUps; round < rounds; round += 1) {
    const floorFirst = round % 2 === 0;
    const before = floorFirst ? await thing.floor() : undefined;
    const measured = await thing.measured();
    const floor = before ?? (await thing.floor());
    if (round >= 0) pairs.push({ measured, floor });
  }
  return pairs;
}

/** How long the work took, in milliseconds. */
export async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}
