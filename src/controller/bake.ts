import type { ReleaseId } from '../digest.ts';
import type { RolloutRecord } from '../ledger/ledger.ts';
import type { Desired } from '../rollout/desired.ts';
import { fallbacksOf, longestBakeMs, type Fallback, type Replaced } from '../rollout/fallback.ts';
import type { Post } from './post.ts';

/** The release that was live before, and the container of its controller. */
export type Before = { release: ReleaseId; controller: string; desired: Desired };

/** What stands by beside a release that is live. */
export type Bake = { fallbacks: readonly Fallback[]; untilMs: number; before: Before };

/**
 * What stands by beside the release of a rollout that is live, or just about to be; undefined when nothing does (any more).
 * It follows from the ledger's times and the releases' images, so a controller that was killed finds it again.
 */
export async function bakeOf(post: Post, desired: Desired, token: number): Promise<Bake | undefined> {
  const longest = longestBakeMs(desired);
  if (longest === 0) return undefined;
  const now = post.clock().getTime();
  const records = (await post.ledger.rollouts(50)).filter(
    (each) => each.token === token || (each.token < token && each.outcome === 'live'),
  );
  const liveAt = ({ endedAt }: RolloutRecord): number => (endedAt === undefined ? now : Date.parse(endedAt));
  const recent = records.filter((each) => liveAt(each) + longest > now);
  const before = await beforeOf(post, records, token);
  // What a rollback has left is nothing to come back to.
  if (!before || recent[0]?.token !== token || recent[0].asked === 'rollback') return undefined;
  const replaced: Replaced[] = [];
  for (const each of recent) {
    const said = each.replaced === before.release ? before.desired : each.replaced && (await post.releaseOf(each.replaced));
    if (said) replaced.push({ liveAtMs: liveAt(each), desired: said });
  }
  const fallbacks = fallbacksOf(desired, replaced).filter(({ untilMs }) => untilMs > now);
  return fallbacks.length === 0 ? undefined : { fallbacks, untilMs: Math.max(...fallbacks.map(({ untilMs }) => untilMs)), before };
}

/** `records`: newest first. Undefined where nothing was live before, or nobody knows any more what it was. */
export async function beforeOf(post: Post, records: readonly RolloutRecord[], token: number): Promise<Before | undefined> {
  const release = records.find((each) => each.token === token)?.replaced;
  const of = records.find((each) => each.token < token && each.release === release && each.outcome === 'live');
  const desired = release && of && (await post.releaseOf(release));
  return desired && { release, controller: of.controller, desired };
}
