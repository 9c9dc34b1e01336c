import type { Colour, InstanceSpec, Observation, ObservedInstance, ObservedSlot } from '../engine/engine.ts';
import type { DesiredUnit } from './desired.ts';
import { named, removeInstance, type Outfit } from './outfit.ts';
import { membersOf } from './situation.ts';
import { placeOf, type Place } from './size.ts';
import type { Lane, Step } from './step.ts';
import { current, isUnit, type UnitState } from './unit-state.ts';

/** Instances that are too many leave. `underWay`: some have not gone yet, whether or not anything can be done just now. */
export type Departures = { lanes: readonly Lane[]; underWay: boolean };

/** Exit codes of a departure: it waited as long as the app drains, or it has taken back what it said. */
const exitCodes = { limitPassed: 0, takenBack: 3 } as const;

/** So ends what somebody killed; it is started again. */
const killedCodes: ReadonlySet<number | undefined> = new Set([137, 143, undefined]);

/** A place that is one too many where requests go, the highest first, and what is in it. */
type Leaving = Place & { slot: ObservedSlot; instance?: ObservedInstance; departure?: ObservedInstance };

/**
 * How an instance leaves, so that no request is lost and whoever is killed in between leaves something that can be gone on with:
 *
 *     departure starts beside it -> data paths send it nothing more -> it has nothing left, or the limit has passed -> it ends
 *         -> data paths find it gone -> the departure takes back what it said and ends -> the place goes, with it
 *
 * The departure, running or not, is what says that the place is one too many. So those begin with the highest number, and so places go.
 */
export function planDepartures(observed: Observation, outfits: readonly Outfit[]): Departures {
  const all = outfits.flatMap((outfit) => {
    const services = Map.groupBy(leavingOf(outfit, observed), ({ service }) => service);
    return [...services.values()].map((leaving) => ({ outfit, leaving }));
  });
  return {
    lanes: all.flatMap(({ outfit, leaving }) => lanesOf(leaving, outfit)).filter((lane) => lane.length > 0),
    underWay: all.length > 0,
  };
}

/**
 * Places that a generation is to come into and that are too many: empty ones of an earlier size, which would count once requests go
 * there.
 */
export function surplusPlaces({ unit, seat, state, live }: Outfit, observed: Observation): Lane[] {
  const { colour } = seat.path;
  if (!unit.ranges || live || colour === undefined || current(state)?.colour === colour) return [];
  return beyond({ unit, colour }, observed).map(({ name }) => [
    ...membersOf(observed, name).map(removeInstance),
    { do: 'remove-slot', slot: name },
  ]);
}

function beyond({ unit, colour }: { unit: DesiredUnit; colour: Colour }, { slots }: Observation): ObservedSlot[] {
  const wanted = new Set(unit.seats[colour].slots.map(({ name }) => name));
  return slots.filter(({ owner, name }) => {
    const place = isUnit(owner, unit.owner) ? placeOf(owner, name) : undefined;
    return place?.colour === colour && unit.ranges?.[place.service] !== undefined && !wanted.has(name);
  });
}

function leavingOf({ unit, state, live }: Outfit, observed: Observation): Leaving[] {
  const colour = current(state)?.colour;
  if (!unit.ranges || colour === undefined) return [];
  const leaving = beyond({ unit, colour }, observed).flatMap((slot): Leaving[] => {
    const place = placeOf(unit.owner, slot.name);
    const instance = state.members.find((member) => member.slot === slot.name);
    const departure = state.departures.find((each) => each.slot === slot.name);
    return place ? [{ ...place, slot, ...(instance && { instance }), ...(departure && { departure }) }] : [];
  });
  // Until the release is live only what was begun goes on: its range may be another one.
  return leaving.filter(({ departure }) => live || departure).toSorted((a, b) => b.number - a.number);
}

function lanesOf(leaving: readonly Leaving[], outfit: Outfit): Lane[] {
  const begun = leaving.filter((each) => lacksDeparture(each)).flatMap((each) => departureSteps(each, outfit));
  if (begun.length > 0) return [begun];
  const ends = leaving.map((each): Lane => endSteps(each, outfit.state));
  const staying = leaving.findIndex((each) => !isOver(each));
  const over = staying === -1 ? leaving : leaving.slice(0, staying);
  return [...ends, over.map(({ slot }) => ({ do: 'remove-slot', slot: slot.name }))];
}

/** One that nobody told, and one that was killed before it had done its part. */
function lacksDeparture({ slot, instance, departure }: Leaving): boolean {
  if (!slot.ready) return false;
  if (departure === undefined) return instance !== undefined;
  if (departure.state !== 'exited') return departure.state === 'created';
  const hasToTakeBack = instance === undefined && departure.exitCode === exitCodes.limitPassed;
  return hasToTakeBack || killedCodes.has(departure.exitCode);
}

function departureSteps({ instance, slot, number, service, colour }: Leaving, { unit, seat }: Outfit): Step[] {
  // It says one word to data paths, and needs no secrets for that.
  const { secrets: _, ...path } = unit.seats[colour].path;
  const of = instance ?? seat.path;
  const spec: InstanceSpec = {
    ...path,
    name: `${unit.owner.name}.${service}-${number}.${colour}.leaving`,
    slot: slot.name,
    role: 'departure',
    generation: of.generation,
    body: of.body,
    stopMs: departureStopMs,
  };
  const start: Step = { do: 'start-instance', instance: spec };
  return instance?.drainSignal ? [start, { do: 'signal-instance', instance: named(instance), signal: instance.drainSignal }] : [start];
}

const departureStopMs = 3000;

function endSteps({ slot, instance, departure }: Leaving, state: UnitState): Step[] {
  const limitPassed = departure?.state === 'exited' && departure.exitCode === exitCodes.limitPassed;
  const inFlight = inFlightOf(slot, state);
  if (instance) {
    const goes = !slot.ready || instance.state !== 'running' || limitPassed || isLetGo({ slot, instance }, state);
    const cut = limitPassed && inFlight > 0 ? { cut: inFlight } : {};
    return goes ? [{ do: 'remove-instance', instance: named(instance), left: true, ...cut }] : [];
  }
  const takesBack = departure?.state === 'running' && slot.ready && isForgotten(slot, state);
  return takesBack ? [{ do: 'signal-instance', instance: named(departure), signal: 'SIGTERM' }] : [];
}

const isOver = ({ slot, instance, departure }: Leaving): boolean =>
  instance === undefined && (!slot.ready || departure?.state !== 'running');

type Server = { inFlight: number; state: 'up' | 'down' | 'draining' };

/** What each path that lets requests in says of the place; one that has said nothing yet may send any there. */
function seenBy({ serving }: UnitState, { address }: ObservedSlot): (Server | 'absent' | 'unknown')[] {
  return serving.map(({ path }) => {
    if (path?.phase !== 'serving' || !path.measures) return 'unknown';
    return path.measures.servers[address ?? ''] ?? 'absent';
  });
}

const inFlightOf = (slot: ObservedSlot, state: UnitState): number =>
  seenBy(state, slot).reduce((sum, seen) => sum + (typeof seen === 'object' ? seen.inFlight : 0), 0);

/** No path sends it anything more, and what it was sent is done. */
function isLetGo({ slot, instance }: { slot: ObservedSlot; instance: ObservedInstance }, state: UnitState): boolean {
  if (state.draining.some(({ body, colour }) => body === instance.body && colour === instance.colour)) return false;
  return seenBy(state, slot).every((seen) => seen === 'absent' || (typeof seen === 'object' && seen.state !== 'up' && seen.inFlight === 0));
}

/** Every path has found that nothing is there any more: what was said can be taken back without a request coming here. */
const isForgotten = (slot: ObservedSlot, state: UnitState): boolean =>
  seenBy(state, slot).every((seen) => seen === 'absent' || (typeof seen === 'object' && seen.state === 'down'));
