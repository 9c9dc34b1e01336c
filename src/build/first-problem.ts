import { done, type Result } from '../result.ts';

type Values<Results extends readonly Promise<Result<unknown>>[]> = {
  [Index in keyof Results]: Results[Index] extends Promise<Result<infer Value>> ? Value : never;
};

/** All values once everything is done, or the first problem as soon as there is one. */
export async function allOrFirstProblem<const Results extends readonly Promise<Result<unknown>>[]>(
  results: Results,
): Promise<Result<Values<Results>>> {
  return await Promise.race([...results.map(onlyProblem), allValues(results)]);
}

/** Never a value: that leaves the race to the rest. */
async function onlyProblem(result: Promise<Result<unknown>>): Promise<Result<never>> {
  const each = await result;
  return each.ok ? await new Promise<never>(() => undefined) : each;
}

async function allValues<const Results extends readonly Promise<Result<unknown>>[]>(results: Results): Promise<Result<Values<Results>>> {
  const values: unknown[] = [];
  for (const result of await Promise.all(results)) {
    if (!result.ok) return result;
    values.push(result.value);
  }
  return done(values as Values<Results>);
}
