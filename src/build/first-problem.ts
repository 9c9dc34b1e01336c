import type { Problem } from '../problem.ts';
import { done, failed, type Result } from '../result.ts';
import { mapBounded } from './bounded.ts';

/** What can be given up: after `stop` it ends early, by throwing the signal's reason or with what it has. */
export type Work<Value> = (stop: AbortSignal) => Promise<Result<Value>>;

type Values<Works extends readonly Work<unknown>[]> = {
  [Index in keyof Works]: Works[Index] extends Work<infer Value> ? Value : never;
};

/** `atATime`: how much of it is under way at once; all unless given. */
export type Course = { signal: AbortSignal; atATime?: number };

/**
 * All values once everything is done, or the first problem. After a problem or a throw nothing more is begun, and what is
 * under way is given up and waited for: nothing goes on behind the caller's back. Throws the signal's reason when aborted.
 */
export async function allOrFirstProblem<const Works extends readonly Work<unknown>[]>(
  works: Works,
  { signal, atATime = works.length }: Course,
): Promise<Result<Values<Works>>> {
  const giveUp = new AbortController();
  const stop = AbortSignal.any([signal, giveUp.signal]);
  const failures: ({ problem: Problem } | { thrown: unknown })[] = [];
  const values = await mapBounded(works, atATime, async (work) => {
    if (stop.aborted) return undefined;
    const ended = await work(stop).catch((thrown: unknown) => ({ ok: false as const, thrown }));
    if (ended.ok) return ended.value;
    failures.push(ended);
    giveUp.abort();
    return undefined;
  });
  signal.throwIfAborted();
  const [first] = failures;
  if (first === undefined) return done(values as Values<Works>);
  if ('thrown' in first) throw first.thrown;
  return failed(first.problem);
}
