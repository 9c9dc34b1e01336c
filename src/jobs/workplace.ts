import type { RunId } from '../digest.ts';
import type { Wake } from '../rollout/wake.ts';
import type { Timers } from '../timers.ts';
import { Bell } from './bell.ts';
import type { KeptLogs } from './kept-log.ts';
import type { RunHands } from './run-hands.ts';
import type { PushContext } from './runs-of-push.ts';

/** What the release in charge says of jobs. */
export type JobDefinitions = PushContext;

/** `owner`: who carries the runs, the same when it is started again. `mayTake`: whether it may serve what is asked for. */
export type Jobs = {
  hands: RunHands;
  owner: string;
  logs: KeptLogs;
  definitions: JobDefinitions;
  mayTake: () => Promise<boolean>;
  wake: Wake;
  timers: Timers;
  signal: AbortSignal;
};

/** Steps that run at the same time, of all runs of one controller. */
const mostSteps = 8;

/** What the runs of one controller share: who is woken, and how many steps run. */
export class Workplace {
  readonly jobs: Jobs;
  readonly bell: Bell;
  readonly #running = new Map<RunId, number>();

  constructor(jobs: Jobs) {
    this.jobs = jobs;
    this.bell = new Bell(jobs.timers);
  }

  /** How many more steps a run may start, beside the others'. */
  freeFor(run: RunId): number {
    const others = [...this.#running].filter(([id]) => id !== run).reduce((sum, [, count]) => sum + count, 0);
    return mostSteps - others;
  }

  occupy(run: RunId, count: number): void {
    this.#running.set(run, count);
  }

  leave(run: RunId): void {
    this.#running.delete(run);
  }
}
