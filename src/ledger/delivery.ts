import type { AcceptedRun } from '../job-run.ts';

/**
 * What a webhook told: the seam between the gateway, which takes it, and whoever works on it. `source`: the webhook's name; `id`: the
 * sender's, the same when it sends again. `branch`: of a push to one; without `before` it was made, without `after` it was deleted.
 */
export type Delivery = {
  source: string;
  id: string;
  /** `push`, `ping`, or what a sender of its own calls it. */
  kind: string;
  /** `owner/name`. */
  repository?: string;
  branch?: string;
  before?: string;
  after?: string;
  receivedAt: string;
  /** Where the id is not signed: one of the same source with the same `once` is the same delivery, whatever its id. */
  once?: string;
  /** Passed over unless the newest push to its branch brought this commit; `''`: unless there is none, or it deleted the branch. */
  follows?: string;
  /** As it came; its signature was right. */
  body: Uint8Array;
};

/** The source of what was pushed to the gateway's own git remote; no webhook is called so. Its commit is in the remote's repository. */
export const gitSource = 'git';

/** Deliveries that lie one after another in a file of the inbox, from the byte `from` to the byte `to`. */
export type InboxBatch = { file: string; from: number; to: number; deliveries: readonly Delivery[] };

/** What gateways have written down: what comes after what was taken of each file; undefined when there is nothing. */
export type Inbox = { next(taken: ReadonlyMap<string, number>): Promise<InboxBatch | undefined> };

/** As the ledger has it: `number` grows by one with each. */
export type TakenDelivery = Omit<Delivery, 'body' | 'once' | 'follows'> & { number: number; takenAt: string };

/** The source of pushes whose webhook never came, and that somebody found all the same. */
export const oversight = 'oversight';

/** Which runs a new delivery starts. Pure: it is asked in the transaction in which the delivery is taken. */
export type RunsOfDelivery = (delivery: Omit<Delivery, 'once'> & { number: number }) => readonly AcceptedRun[];

/** A delivery that is new, and the runs that were accepted with it. */
export type NewDelivery = TakenDelivery & { runs: readonly AcceptedRun[] };
