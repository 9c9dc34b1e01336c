import type { Observation, ObservedInstance, SlotSpec } from '../engine/engine.ts';
import { slotDigest } from '../engine/spec-digest.ts';
import type { Desired, Seat } from './desired.ts';
import { dataVolume } from './ground.ts';
import { named, outfit, removeInstance, type Outfit } from './outfit.ts';
import { isSpent } from './plan-steps.ts';
import { keepsRecord, slotLane, type Situation } from './situation.ts';
import type { Lane, Stage, Step } from './step.ts';
import { copiesOf, generationsOf, asideKindOf, type ObservedCopy } from './trial.ts';
import { inUse, isUnit, unitState } from './unit-state.ts';

/** What is left to do once the release serves everything: the old ones drain, end and go; places are made ready for the next. */
export function planRetirement({ desired, observed, outfits, outlook }: Situation): Stage {
  const fallbacks = (outlook.fallbacks ?? []).map((unit) => outfit(unit, observed, outlook.token));
  const drain = drainLanes(observed, outfits);
  if (drain.length > 0) return { name: 'drain', lanes: drain, live: true };
  const retire = leftovers(observed, outfits, fallbacks).map((instance): Lane => [removeInstance(instance)]);
  if (retire.length > 0) return { name: 'retire', lanes: retire, live: true };
  const standBy = fallbacks.flatMap((each) => standByLanes(each, observed));
  if (standBy.length > 0) return { name: 'stand-by', lanes: standBy, live: true };
  if (observed.instances.some(isAwaited)) return { name: 'wait', lanes: [], live: true };
  const data = outfits.flatMap((outfit) => dataLanes(outfit, observed));
  if (data.length > 0) return { name: 'tidy', lanes: data, live: true };
  return tidy(desired, observed, fallbacks);
}

/** An old core lives until its last connection has ended, which nobody limits and nobody waits for: it goes when it has ended. */
const isAwaited = ({ owner, state, path }: ObservedInstance): boolean =>
  state === 'running' && path?.phase === 'draining' && owner.kind !== 'core';

/**
 * The generation before, as it has to be so that going back to it is a handover: its instances, and its data path as a waiter
 * that checks them. What has died of it stays as it is; going back starts it again.
 */
function standByLanes(fallback: Outfit, observed: Observation): Lane[] {
  const { seat, path, live } = fallback;
  if (live) return [];
  const isThere = ({ name }: { name: string }): boolean => observed.instances.some((instance) => instance.name === name);
  const needed = seat.slots.filter(({ name }) => !isSpent(name, fallback));
  const places = needed.map((slot) => slotLane(slot, observed, true)).filter((lane) => lane.length > 0);
  if (places.length > 0) return places;
  return [...seat.instances, path].filter((instance) => !isThere(instance)).map((instance): Lane => [{ do: 'start-instance', instance }]);
}

/** Copies have served. Data whose server was never noted, or not wholly, get the note of the one they have. */
function dataLanes({ unit: { data, body, owner } }: Outfit, observed: Observation): Lane[] {
  const generations = generationsOf(owner.name, observed);
  const there = generations.find(({ name }) => name === data?.volume.name);
  if (!data || !there) return [];
  // Data without a named format may be from before there were notes; a named one was never let in without its note.
  const neverLetIn = generations.filter(({ name, bodies }) => !bodies && name !== data.volume.name && name !== dataVolume(owner.name).name);
  // A snapshot of another generation that was let in may be all there is of it: its own release puts it back.
  const isKept = ({ of, kind }: ObservedCopy): boolean =>
    kind === 'snapshot' && of !== data.volume.name && generations.some(({ name, bodies }) => name === of && bodies !== undefined);
  const served = copiesOf(owner.name, observed).filter((copy) => !isKept(copy));
  const unneeded = [...served.map(({ volume }) => volume), ...neverLetIn];
  const copies = unneeded.map(({ name }): Lane => [{ do: 'remove-copy', volume: name }]);
  const isNoted = there.bodies?.length === 1 && there.bodies[0] === body;
  return isNoted ? copies : [...copies, [{ do: 'note-body', volume: data.volume, body }]];
}

/** Every path that serves and is not one to keep is told to drain, and then the instances that only it sends requests to. */
export function drainLanes(observed: Observation, outfits: readonly Outfit[]): Lane[] {
  const keep = new Set(outfits.map(({ live, path }) => live?.name ?? path.name));
  const replaced = observed.instances.filter(
    ({ name, state, path }) => state === 'running' && (path?.phase === 'serving' || path?.phase === 'holding') && !keep.has(name),
  );
  return replaced.map((path) => [{ do: 'drain-path', path: named(path) }, ...goodbyes(path, observed, outfits)]);
}

function goodbyes(path: ObservedInstance, observed: Observation, outfits: readonly Outfit[]): Step[] {
  const stays = outfits.some(({ unit }) => isUnit(unit.owner, path.owner) && unit.body === path.body);
  if (stays) return [];
  const members = observed.instances.filter(
    ({ owner, body, colour, state }) => isUnit(owner, path.owner) && body === path.body && colour === path.colour && state === 'running',
  );
  return members.flatMap((instance) =>
    instance.drainSignal ? [{ do: 'signal-instance', instance: named(instance), signal: instance.drainSignal }] : [],
  );
}

/** What neither serves nor helps a path that still finishes its requests. */
function leftovers(observed: Observation, outfits: readonly Outfit[], fallbacks: readonly Outfit[]): ObservedInstance[] {
  const wanted = new Set(outfits.flatMap(({ seat, live }) => [...namesIn(seat), live?.name]));
  const standsBy = ({ name, body, role }: ObservedInstance): boolean =>
    fallbacks.some(({ unit, seat, path }) => (role === 'path' ? name === path.name : body === unit.body && namesIn(seat).includes(name)));
  return observed.instances.filter((instance) => {
    if (asideKindOf(instance)) return true;
    if (instance.role === 'departure' && !observed.slots.some(({ name }) => name === instance.slot)) return true;
    if (standsBy(instance)) return false;
    if (instance.role === 'path') return !wanted.has(instance.name) && !finishes(instance);
    const outfit = outfits.find(({ unit }) => isUnit(unit.owner, instance.owner));
    if (outfit && wanted.has(instance.name) && instance.body === outfit.unit.body) return false;
    return !inUse(unitState(observed, instance.owner), instance.body, instance.colour);
  });
}

const namesIn = ({ instances, steps }: Seat): string[] => [...instances, ...steps.map(({ instance }) => instance)].map(({ name }) => name);

const finishes = (path: ObservedInstance): boolean =>
  path.state === 'running' && (path.path?.phase === 'draining' || path.path?.phase === 'serving');

/** Places and networks nobody needs go; the idle colour's places are made, so that the next generation starts into them. */
function tidy(desired: Desired, observed: Observation, fallbacks: readonly Outfit[]): Stage {
  const slots = desired.units.flatMap(({ seats, pathSlot }) => [pathSlot, ...seats.blue.slots, ...seats.green.slots]);
  const wanted = new Set([...slots, ...fallbacks.flatMap(({ seat }) => seat.slots)].map(({ name }) => name));
  const surplus = observed.slots
    .filter(({ name }) => !wanted.has(name) && !observed.instances.some(({ slot }) => slot === name))
    .map(({ name }): Lane => [{ do: 'remove-slot', slot: name }]);
  const missing = unique(slots)
    .filter((slot) => !isThere(slot, observed))
    .map((slot): Lane => [{ do: 'ensure-slot', slot }]);
  if (surplus.length + missing.length > 0) return { name: 'tidy', lanes: [...surplus, ...missing], live: true };
  const networks = new Set(desired.networks.map(({ name }) => name));
  const unneeded = observed.networks
    .filter(({ name }) => !networks.has(name) && fallbacks.length === 0)
    .map(({ name }): Lane => [{ do: 'remove-network', network: name }]);
  return unneeded.length > 0 ? { name: 'tidy', lanes: unneeded, live: true } : { name: 'settled', lanes: [], live: true };
}

const unique = (slots: readonly SlotSpec[]): SlotSpec[] => [...new Map(slots.map((slot) => [slot.name, slot])).values()];

function isThere(slot: SlotSpec, observed: Observation): boolean {
  const there = observed.slots.find(({ name }) => name === slot.name);
  if (!there) return false;
  if (keepsRecord(slot.name, observed)) return true;
  const occupied = observed.instances.some((instance) => instance.slot === slot.name);
  return there.ready && (occupied || there.spec === slotDigest(slot));
}
