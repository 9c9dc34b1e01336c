import type { BodyId } from '../digest.ts';
import type { Colour, Observation, ObservedInstance, Owner } from '../engine/engine.ts';
import { asideKindOf } from './trial.ts';

/** What the engine holds of one app, the core or a store, sorted by what it means for a rollout. */
export type UnitState = {
  /** Paths that accept connections, oldest first. More than one in the middle of a switch. */
  serving: readonly ObservedInstance[];
  /** A store's paths that accept connections and let them wait. */
  holding: readonly ObservedInstance[];
  /** Paths that have not been promoted and run. */
  waiting: readonly ObservedInstance[];
  /** Paths that finish what they have, and those that are to: their order to may be on its way. */
  draining: readonly ObservedInstance[];
  /** Paths that were never let in, and are to end. */
  leaving: readonly ObservedInstance[];
  /** Paths that have ended, or were created and never started. */
  ended: readonly ObservedInstance[];
  /** Instances of bodies: services and store servers. */
  members: readonly ObservedInstance[];
  /** Steps, most of which have ended. */
  steps: readonly ObservedInstance[];
  /** What says beside an instance that it leaves. */
  departures: readonly ObservedInstance[];
  /** A store's server and waiter in the private place, an app's data path at its preview address: they serve nobody. */
  tried: readonly ObservedInstance[];
};

export const isUnit = (a: Owner, b: Owner): boolean => a.kind === b.kind && a.name === b.name;

export function unitState(observation: Observation, owner: Owner): UnitState {
  const all = observation.instances.filter((instance) => isUnit(instance.owner, owner));
  const own = all.filter((instance) => asideKindOf(instance) === undefined);
  const paths = own.filter((instance) => instance.role === 'path');
  const running = paths.filter((path) => path.state === 'running');
  const letIn = new Set(['serving', 'holding', 'draining']);
  const going = running.filter(({ leaves }) => leaves);
  const inPhase = (...phases: string[]) => running.filter(({ leaves, path }) => !leaves && phases.includes(path?.phase ?? 'starting'));
  return {
    serving: inPhase('serving').toSorted(oldestFirst),
    holding: inPhase('holding').toSorted(oldestFirst),
    waiting: inPhase('starting', 'checking', 'healthy'),
    draining: [...inPhase('draining'), ...going.filter(({ path }) => letIn.has(path?.phase ?? 'starting'))],
    leaving: going.filter(({ path }) => !letIn.has(path?.phase ?? 'starting')),
    ended: paths.filter((path) => path.state !== 'running'),
    members: own.filter(({ role }) => role !== 'path' && role !== 'step' && role !== 'departure'),
    steps: own.filter(({ role }) => role === 'step'),
    departures: own.filter(({ role }) => role === 'departure'),
    tried: all.filter((instance) => asideKindOf(instance) !== undefined),
  };
}

/** Creation order; names break ties so that the answer never depends on the listing's order. */
function oldestFirst(a: ObservedInstance, b: ObservedInstance): number {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}

/** The path clients reach: the newest that serves. While they are let wait, the one they reached last. */
export function current({ serving, holding, draining, ended }: UnitState): ObservedInstance | undefined {
  if (serving.length > 0 || holding.length === 0) return serving.at(-1);
  const served = ended.filter(({ path }) => path?.phase === 'serving' || path?.phase === 'draining');
  return [...draining, ...served].toSorted(oldestFirst).at(-1);
}

/** The path of that name that was not promoted yet. */
export const pending = ({ waiting, holding }: UnitState, name: string): ObservedInstance | undefined =>
  [...waiting, ...holding].find((path) => path.name === name);

/** Whether a path still sends requests to the body's instances in that colour. */
export function inUse(state: UnitState, body: BodyId, colour: Colour | undefined): boolean {
  return [...state.serving, ...state.draining].some((path) => path.body === body && path.colour === colour);
}

export const other = (colour: Colour): Colour => (colour === 'blue' ? 'green' : 'blue');

/**
 * The colour a body takes: the one it is in already (the one that serves, where it is in both; the one its path holds),
 * else the one that does not serve.
 */
export function colourFor(state: UnitState, body: BodyId): Colour {
  const now = current(state);
  if (now?.body === body && now.colour) return now.colour;
  const held = state.holding.findLast((path) => path.body === body);
  if (held?.colour) return held.colour;
  const there = [...state.members, ...state.steps].find((member) => member.body === body && member.colour && member.colour !== now?.colour);
  if (there?.colour) return there.colour;
  const taken = now?.colour ?? state.holding.at(-1)?.colour;
  return taken ? other(taken) : 'blue';
}
