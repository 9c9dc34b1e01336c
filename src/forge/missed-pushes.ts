import type { NewestPush } from '../ledger/branch-heads.ts';
import type { FailedPush } from './forge.ts';

/** A head that is another than the one that was dealt with last. `newest`: the last push to the branch that was taken. */
export type MovedHead = { branch: string; head: string; noted?: string; newest?: NewestPush };

/** A push to be taken. `follows`: what the newest push to the branch has to have brought when it is; `''`: there is none. `body`: as its webhook had it. */
export type MissedPush = { branch: string; before?: string; after: string; follows: string; body?: string };

/** How long the webhook of a push may be under way. */
export const graceMs = 15_000;

/** Heads that have moved since they were noted. `noted`: undefined when nobody has looked before, and then none has. Pure. */
export function movedHeads(
  heads: ReadonlyMap<string, string>,
  noted: ReadonlyMap<string, string> | undefined,
): Omit<MovedHead, 'newest'>[] {
  if (noted === undefined) return [];
  return [...heads].flatMap(([branch, head]) => {
    const before = noted.get(branch);
    return before === head ? [] : [{ branch, head, ...(before !== undefined && { noted: before }) }];
  });
}

/** Whether its push has been taken, or nothing asks for the branch: then it is noted, and that is all. Pure. */
export const isDealtWith = ({ branch, head, newest }: MovedHead, isWanted: (branch: string) => boolean): boolean =>
  newest?.after === head || !isWanted(branch);

/**
 * The pushes of a branch that were missed, in their order, the last of which brought its head: those that the forge says it could not
 * deliver, from the last that was taken on, and the head itself when they do not lead there and its webhook has had its time. Pure.
 */
export function missedPushes(moved: MovedHead, { failed, seenMs }: { failed: readonly FailedPush[]; seenMs: number }): MissedPush[] {
  const { branch, head, newest } = moved;
  const own = failed.filter((push) => push.branch === branch);
  const missed: MissedPush[] = [];
  let at = startOf(moved, own);
  let follows = newest?.after ?? '';
  for (const { before, after, body } of own) {
    if (at === head) break;
    if (before !== at) continue;
    missed.push({ branch, ...(before !== undefined && { before }), after, follows, ...(body !== undefined && { body }) });
    [at, follows] = [after, after];
  }
  if (at === head) return missed;
  return seenMs < graceMs ? [] : [...missed, { branch, ...(at !== undefined && { before: at }), after: head, follows }];
}

/** What was taken last; what was noted, when the branch went on from there: it was not asked for by anything for a while. */
function startOf({ newest, noted }: MovedHead, own: readonly FailedPush[]): string | undefined {
  if (newest === undefined) return noted;
  const goesOn = (from: string | undefined): boolean => own.some(({ before }) => before === from);
  return !goesOn(newest.after) && noted !== undefined && goesOn(noted) ? noted : newest.after;
}
