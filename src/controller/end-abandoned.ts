import { short } from '../digest.ts';
import type { RolloutRecord } from '../ledger/ledger.ts';
import type { Problem } from '../problem.ts';
import { recordOf, sayEnded, type Post } from './post.ts';
import { isOnEngine } from './self.ts';

/**
 * Ends a rollout under way whose controller the engine no longer has: nobody starts that again, and whoever stands by for it would
 * for ever. Whether it did; it had failed then, and says nothing against its release.
 */
export async function endAbandoned(post: Post, holder: RolloutRecord): Promise<boolean> {
  const { engine, ledger, desired } = post;
  if (holder.outcome !== undefined || !isOnEngine(holder.controller)) return false;
  const controllers = await engine.controllers(desired.architecture);
  if (!controllers.ok || controllers.value.some(({ container }) => container === holder.controller)) return false;
  // It may have ended, and been removed for that, since it was found to be under way.
  if ((await recordOf(post, holder.token))?.outcome !== undefined) return false;
  if (!(await ledger.end(holder.token, { outcome: 'failed', problem: gone(holder) }))) return false;
  const ended = await recordOf(post, holder.token);
  if (ended) await sayEnded(post, ended);
  return true;
}

const gone = ({ release }: RolloutRecord): Problem => ({
  code: 'CONTROLLER_DIED',
  what: `the controller of release ${short(release)} was removed while it rolled that out`,
  safe: 'the release before is kept as it was',
  next: 'changeless up    begins it anew',
});
