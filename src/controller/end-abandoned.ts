import { short } from '../digest.ts';
import type { RolloutRecord } from '../ledger/ledger.ts';
import type { Problem } from '../problem.ts';
import type { Post } from './post.ts';
import { isOnEngine } from './self.ts';

/**
 * Ends a rollout under way whose controller the engine no longer has: nobody starts that again, and whoever stands by for it would
 * for ever. Whether it did; it had failed then, and says nothing against its release.
 */
export async function endAbandoned({ engine, ledger, journal, desired, clock }: Post, holder: RolloutRecord): Promise<boolean> {
  if (holder.outcome !== undefined || !isOnEngine(holder.controller)) return false;
  const controllers = await engine.controllers(desired.architecture);
  if (!controllers.ok || controllers.value.some(({ container }) => container === holder.controller)) return false;
  const problem = gone(holder);
  if (!(await ledger.end(holder.token, { outcome: 'failed', problem }))) return false;
  const { release, commit, token, startedAt } = holder;
  const durationMs = clock().getTime() - Date.parse(startedAt);
  journal.report({ type: 'rollout-ended', release, commit, outcome: 'failed', durationMs, token, problem });
  return true;
}

const gone = ({ release }: RolloutRecord): Problem => ({
  code: 'CONTROLLER_DIED',
  what: `the controller of release ${short(release)} was removed while it rolled that out`,
  safe: 'the release before is kept as it was',
  next: 'changeless up    begins it anew',
});
