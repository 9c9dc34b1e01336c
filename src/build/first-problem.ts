import type { Problem } from '../problem.ts';
import { done, failed, type Result } from '../result.ts';

type Values<Results extends readonly Promise<Result<unknown>>[]> = { [Index in keyof Results]: Results[Index] extends Promise<Result<infer Value>> ? Value : never };

/** All values once everything is done, or the first problem as soon as there is one. */
export async function allOrFirstProblem<const Results extends readonly Promise<Result<unknown>>[]>(results: Results): Promise<Result<Values<Results>>> {
  return await new Promise((resolve, reject) => {
    for (const result of results) result.then((each) => each.ok || resolve(failed<Problem>(each.problem)), reject);
    Promise.all(results).then((all) => resolve(done(all.map((each) => (each.ok ? each.value : undefined)) as Values<Results>)), reject);
  });
}
