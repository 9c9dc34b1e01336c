import type { InstanceDifference, InstanceSpec, Observation, ObservedController, ObservedInstance, SlotSpec } from '../engine/engine.ts';
import { instanceDigest, networkDigest, slotDigest } from '../engine/spec-digest.ts';
import type { Desired, DesiredUnit } from '../rollout/desired.ts';
import { keepsRecord } from '../rollout/situation.ts';
import { sizedTo } from '../rollout/size.ts';
import { current, inUse, isUnit, unitState } from '../rollout/unit-state.ts';

/** One difference between what runs and what the release says. `container` is an engine's id, or the name of what is missing. */
export type Drift = {
  container: string;
  name: string;
  kind: 'missing' | 'foreign' | 'stopped' | 'generation' | 'image' | 'spec' | 'files' | 'slot' | 'network' | 'volume';
  what: string;
};

export type Comparison = { drift: Drift[]; compared: number };

/** `standingBy`: the release before, while the live one bakes. */
export type Compared = { desired: Desired; standingBy?: Desired | undefined; observation: Observation };

/** Compares all that the engine holds of an architecture with its live release. Pure; sorted by what was compared. */
export function compareWithRelease(compared: Compared, differences: readonly InstanceDifference[]): Comparison {
  const all = sizedAll(compared);
  const { desired, observation } = all;
  const units = desired.units.map((unit) => compareUnit(unit, observation));
  const parts: Comparison[] = [
    compareNetworks(desired, observation),
    compareVolumes(desired, observation),
    ...units,
    { drift: foreign(all), compared: observation.strangers.length },
    { drift: differences.map(({ container, name, kind, what }) => ({ container, name, kind, what })), compared: 0 },
  ];
  return { drift: withoutRepeats(parts.flatMap((part) => part.drift)), compared: parts.reduce((sum, part) => sum + part.compared, 0) };
}

/** As many instances as there are, within the range, are as many as there are to be. */
const sizedAll = ({ desired, standingBy, observation }: Compared): Compared => ({
  desired: sizedTo(desired, observation),
  standingBy: standingBy && sizedTo(standingBy, observation),
  observation,
});

function compareNetworks({ networks }: Desired, observation: Observation): Comparison {
  const drift = networks.flatMap((spec): Drift[] => {
    const found = observation.networks.find(({ name }) => name === spec.name);
    if (found === undefined) return [missing(spec.name, `network ${spec.name} is missing`)];
    return found.spec === networkDigest(spec)
      ? []
      : [{ container: spec.name, name: spec.name, kind: 'network', what: `network ${spec.name} was made otherwise than the release says` }];
  });
  return { drift, compared: networks.length };
}

function compareVolumes({ volumes }: Desired, observation: Observation): Comparison {
  const absent = volumes.filter((spec) => !observation.volumes.some(({ name }) => name === spec.name));
  return { drift: absent.map(({ name }) => missing(name, `volume ${name} is missing, and with it the data`)), compared: volumes.length };
}

function compareUnit(unit: DesiredUnit, observation: Observation): Comparison {
  const path = current(unitState(observation, unit.owner));
  const colour = path?.colour ?? 'blue';
  const seat = unit.seats[colour];
  const slots = [unit.pathSlot, ...seat.slots];
  const drift = [
    ...slots.flatMap((slot) => compareSlot(slot, observation)),
    ...(path === undefined
      ? [missing(seat.path.name, `${unit.owner.kind} ${unit.owner.name} has no data path that serves`)]
      : compareInstance(seat.path, path)),
    ...seat.instances.flatMap((spec) => compareMember(spec, observation)),
    ...seat.steps.flatMap(({ instance }) => compareStep(instance, observation)),
  ];
  // Which versions somebody has is part of what it was made from.
  const secrets = [...seat.instances, seat.path].flatMap((spec) => spec.secrets ?? []);
  return { drift, compared: slots.length + seat.instances.length + seat.steps.length + 1 + secrets.length };
}

function compareSlot(spec: SlotSpec, observation: Observation): Drift[] {
  const found = observation.slots.find(({ name }) => name === spec.name);
  if (found === undefined) return [missing(spec.name, `place ${spec.name} is missing`)];
  const at = { container: found.container, name: spec.name, kind: 'slot' as const };
  if (!found.ready && keepsRecord(spec.name, observation)) return [];
  if (!found.ready) return [{ ...at, what: `place ${spec.name} does not run, or its memory is empty` }];
  return found.spec === slotDigest(spec) ? [] : [{ ...at, what: `place ${spec.name} was made otherwise than the release says` }];
}

function compareMember(spec: InstanceSpec, observation: Observation): Drift[] {
  const found = observation.instances.find(({ name }) => name === spec.name);
  return found === undefined ? [missing(spec.name, `${spec.name} is missing`)] : compareInstance(spec, found);
}

/** One that is not there was not run, or its record was lost: nothing that runs differs for that. */
function compareStep(spec: InstanceSpec, observation: Observation): Drift[] {
  const found = observation.instances.find(({ name }) => name === spec.name);
  return found === undefined ? [] : compareMade(spec, found);
}

function compareInstance(spec: InstanceSpec, found: ObservedInstance): Drift[] {
  const at = { container: found.container, name: found.name };
  if (found.state !== 'running')
    return [
      {
        ...at,
        kind: 'stopped',
        what: `${found.name} does not run${found.exitCode === undefined ? '' : `: it ended with ${found.exitCode}`}`,
      },
    ];
  return compareMade(spec, found);
}

function compareMade(spec: InstanceSpec, found: ObservedInstance): Drift[] {
  const at = { container: found.container, name: found.name };
  if (differsInGeneration(spec, found))
    return [
      {
        ...at,
        kind: 'generation',
        what: `${found.name} is of generation ${found.generation.slice(0, 12)}, the release has ${spec.generation.slice(0, 12)}`,
      },
    ];
  if (found.image !== spec.image)
    return [
      { ...at, kind: 'image', what: `${found.name} runs image ${found.image.slice(0, 19)}, the release has ${spec.image.slice(0, 19)}` },
    ];
  // Instances kept through a change of policy alone carry the generation that made them, which is in the digest.
  const comparable = found.generation === spec.generation;
  // A path's name also holds the number of the rollout that made it.
  return comparable && found.spec !== instanceDigest({ ...spec, name: found.name })
    ? [{ ...at, kind: 'spec', what: `${found.name} was created otherwise than the release says` }]
    : [];
}

const differsInGeneration = (spec: InstanceSpec, found: ObservedInstance): boolean =>
  spec.role === 'path' ? found.generation !== spec.generation : found.body !== spec.body;

/** Without its controller nothing keeps a release true; others beside it are left over from rollouts that failed, unless one is under way. */
export function compareControllers(
  { live, standingBy }: { live: ObservedController; standingBy?: ObservedController | undefined },
  { controllers }: Observation,
  rollout: boolean,
): Drift[] {
  const surplus = rollout ? [] : controllers.filter(({ container }) => container !== live.container && container !== standingBy?.container);
  return [
    ...(live.state === 'running' ? [] : [stoppedController(live)]),
    ...surplus.map(({ container, name, release }): Drift => ({
      container,
      name,
      kind: 'foreign',
      what: `${name} is left over from a rollout of release ${release.slice(0, 12)}`,
    })),
  ];
}

const stoppedController = ({ container, name }: ObservedController): Drift => ({
  container,
  name,
  kind: 'stopped',
  what: `${name} does not run: nothing keeps the release true`,
});

/** What carries no label of ours, and what does but is in no unit of the release; what still drains may stay. */
function foreign({ desired, standingBy, observation }: Compared): Drift[] {
  const strangers = observation.strangers.map(({ container, name, where }): Drift => ({
    container,
    name,
    kind: 'foreign',
    what: `container ${name} is in ${where} and does not belong there`,
  }));
  const isReady = (instance: ObservedInstance): boolean => standingBy !== undefined && standsBy(instance, standingBy);
  const leftovers = observation.instances.filter((instance) => !belongs(instance, desired, observation) && !isReady(instance));
  return [
    ...strangers,
    ...leftovers.map(({ container, name }): Drift => ({
      container,
      name,
      kind: 'foreign',
      what: `${name} is in no generation of the release`,
    })),
  ];
}

function belongs(instance: ObservedInstance, desired: Desired, observation: Observation): boolean {
  const state = unitState(observation, instance.owner);
  if (instance.role === 'path') {
    const expected = desired.units.some(({ owner }) => isUnit(owner, instance.owner));
    return state.draining.includes(instance) || (expected && instance === current(state));
  }
  const isLeaving = state.departures.some(({ slot }) => slot === instance.slot);
  if (isLeaving) return true;
  const unit = desired.units.find(({ owner }) => isUnit(owner, instance.owner));
  const seat = unit?.seats[current(state)?.colour ?? 'blue'];
  const wanted = [...(seat?.instances ?? []), ...(seat?.steps ?? []).map((step) => step.instance)];
  return inUse({ ...state, serving: [] }, instance.body, instance.colour) || wanted.some(({ name }) => name === instance.name);
}

/** Of an app's generation before: its instances, and its data path as a waiter. */
function standsBy(instance: ObservedInstance, { units }: Desired): boolean {
  const unit = units.find(({ owner }) => isUnit(owner, instance.owner));
  if (!unit || instance.owner.kind !== 'app') return false;
  if (instance.role === 'path') return instance.generation === unit.generation && instance.path?.phase !== 'serving';
  const seats = Object.values(unit.seats).flatMap(({ instances }) => instances);
  return instance.body === unit.body && seats.some(({ name }) => name === instance.name);
}

const missing = (name: string, what: string): Drift => ({ container: name, name, kind: 'missing', what });

// The engine's own comparison may find what this one found already.
function withoutRepeats(drift: readonly Drift[]): Drift[] {
  const seen = new Map(drift.toReversed().map((item) => [`${item.name}/${item.kind}`, item]));
  return [...seen.values()].toReversed();
}
