import type { Problem } from '../problem.ts';
import { done, failed, type Result } from '../result.ts';
import { mapBounded } from '../bounded.ts';

/** What can be given up: after `stop` it ends early, by throwing the signal's reason or with what it has. */
export type Work = (stop: AbortSignal) => Promise<Result<unknown>>;

/** `atATime`: how much of it is under way at once; all unless given. */
export type Course = { signal: AbortSignal; atATime?: number };

/**
 * Done once everything is, or the first problem. After a problem or a throw nothing more is begun, and what is under way is
 * given up and waited for: nothing goes on behind the caller's back. Throws the signal's reason when aborted.
 */
export async function allOrFirstProblem(works: readonly Work[], { signal, atATime = works.length }: Course): Promise<Result<void>> {
  const giveUp = new AbortController();
  const stop = AbortSignal.any([signal, giveUp.signal]);
  const failures: ({ problem: Problem } | { thrown: unknown })[] = [];
  await mapBounded(works, atATime, async (work) => {
    if (stop.aborted) return;
    const ended = await work(stop).catch((thrown: unknown) => ({ ok: false as const, thrown }));
    if (ended.ok) return;
    failures.push(ended);
    giveUp.abort();
  });
  signal.throwIfAborted();
  const [first] = failures;
  if (first === undefined) return done(undefined);
  if ('thrown' in first) throw first.thrown;
  return failed(first.problem);
}
