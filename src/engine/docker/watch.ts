import { setTimeout as after } from 'node:timers/promises';
import type { EngineEvent } from '../engine.ts';
import { labels } from '../labels.ts';
import { jsonLines, type DockerClient } from './client.ts';
import { EngineFailure } from './failure.ts';
import { nameOf, ofArchitecture } from './names.ts';
import type { VendorEvent } from './vendor.ts';

type Kind = Exclude<EngineEvent['kind'], 'resynchronise'>;

/** What someone did from outside. `kill` is not here: it is how paths are promoted, too. */
const touches = new Set([
  'attach',
  'detach',
  'archive-path',
  'extract-to-dir',
  'copy',
  'commit',
  'export',
  'update',
  'rename',
  'pause',
  'unpause',
  'restart',
  'resize',
]);
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

export function kindOf(action: string): Kind {
  if (action === 'die') return 'died';
  if (action === 'start') return 'started';
  if (action === 'destroy') return 'removed';
  return action.startsWith('exec_') || touches.has(action) ? 'touched' : 'changed';
}

/**
 * The events of the architecture's containers, for ever. Events are lost while the engine is away: each connection
 * begins with `resynchronise`, said only once the engine is listening to us again.
 */
export async function* watch(client: DockerClient, architecture: string, signal: AbortSignal): AsyncGenerator<EngineEvent> {
  let pauseMs = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    try {
      for await (const event of connection(client, architecture, signal)) {
        pauseMs = FIRST_PAUSE_MS;
        yield event;
      }
    } catch (error) {
      if (!signal.aborted && !isConnectionLost(error)) throw error;
    }
    if (!signal.aborted) await after(pauseMs, undefined, { signal }).catch(() => undefined);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

async function* connection(client: DockerClient, architecture: string, signal: AbortSignal): AsyncGenerator<EngineEvent> {
  const query = { filters: { type: ['container'], label: [ofArchitecture(architecture)] } };
  const response = await client.stream({ path: '/events', query, signal, long: true });
  yield { kind: 'resynchronise' };
  for await (const event of jsonLines<VendorEvent>(response)) yield* engineEvent(architecture, event);
}

function engineEvent(architecture: string, { Action, Actor, time, timeNano }: VendorEvent): EngineEvent[] {
  const from = Actor.Attributes;
  if (from[labels.role] === 'once') return [];
  // The attributes are the labels, beside the engine's own `name` and `image`.
  const name = nameOf(architecture, from, from['name'] ?? '');
  const at = new Date(timeNano === undefined ? time * 1000 : timeNano / 1e6).toISOString();
  return [{ kind: kindOf(Action), name, container: Actor.ID, at, action: Action }];
}

const isConnectionLost = (error: unknown): boolean => error instanceof EngineFailure || error instanceof SyntaxError;
