import type { Colour, Observation, Owner } from '../engine/engine.ts';
import type { Desired, DesiredUnit, Seat } from './desired.ts';
import { slotOf } from './ground.ts';
import { colourFor, current, isUnit, unitState } from './unit-state.ts';

/** How many instances services are to have, by `<app>.<service>`. One that is not named keeps as many as it has. */
export type Counts = ReadonlyMap<string, number>;

export const countKey = (app: string, service: string): string => `${app}.${service}`;

/** Within which a service's instances come and go, and why they do. */
export type Range = NonNullable<DesiredUnit['ranges']>[string];

/** An instance's place by its name: which of a service's it is, in which colour. */
export type Place = { service: string; number: number; colour: Colour };

export function placeOf(owner: Owner, slot: string): Place | undefined {
  if (owner.kind !== 'app' || !slot.startsWith(`${owner.name}.`)) return undefined;
  const found = /^([a-z0-9-]+)-(\d+)\.(blue|green)\.slot$/.exec(slot.slice(owner.name.length + 1));
  return found ? { service: found[1] ?? '', number: Number(found[2]), colour: found[3] as Colour } : undefined;
}

/** Which of an app's services an instance is of, by its name; undefined for any other unit's. */
export const serviceOf = (owner: Owner, instance: string): string | undefined => placeOf(owner, slotOf(instance))?.service;

/**
 * The release with as many places and instances of each elastic service as there are to be: as many as `counts` says, else as many
 * as there are where requests go, always within the range. So a new generation begins with as many as serve now, and what
 * died is restored within them. Pure.
 */
export function sizedTo(desired: Desired, observed: Observation, counts: Counts = new Map()): Desired {
  if (desired.units.every(({ ranges }) => ranges === undefined)) return desired;
  return { ...desired, units: desired.units.map((unit) => (unit.ranges ? sized(unit, observed, counts) : unit)) };
}

function sized(unit: DesiredUnit, observed: Observation, counts: Counts): DesiredUnit {
  const sizes = new Map(
    Object.entries(unit.ranges ?? {}).map(([service, range]): [string, number] => {
      const now = countOf({ unit, service, range }, observed);
      const wanted = counts.get(countKey(unit.owner.name, service));
      // Those that leave have gone before others come.
      const next = wanted === undefined || (now.leaving && wanted > now.count) ? now.count : clamp(wanted, range);
      return [service, next];
    }),
  );
  const isThere = (slot: string): boolean => {
    const place = placeOf(unit.owner, slot);
    return place === undefined || place.number <= (sizes.get(place.service) ?? Infinity);
  };
  const seat = ({ slots, instances, ...rest }: Seat): Seat => ({
    ...rest,
    slots: slots.filter(({ name }) => isThere(name)),
    instances: instances.filter(({ slot }) => isThere(slot)),
  });
  return { ...unit, seats: { blue: seat(unit.seats.blue), green: seat(unit.seats.green) } };
}

type Counted = { unit: Pick<DesiredUnit, 'owner' | 'body'>; service: string; range: Range };

/**
 * How many instances a service has: the number of its last place where requests go, before the first that is left. The places say
 * so, not the instances: those die.
 */
export function countOf({ unit, service, range }: Counted, observed: Observation): { count: number; leaving: boolean } {
  const state = unitState(observed, unit.owner);
  const colour = current(state)?.colour ?? colourFor(state, unit.body);
  const numbersOf = (slots: readonly string[]): number[] =>
    slots
      .map((slot) => placeOf(unit.owner, slot))
      .filter((place) => place?.service === service && place.colour === colour)
      .map((place) => place?.number ?? 0);
  const left = numbersOf(state.departures.map(({ slot }) => slot));
  const there = numbersOf(observed.slots.filter(({ owner }) => isUnit(owner, unit.owner)).map(({ name }) => name));
  const count = left.length > 0 ? Math.min(...left) - 1 : Math.max(0, ...there);
  return { count: clamp(count, range), leaving: left.length > 0 };
}

const clamp = (count: number, { min, max }: Range): number => Math.min(max, Math.max(min, count));
