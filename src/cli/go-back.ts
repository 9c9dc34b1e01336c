import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine, ObservedController } from '../engine/engine.ts';
import type { ChangelessEvent, RecordedEvent } from '../events.ts';
import { done, failed, type Result } from '../result.ts';
import { parseEvent, SeenLines } from './controller-log.ts';

export type GoBack = {
  engine: Engine;
  architecture: string;
  /** Whose release is live, and is to be left. */
  live: ObservedController;
  /** A name that no other request has. */
  request: string;
  signal: AbortSignal;
  onEvent: (event: RecordedEvent) => void;
};

/** How long the controller in charge may be silent before it is taken for gone, and how soon a log that broke is read again. */
const patience = { silentMs: 20_000, pauseMs: 200 };

/**
 * Asks the controller in charge to go back to the release that stands by beside its own, and follows it to the end: whether it
 * did. `refused`: nothing stands by any more; the release before has to be run like any other.
 */
export async function goBack(asking: GoBack): Promise<Result<'back' | 'refused'>> {
  const { engine, architecture, live, request } = asking;
  const asked = await engine.ask(architecture, { name: request, image: live.image, request: { ask: 'go-back', release: live.release } });
  if (!asked.ok) return asked;
  const seen = new SeenLines();
  const state: Hearing = { mine: false };
  for (const until = Date.now() + patience.silentMs; Date.now() < until && !asking.signal.aborted; await sleep(patience.pauseMs)) {
    const end = await listen(asking, seen, state);
    if (end) return end;
  }
  return failed({
    code: 'CONTROLLER_DIED',
    what: `the controller of release ${live.release.slice(0, 12)} does not answer`,
    safe: 'the request lies there until it does; what serves serves on',
    next: 'changeless status',
  });
}

type Hearing = { mine: boolean };

async function listen(
  { engine, architecture, live, request, signal, onEvent }: GoBack,
  seen: SeenLines,
  hearing: Hearing,
): Promise<Result<'back' | 'refused'> | undefined> {
  try {
    const where = seen.since ? { since: seen.since } : { tail: 50 };
    for await (const line of engine.logs(architecture, live.name, { follow: true, signal, ...where })) {
      const event = seen.admit(line) ? parseEvent(line.line) : undefined;
      if (event === undefined) continue;
      if (event.type === 'request-refused' && event.request === request) return done('refused');
      if (event.type === 'going-back' && event.request === request) hearing.mine = true;
      if (!hearing.mine) continue;
      onEvent(event);
      const end = endIn(event);
      if (end) return end;
    }
  } catch {
    // A broken stream says nothing about how it goes: it is opened again.
  }
  return undefined;
}

function endIn(event: ChangelessEvent): Result<'back'> | undefined {
  if (event.type === 'going-back-failed') return failed(event.problem);
  return event.type === 'rollout-ended' ? done('back') : undefined;
}
