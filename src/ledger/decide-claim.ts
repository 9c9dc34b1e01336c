import type { ReleaseId } from '../digest.ts';
import type { Claim, RolloutRecord } from './ledger.ts';

/** `yields`: whether a newer one may take over from it. */
export type StoredRollout = RolloutRecord & { renewedAt: string; yields?: boolean };

/** What a claim is decided on. `own`: the rollout of the container that asks. `inCharge`: the highest that is under way or live. */
export type ClaimView = { own?: StoredRollout; inCharge?: StoredRollout; live?: StoredRollout };

export type ClaimDecision =
  | { kind: 'answer'; claim: Claim }
  | { kind: 'resume'; claim: Claim & { state: 'yours' } }
  | { kind: 'begin'; supersedes?: number; from?: ReleaseId };

/** Whether a holder has renewed its lease lately. A time from the future proves nothing (a clock was set back): it counts by its distance. */
export function holdsLease(renewedAt: string, lease: { now: string; leaseMs: number }): boolean {
  return Math.abs(Date.parse(lease.now) - Date.parse(renewedAt)) <= lease.leaseMs;
}

/**
 * A rollout's life. At most one is under way; tokens only grow, and only what never began may have a higher one than it.
 *
 *     (none) ──claim──> under way ──end live──> live
 *                           ├──end failed────> failed       (then the highest live one is in charge again)
 *                           └──end superseded, or another
 *                              claims after the lease──> superseded
 *
 * In charge, and so allowed to act, is the highest token that is under way or live. What a container that claims is told:
 *
 *     its rollout         | in charge                                | not in charge
 *     under way           | yours, resumed                           | (cannot be: it is the highest)
 *     live                | yours, resumed, outcome live             | standby
 *     failed, superseded  | (cannot be)                              | over
 *     none, another is under way: held (or waiting, for one that waits) while that one's lease lasts; after it, yours with
 *     the next token, the other superseded. One that yields holds nobody: the next token at once, and it is superseded
 *     none, none is under way: yours with the next token
 *
 * A live rollout whose successor is under way stands by even when that one's lease is over: its controller is restarted by
 * the engine and goes on, or a new one takes over; one that was removed has its rollout ended by who stands by.
 */
export function decideClaim(view: ClaimView, lease: { now: string; leaseMs: number }): ClaimDecision {
  const { own, inCharge } = view;
  const from = fromBefore(view);
  if (own) return decideKnown(own, inCharge, from);
  const begin = { kind: 'begin', ...from } as const;
  if (inCharge === undefined || inCharge.outcome === 'live') return begin;
  if (!inCharge.yields && holdsLease(inCharge.renewedAt, lease))
    return { kind: 'answer', claim: { state: 'held', holder: recordOf(inCharge) } };
  return { ...begin, supersedes: inCharge.token };
}

function decideKnown(own: StoredRollout, inCharge: StoredRollout | undefined, from: { from?: ReleaseId }): ClaimDecision {
  if (own.outcome === 'failed' || own.outcome === 'superseded') return { kind: 'answer', claim: { state: 'over', record: recordOf(own) } };
  if (inCharge && inCharge.token !== own.token) return { kind: 'answer', claim: { state: 'standby', holder: recordOf(inCharge) } };
  const outcome = own.outcome === undefined ? {} : { outcome: own.outcome };
  return { kind: 'resume', claim: { state: 'yours', token: own.token, resumed: true, ...outcome, ...from } };
}

/** For one that is live itself, there is nothing it comes from any more. */
const fromBefore = ({ own, live }: ClaimView): { from?: ReleaseId } =>
  live === undefined || live.token === own?.token ? {} : { from: live.release };

export function recordOf({ renewedAt: _, yields: __, ...record }: StoredRollout): RolloutRecord {
  return record;
}
