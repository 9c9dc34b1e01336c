import { pause } from './pause.ts';
import type { Post } from './post.ts';
import { schedulesIn } from './runs-of-delivery.ts';

/** However far the next time is, the clock may be set meanwhile. */
const longestMs = 60_000;

const shortestMs = 1000;

/** Accepts what comes due by schedule until stopped, and what came due while nobody looked, once. */
export function keepSchedules(
  post: Pick<Post, 'manifest' | 'environment' | 'logs' | 'ledger' | 'journal' | 'clock' | 'timers' | 'signal'>,
  token: number,
): {
  stop(): Promise<void>;
} {
  const schedules = schedulesIn(post);
  if (!schedules) return { stop: async () => {} };
  const { ledger, journal, clock, timers } = post;
  const stopped = new AbortController();
  const signal = AbortSignal.any([stopped.signal, post.signal]);
  const keep = async (): Promise<void> => {
    while (!signal.aborted) {
      for (const { id, job, commit, reason } of await ledger.takeDue(token, schedules.due))
        journal.report({ type: 'job-accepted', run: id, job, commit, reason });
      const now = clock();
      const restMs = (schedules.next(now)?.getTime() ?? Infinity) - now.getTime();
      await pause(Math.min(longestMs, Math.max(shortestMs, restMs)), { signal, timers });
    }
  };
  const ended = keep();
  return {
    stop() {
      stopped.abort();
      return ended;
    },
  };
}
