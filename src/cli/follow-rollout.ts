import type { CommitId, ReleaseId } from '../digest.ts';
import type { Engine } from '../engine/engine.ts';
import type { RecordedEvent } from '../events.ts';
import type { Problem } from '../problem.ts';
import { done, failed, type Result } from '../result.ts';
import { lastOfLog, parseEvent } from './controller-log.ts';
import { type ControllerState, followController } from './follow-controller.ts';

export type RolloutEnd = RecordedEvent & { type: 'rollout-ended' };

export type RolloutHeld = RecordedEvent & { type: 'rollout-held' };

export type Followed = {
  engine: Engine;
  architecture: string;
  controller: string;
  release: ReleaseId;
  commit: CommitId | 'uncommitted';
  signal: AbortSignal;
  onEvent: (event: RecordedEvent) => void;
  /** What was said up to this moment is known. */
  since?: string;
};

/** Follows a controller's log until its rollout has ended, or is held. CONTROLLER_DIED when it is gone for good. */
export async function followRollout(followed: Followed): Promise<Result<RolloutEnd | RolloutHeld>> {
  const { engine, architecture, controller, release, signal, onEvent, since = '' } = followed;
  const read = (event: RecordedEvent): RolloutEnd | RolloutHeld | undefined => {
    if (event.at <= since) return undefined;
    onEvent(event);
    const end = endIn(event, followed);
    if (end !== undefined && end !== event) onEvent(end);
    return end;
  };
  const to = await followController({ engine, architecture, controller, signal, read });
  if (to.how === 'said') return done(to.end);
  return failed(to.how === 'gone' ? await died(followed, to.state) : interrupted(release));
}

/** A controller that begins to stand by has been overtaken by a younger rollout; it does not say that this one has ended. */
function endIn(event: RecordedEvent, { release, commit }: Followed): RolloutEnd | RolloutHeld | undefined {
  if (!('release' in event) || event.release !== release) return undefined;
  if (event.type === 'rollout-ended' || event.type === 'rollout-held') return event;
  return event.type === 'controller-standing-by'
    ? { type: 'rollout-ended', release, commit, outcome: 'superseded', durationMs: 0, at: event.at }
    : undefined;
}

async function died({ engine, architecture, controller, release }: Followed, state: ControllerState): Promise<Problem> {
  const lines = (await lastOfLog(engine, architecture, controller)).filter((line) => parseEvent(line) === undefined).slice(-20);
  return {
    code: 'CONTROLLER_DIED',
    what: `the controller of release ${release.slice(0, 12)} is gone`,
    why: state === 'unknown' ? 'the engine no longer answers' : 'it ended before it said how the rollout went',
    safe: 'what it had not switched still serves; whoever starts next finishes or undoes the rollout',
    next: 'changeless status    then changeless up again',
    ...(lines.length > 0 && { lines }),
  };
}

const interrupted = (release: ReleaseId): Problem => ({
  code: 'CONTROLLER_DIED',
  what: `no longer watching the rollout of release ${release.slice(0, 12)}`,
  next: 'changeless status',
});
