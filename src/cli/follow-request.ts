import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine, LogLine } from '../engine/engine.ts';
import type { RecordedEvent } from '../events.ts';
import type { Problem } from '../problem.ts';
import { done, failed, type Result } from '../result.ts';
import { parseEvent, SeenLines } from './controller-log.ts';

export type FollowedRequest = {
  engine: Engine;
  architecture: string;
  /** The name of the controller in charge. */
  controller: string;
  request: string;
  /** What the controller had said last before it was asked. */
  after: LogLine | undefined;
  signal: AbortSignal;
  onEvent: (event: RecordedEvent) => void;
};

/** How long a controller may be stopped (the engine starts it again) before it is taken for gone. */
const patience = { stoppedMs: 20_000, pauseMs: 200 };

/** Follows what the controller says until it has served the request. REQUEST_REFUSED and why, where it does not. */
export async function followRequest(followed: FollowedRequest): Promise<Result<void>> {
  const seen = new SeenLines();
  if (followed.after) seen.admit(followed.after);
  let lastSeenAt = Date.now();
  while (!followed.signal.aborted) {
    const end = await listen(followed, seen);
    if (end) return end;
    const controllers = await followed.engine.controllers(followed.architecture);
    const runs = controllers.ok && controllers.value.some(({ name, state }) => name === followed.controller && state === 'running');
    if (runs) lastSeenAt = Date.now();
    if (Date.now() - lastSeenAt > patience.stoppedMs) return failed(silent(followed));
    await sleep(patience.pauseMs);
  }
  return failed(silent(followed));
}

/** What a controller said last. */
export async function lastLine(engine: Engine, architecture: string, controller: string): Promise<LogLine | undefined> {
  let last: LogLine | undefined;
  for await (const line of engine.logs(architecture, controller, { follow: false, tail: 1 })) last = line;
  return last;
}

async function listen(followed: FollowedRequest, seen: SeenLines): Promise<Result<void> | undefined> {
  const { engine, architecture, controller, request, signal, onEvent } = followed;
  try {
    const options = { follow: true, signal, ...(seen.since && { since: seen.since }) };
    for await (const line of engine.logs(architecture, controller, options)) {
      const event = seen.admit(line) ? parseEvent(line.line) : undefined;
      if (event === undefined) continue;
      if (event.type === 'request-refused' && event.request === request) return failed(event.problem);
      onEvent(event);
      if (event.type === 'request-served' && event.request === request) return done(undefined);
    }
  } catch {
    // A broken stream says nothing about the request: it is opened again, or the controller is found to be gone.
  }
  return undefined;
}

const silent = ({ controller }: FollowedRequest): Problem => ({
  code: 'CONTROLLER_DIED',
  what: `${controller} does not answer`,
  safe: 'the request lies there until it does; what serves serves on',
  next: 'changeless status',
});
