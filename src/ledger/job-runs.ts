import type { RunId } from '../digest.ts';
import type { AcceptedRun, JobRun, RunOutcome, StepEnd } from '../job-run.ts';
import type { Problem } from '../problem.ts';

/** A run that is somebody's, as long as nobody has a higher token for it. */
export type OwnedRun = { id: RunId; token: number };

/** `followers`: what starts with its end. */
export type RunEnd = { outcome: RunOutcome; problem?: Problem; followers?: readonly AcceptedRun[] };

export type OwnRun = JobRun & { token: number };

/**
 * Runs of jobs, from being accepted to being closed. Each belongs to one owner at a time, who renews its lease; whoever claims
 * it next has a higher token. What an owner writes with a token that is no longer the highest is not written: it gets false.
 *
 *     accepted ──begin──> started ──end──> ended ──close──> closed
 *         └──────────────(cancelled)────────┘
 */
export interface JobRuns {
  /** Durable before it resolves; those that wait for the same turn have ended as superseded. False when a run of that id was accepted before, which stays as it is. */
  accept(run: AcceptedRun): Promise<boolean>;
  /**
   * Takes every run that is not closed and has no owner, or one who has not renewed it for `leaseMs`, or this very owner, who
   * does not know of it (`held`: those it knows of; it was started again).
   */
  claim(request: { owner: string; leaseMs: number; held: readonly RunId[] }): Promise<OwnRun[]>;
  /** Says that the owner lives. Those that are still its own. */
  renew(owned: readonly OwnedRun[]): Promise<OwnedRun[]>;
  /** Gives them up: whoever comes next need not wait for the lease to end. */
  release(owned: readonly OwnedRun[]): Promise<void>;
  /** Checked before each effect. */
  mayAct(owned: OwnedRun): Promise<boolean>;
  find(id: RunId): Promise<JobRun | undefined>;
  /** Those that a delivery started, in the order in which they were accepted. */
  ofDelivery(number: number): Promise<JobRun[]>;
  /** Newest first. */
  list(filter: { job?: string; limit: number }): Promise<JobRun[]>;
  /** Marks it as started; the first time counts. False, too, while an earlier one of its turn has not ended. */
  begin(owned: OwnedRun): Promise<boolean>;
  /** Notes the container a step is about to be started in; none: that it certainly was not. False, too, when the step is over. */
  noteContainer(owned: OwnedRun, step: string, container?: string): Promise<boolean>;
  /** Records how a step ended, once: false when it has an end already, which stays. */
  endStep(owned: OwnedRun, step: string, end: StepEnd): Promise<boolean>;
  /** Asks for its end, whoever owns it. False when it is over, or there is none. */
  cancel(id: RunId): Promise<boolean>;
  /** Ends it, once, and accepts those that come after it: both, or neither. */
  end(owned: OwnedRun, end: RunEnd): Promise<boolean>;
  /** Nothing is left to be done for it. */
  close(owned: OwnedRun): Promise<boolean>;
}
