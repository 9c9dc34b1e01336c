import { setTimeout as sleep } from 'node:timers/promises';
import type { CommitId, ReleaseId } from '../digest.ts';
import type { Engine } from '../engine/engine.ts';
import type { RecordedEvent } from '../events.ts';
import type { Problem } from '../problem.ts';
import { done, failed, type Result } from '../result.ts';
import { lastOfLog, parseEvent, SeenLines } from './controller-log.ts';

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

/** How long a controller may be stopped (the engine starts it again), or missing, before it is gone for good. */
const patience = { stoppedMs: 20_000, missingMs: 1_000, pauseMs: 200 };

/**
 * Follows a controller's log until its rollout has ended, or is held. A stream that breaks is opened again where it ended; a controller
 * that dies is restarted by the engine and resumes. CONTROLLER_DIED when it is gone for good.
 */
export async function followRollout(followed: Followed): Promise<Result<RolloutEnd | RolloutHeld>> {
  const { engine, architecture, controller, signal } = followed;
  const seen = new SeenLines();
  let lastSeenAt = Date.now();
  while (!signal.aborted) {
    const end = await readUntilEnd(followed, seen);
    if (end !== undefined) return done(end);
    const state = await controllerState(engine, architecture, controller);
    const now = Date.now();
    if (state === 'running') lastSeenAt = now;
    const limit = state === 'missing' ? patience.missingMs : patience.stoppedMs;
    if (now - lastSeenAt > limit) return failed(await died(followed, state));
    await sleep(patience.pauseMs);
  }
  return failed(interrupted(followed.release));
}

async function readUntilEnd(followed: Followed, seen: SeenLines): Promise<RolloutEnd | RolloutHeld | undefined> {
  const { engine, architecture, controller, signal, onEvent, since = '' } = followed;
  try {
    for await (const line of engine.logs(architecture, controller, { follow: true, signal, ...(seen.since && { since: seen.since }) })) {
      const event = seen.admit(line) ? parseEvent(line.line) : undefined;
      if (event === undefined || event.at <= since) continue;
      onEvent(event);
      const end = endIn(event, followed);
      if (end !== undefined && end !== event) onEvent(end);
      if (end !== undefined) return end;
    }
  } catch {
    // A broken stream says nothing about the rollout: it is opened again, or the controller is found to be gone.
  }
  return undefined;
}

/** A controller that begins to stand by has been overtaken by a younger rollout; it does not say that this one has ended. */
function endIn(event: RecordedEvent, { release, commit }: Followed): RolloutEnd | RolloutHeld | undefined {
  if (!('release' in event) || event.release !== release) return undefined;
  if (event.type === 'rollout-ended' || event.type === 'rollout-held') return event;
  return event.type === 'controller-standing-by'
    ? { type: 'rollout-ended', release, commit, outcome: 'superseded', durationMs: 0, at: event.at }
    : undefined;
}

type ControllerState = 'running' | 'stopped' | 'missing' | 'unknown';

async function controllerState(engine: Engine, architecture: string, name: string): Promise<ControllerState> {
  const controllers = await engine.controllers(architecture);
  if (!controllers.ok) return 'unknown';
  const found = controllers.value.find((controller) => controller.name === name);
  if (found === undefined) return 'missing';
  return found.state === 'running' ? 'running' : 'stopped';
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
