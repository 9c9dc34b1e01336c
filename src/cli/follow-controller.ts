import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine, LogLine } from '../engine/engine.ts';
import type { RecordedEvent } from '../events.ts';
import { parseEvent, SeenLines } from './controller-log.ts';

export type FollowedController<End> = {
  engine: Engine;
  architecture: string;
  controller: string;
  signal: AbortSignal;
  /** Read from here on: what it had said last, or so many of its last lines; all of it unless given. */
  from?: { after: LogLine } | { tail: number } | undefined;
  /** Told each event once; gives the end, when one says it. */
  read: (event: RecordedEvent) => End | undefined;
};

export type ControllerState = 'running' | 'stopped' | 'missing' | 'unknown';

/** `gone`: for good. */
export type FollowedTo<End> = { how: 'said'; end: End } | { how: 'gone'; state: ControllerState } | { how: 'interrupted' };

/** How long a controller may be stopped (the engine starts it again), or missing, before it is gone for good. */
const patience = { stoppedMs: 20_000, missingMs: 1_000, pauseMs: 200 };

/**
 * Follows a controller's log until it says what is waited for. A stream that breaks is opened again where it ended; a controller
 * that dies is restarted by the engine and goes on.
 */
export async function followController<End>(followed: FollowedController<End>): Promise<FollowedTo<End>> {
  const { signal, from } = followed;
  const seen = new SeenLines();
  if (from && 'after' in from) seen.admit(from.after);
  let lastSeenAt = Date.now();
  while (!signal.aborted) {
    const end = await readToEnd(followed, seen);
    if (end !== undefined) return { how: 'said', end };
    const state = await stateOf(followed);
    const now = Date.now();
    if (state === 'running') lastSeenAt = now;
    const limit = state === 'missing' ? patience.missingMs : patience.stoppedMs;
    if (now - lastSeenAt > limit) return { how: 'gone', state };
    await sleep(patience.pauseMs);
  }
  return { how: 'interrupted' };
}

async function readToEnd<End>(
  { engine, architecture, controller, signal, from, read }: FollowedController<End>,
  seen: SeenLines,
): Promise<End | undefined> {
  const tail = from && 'tail' in from ? from : {};
  const where = seen.since ? { since: seen.since } : tail;
  try {
    for await (const line of engine.logs(architecture, controller, { follow: true, signal, ...where })) {
      const event = seen.admit(line) ? parseEvent(line.line) : undefined;
      const end = event && read(event);
      if (end !== undefined) return end;
    }
  } catch {
    // A broken stream says nothing about how it goes: it is opened again, or the controller is found to be gone.
  }
  return undefined;
}

async function stateOf({ engine, architecture, controller }: FollowedController<unknown>): Promise<ControllerState> {
  const controllers = await engine.controllers(architecture);
  if (!controllers.ok) return 'unknown';
  const found = controllers.value.find(({ name }) => name === controller);
  if (found === undefined) return 'missing';
  return found.state === 'running' ? 'running' : 'stopped';
}
