import { slotDigest } from '../engine/spec-digest.ts';
import type { InstanceSpec, Observation, ObservedInstance, Owner } from '../engine/engine.ts';
import { sourceOf } from './data-generation.ts';
import type { Desired, DesiredUnit } from './desired.ts';
import { named, outfit, removeInstance, type Outfit } from './outfit.ts';
import { planDepartures, surplusPlaces } from './plan-departures.ts';
import { drainLanes, planRetirement } from './plan-retirement.ts';
import { awaitsSteps, beforeLanes, isSpent, withAfterSteps } from './plan-steps.ts';
import { holdLanes, isHeldUp, isTrying, letInLanes, proveLanes, rehearseLanes, restoreLanes, snapshotLanes } from './plan-trial.ts';
import { sizedTo } from './size.ts';
import { membersOf, slotLane, startAlone, type Outlook, type Situation } from './situation.ts';
import type { Lane, Stage, StageName } from './step.ts';
import { current, inUse, isUnit, pending, type UnitState } from './unit-state.ts';

/**
 * What to do next so that the engine comes to hold `desired`: the first stage that has something to do. Called again
 * after each stage with a new observation, it carries a rollout through from wherever the engine stands, which is also
 * how a rollout is resumed, undone (by planning for the earlier release) and how what died is restored.
 */
export function planRollout(release: Desired, everything: Observation, outlookWhole: Outlook): Stage {
  const observed = tended(release, everything);
  const desired = sizedTo(release, observed, outlookWhole.counts);
  const outlook = { ...outlookWhole, fallbacks: sizedTo({ ...release, units: outlookWhole.fallbacks ?? [] }, observed).units };
  const outfits = desired.units.map((unit) => outfit(unit, observed, outlook.token));
  const live = outfits.every((outfit) => outfit.live);
  const departures = planDepartures(observed, outfits);
  if (departures.lanes.length > 0) return { name: 'depart', lanes: departures.lanes, live };
  const hold = outlook.hold && !live;
  const all: Situation = { desired, observed, outfits: hold ? outfits.filter(isForLook) : outfits, outlook };
  for (const [name, lanes] of hold ? stagesToHold : stagesBeforeLive) {
    const found = lanes(all).filter((lane) => lane.length > 0);
    if (found.length > 0) return { name, lanes: found, live, ...following(name, all) };
    if (holdsUp(name, all)) return { name: 'wait', lanes: [], live };
  }
  if (hold) return { name: 'held', lanes: [], live };
  // A path that died too often just now is not started yet: what serves meanwhile is not to go before it.
  if (!live) return { name: 'wait', lanes: [], live };
  const stage = withAfterSteps(planRetirement(all), all);
  const isAtRest = stage.name === 'tidy' || stage.name === 'settled';
  return isAtRest && departures.underWay ? { name: 'wait', lanes: [], live } : stage;
}

function tended({ untended = [] }: Desired, observed: Observation): Observation {
  if (untended.length === 0) return observed;
  const isTended = ({ owner }: { owner: Owner }): boolean => !untended.some((each) => isUnit(each, owner));
  return { ...observed, slots: observed.slots.filter(isTended), instances: observed.instances.filter(isTended) };
}

const stagesBeforeLive: readonly (readonly [StageName, (all: Situation) => Lane[]])[] = [
  ['clear', clearLanes],
  ['ground', groundLanes],
  ['restore', restoreLanes],
  ['rehearse', rehearseLanes],
  ['hold', holdLanes],
  ['snapshot', snapshotLanes],
  ['prove', proveLanes],
  ['let-in', letInLanes],
  ['prepare', prepareLanes],
  ['check-stores', (all) => checkLanes(only(all, 'store'))],
  ['switch-stores', (all) => promoteLanes(only(all, 'store'))],
  ['before-steps', beforeStepsLanes],
  ['check', checkLanes],
  ['switch', (all) => promoteLanes(only(all, 'app'))],
  ['switch-core', switchCoreLanes],
];

const stagesToHold: typeof stagesBeforeLive = [
  ...stagesBeforeLive.filter(([name]) => ['clear', 'ground', 'prepare', 'before-steps', 'check'].includes(name)),
  ['preview', previewLanes],
];

/** A store's old server serves on while a release is held; what is there of the others can be looked at. */
const isForLook = ({ unit, live }: Outfit): boolean => unit.owner.kind !== 'store' || live !== undefined;

/** A second data path of each app that changes, at an address of its own. */
function previewLanes({ outfits, observed, outlook }: Situation): Lane[] {
  return outfits.flatMap(({ unit, path, live, state }): Lane[] => {
    if (live || !unit.preview) return [];
    const place = slotLane(unit.preview, observed, false);
    if (place.length > 0) return [place];
    const name = previewName(path, outlook.token);
    const there = state.tried.find((instance) => instance.name === name && instance.state === 'running');
    const preview: InstanceSpec = { ...path, name, slot: unit.preview.name };
    if (there?.path?.phase === 'serving') return [];
    if (!there && outlook.heldBack.has(name)) return [];
    const start = there ? [] : startAlone(preview, observed);
    const isHealthy = there?.path?.phase === 'healthy';
    return [[...start, { do: isHealthy ? 'promote-path' : 'await-healthy', path: named(preview) }]];
  });
}

const previewName = ({ owner, generation }: InstanceSpec, token: number): string =>
  `${owner.name}.preview.${generation.slice(0, 8)}.${token}`;

/**
 * What may follow without another look. Once the last unit has switched, what it replaces drains: clients are between the
 * two until then. Where apps alone change, and all their waiters start now and report healthy, they switch at once.
 */
function following(name: StageName, { observed, outfits, outlook }: Situation): Pick<Stage, 'followedBy'> {
  if (outlook.hold) return {};
  const pending = outfits.filter(({ live }) => !live);
  const onlyOf = (kind: Owner['kind']): boolean => pending.length > 0 && pending.every(({ unit }) => unit.owner.kind === kind);
  const drain = drainLanes(observed, outfits);
  if ((name === 'switch' && onlyOf('app')) || (name === 'switch-core' && onlyOf('core'))) return { followedBy: [drain] };
  const startsNow = ({ state, path }: Outfit): boolean =>
    !state.waiting.some((waiter) => waiter.name === path.name) && !outlook.heldBack.has(path.name);
  if (pending.some((outfit) => awaitsSteps(outfit, outlook))) return {};
  if (name !== 'prepare' || !onlyOf('app') || !pending.every(startsNow)) return {};
  return { followedBy: [pending.map(({ path }) => [{ do: 'promote-path', path: named(path) }]), drain] };
}

/** Whether the stage is not over although nothing can be done for it just now. */
function holdsUp(name: StageName, all: Situation): boolean {
  if (name === 'clear') return all.outfits.some((outfit) => obstacles(outfit).length > 0);
  if (name === 'rehearse') return isTrying('rehearsal', all);
  if (name === 'before-steps') return all.outfits.some((outfit) => awaitsSteps(outfit, all.outlook));
  if (name === 'hold') return isHeldUp(all);
  return name === 'prove' && isTrying('proof', all);
}

/** Networks, volumes, and the places the coming stages need. A place that died takes its members with it. */
function groundLanes({ desired, observed, outfits }: Situation): Lane[] {
  const volumes = new Set(observed.volumes.map((volume) => volume.name));
  const lanes = [
    ...planGround(desired, observed),
    ...outfits.filter((outfit) => !sourceOf(outfit, observed)).flatMap(({ unit }) => volumeLane(unit, volumes)),
  ];
  return lanes.length > 0 ? lanes : outfits.flatMap((outfit) => [...surplusPlaces(outfit, observed), ...slotLanes(outfit, observed)]);
}

/** The networks that are missing. They belong to the architecture, not to any one unit's rollout. */
export function planGround(desired: Desired, observed: Observation): Lane[] {
  const networks = new Set(observed.networks.map((network) => network.name));
  return desired.networks.filter(({ name }) => !networks.has(name)).map((network): Lane => [{ do: 'ensure-network', network }]);
}

/** Data that begin with a server need no trial of it. */
function volumeLane({ data, body, volumes = [] }: DesiredUnit, there: ReadonlySet<string>): Lane[] {
  const kept = volumes.filter(({ name }) => !there.has(name)).map((volume): Lane => [{ do: 'ensure-volume', volume }]);
  if (!data || there.has(data.volume.name)) return kept;
  return [
    ...kept,
    [
      { do: 'ensure-volume', volume: data.volume },
      { do: 'note-body', volume: data.volume, body },
    ],
  ];
}

function slotLanes(outfit: Outfit, observed: Observation): Lane[] {
  const { unit, state, seat } = outfit;
  const needed = seat.slots.filter(({ name }) => !isSpent(name, outfit));
  const lanes = needed.map((slot) => slotLane(slot, observed, inUse(state, unit.body, seat.path.colour)));
  const paths = slotLane(unit.pathSlot, observed, current(state) !== undefined);
  return [...lanes, paths].filter((lane) => lane.length > 0);
}

/** When older generations hold both colours, the oldest has to leave before a third can come. */
function clearLanes({ outfits }: Situation): Lane[] {
  const serving = outfits.flatMap(obstacles).filter(({ path }) => path?.phase === 'serving');
  return serving.map((path) => [{ do: 'drain-path', path: named(path) }]);
}

/** Paths that still send requests to another body in the colour this one is to take. */
function obstacles({ unit, state, seat, live }: Outfit): ObservedInstance[] {
  if (live || !seat.path.colour) return [];
  return [...state.serving, ...state.draining].filter((path) => path.body !== unit.body && path.colour === seat.path.colour);
}

/** Every changed unit's instances and its waiter, all at once, but where steps come before; and whatever of a live one has died. */
function prepareLanes({ outfits, outlook }: Situation): Lane[] {
  // Nobody who needs a store becomes healthy before the store's path is let in.
  const storesWait = outfits.some(({ unit, live }) => unit.owner.kind === 'store' && !live);
  return outfits.flatMap((outfit) => {
    if (awaitsSteps(outfit, outlook)) return [];
    const { state, seat, path, live } = outfit;
    const lanes = seat.instances.map((instance) => memberLane(instance, state, outlook));
    if (!live && !pending(state, path.name) && !outlook.heldBack.has(path.name)) lanes.push(waiterLane(path, storesWait));
    return lanes;
  });
}

const waiterLane = (path: InstanceSpec, storesWait: boolean): Lane => [
  { do: 'start-instance', instance: path },
  ...(storesWait ? [] : [{ do: 'await-healthy' as const, path: named(path) }]),
];

/** Whatever else holds the place leaves first: a failed predecessor; or the data, whatever place it is in: a store's other server. */
function memberLane(instance: InstanceSpec, state: UnitState, { heldBack }: Outlook): Lane {
  const inSlot = state.members.filter(({ slot }) => slot === instance.slot);
  const isOne = ({ body, leaves }: ObservedInstance): boolean => body === instance.body && !leaves;
  const runs = inSlot.some((member) => isOne(member) && member.state === 'running');
  if (runs || heldBack.has(instance.name)) return [];
  const before = instance.role === 'server' ? state.members : inSlot;
  return [
    ...before.filter((member) => !isOne(member) || member.name !== instance.name).map(removeInstance),
    { do: 'start-instance', instance },
  ];
}

/** While steps run, the others are watched. */
function beforeStepsLanes(all: Situation): Lane[] {
  const steps = beforeLanes(all).filter((lane) => lane.length > 0);
  return steps.length > 0 || !holdsUp('before-steps', all) ? steps : checkLanes(all);
}

function checkLanes({ outfits, outlook }: Situation): Lane[] {
  return outfits.flatMap(({ state, path, live }) => {
    if (live) return [];
    const waiter = state.waiting.find(({ name }) => name === path.name);
    const letIn = outlook.hurry && state.serving.length === 0;
    if (!waiter || waiter.path?.phase === 'healthy' || letIn) return [];
    return [[{ do: 'await-healthy', path: named(waiter) }]];
  });
}

const promoteLanes = ({ outfits }: Situation): Lane[] =>
  outfits
    .filter(({ live, state, path }) => !live && pending(state, path.name))
    .map(({ path }) => [{ do: 'promote-path', path: named(path) }]);

/**
 * The core follows the apps, so that it never names one that does not answer. If its published ports changed, its place
 * is made anew here, which is a gap.
 */
function switchCoreLanes(all: Situation): Lane[] {
  const core = only(all, 'core');
  const moved = core.outfits.filter((outfit) => !reseated(outfit, all.observed));
  if (moved.length === 0) return promoteLanes(core);
  return moved.map(({ unit }) => [
    ...membersOf(all.observed, unit.pathSlot.name).map(removeInstance),
    { do: 'ensure-slot', slot: unit.pathSlot },
  ]);
}

const only = (all: Situation, kind: Owner['kind']): Situation => ({
  ...all,
  outfits: all.outfits.filter(({ unit }) => unit.owner.kind === kind),
});

const reseated = ({ unit }: Outfit, observed: Observation): boolean =>
  observed.slots.some(({ name, spec }) => name === unit.pathSlot.name && spec === slotDigest(unit.pathSlot));
