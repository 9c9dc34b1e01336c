import type { CommitStatus } from './commit-status.ts';

/**
 * What came of a question to a forge. `later`: nothing just now, and not before `afterMs` where that is said; `refused`: it will not, as
 * often as it is asked; `status` is HTTP's.
 */
export type Answered<T> =
  | { state: 'done'; value: T }
  | { state: 'later'; why: string; afterMs?: number }
  | { state: 'refused'; why: string; status: number };

/** A push whose webhook the forge could not deliver, as it has it. `at`: when it tried; ISO 8601. `body`: what it sent. */
export type FailedPush = { branch: string; before?: string; after: string; at: string; body?: string };

/** Where people push to: one repository of it. Nothing throws; asking again is safe. */
export interface Forge {
  /** For messages: `shop/web at https://api.github.com`. */
  readonly name: string;
  /** As `owner/name`. */
  readonly repository: string;
  /** Tells how a commit does; the newest of each context counts. Refused for a commit that the forge does not have. */
  setStatus(status: CommitStatus, signal: AbortSignal): Promise<Answered<void>>;
  /** Every branch's newest commit, by name. Costs next to nothing where nothing has changed. */
  heads(signal: AbortSignal): Promise<Answered<ReadonlyMap<string, string>>>;
  /** Pushes of the last days whose webhook was not taken, oldest first; none where the token may not see that. */
  failedPushes(signal: AbortSignal): Promise<Answered<readonly FailedPush[]>>;
}
