import type { ReleaseId } from '../digest.ts';
import type { ObservedController } from '../engine/engine.ts';

/** What a new controller writes down as live before it: newest first, without itself, at most ten. */
export function historyAfter(live: Pick<ObservedController, 'release' | 'history'> | undefined, next: ReleaseId): ReleaseId[] {
  if (live === undefined) return [];
  return [...new Set([live.release, ...live.history])].filter((release) => release !== next).slice(0, 10);
}

/** Going back forgets what came after: the rest of the history, or all of it when the release is not in there. */
export function historyBefore(live: Pick<ObservedController, 'release' | 'history'>, target: ReleaseId): ReleaseId[] {
  const index = live.history.indexOf(target);
  return index === -1 ? historyAfter(live, target) : live.history.slice(index + 1);
}
