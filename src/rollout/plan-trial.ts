import type { BodyId } from '../digest.ts';
import type { InstanceSpec, ObservedInstance, VolumeSpec } from '../engine/engine.ts';
import { sourceOf } from './data-generation.ts';
import { named, removeInstance, type Outfit } from './outfit.ts';
import { slotLane, startAlone, type Situation } from './situation.ts';
import type { Lane, Step } from './step.ts';
import {
  copiesOf,
  copyName,
  generationsOf,
  trialInstances,
  asideKindOf,
  type ObservedCopy,
  type StoreData,
  type TrialKind,
} from './trial.ts';
import { current, pending, type UnitState } from './unit-state.ts';

/** A store whose new server has not been let at the data yet. */
type Trial = { outfit: Outfit; data: StoreData; server: InstanceSpec; copies: readonly ObservedCopy[] };

/**
 * Puts back what a failed rollout may have damaged, and removes the copies it left. A snapshot of another rollout that
 * is whole means that a server was tried on the data since and no client was let in: the data go back to it before any
 * server starts. Where one that was entrusted with them is in its place all the same, and its path does not let clients wait,
 * they have been: then the snapshot is only old.
 */
export const restoreLanes = (all: Situation): Lane[] =>
  all.outfits.flatMap((outfit) => {
    const { data } = outfit.unit;
    if (!data) return [];
    const tried = isTried(outfit, all);
    return copiesOf(outfit.unit.owner.name, all.observed)
      .filter(({ of, kind, token }) => of === data.volume.name && (token !== all.outlook.token || (!tried && kind === 'snapshot')))
      .map((copy): Lane => restoring(copy, { outfit, data, all }));
  });

function restoring(
  { volume, kind, token }: ObservedCopy,
  { outfit, data, all }: { outfit: Outfit; data: StoreData; all: Situation },
): Lane {
  const { tried, members } = outfit.state;
  const remove: Lane = [...tried.map(removeInstance), { do: 'remove-copy', volume: volume.name }];
  // A data generation that was never let in is made again of the one before, which nobody touched.
  if (sourceOf(outfit, all.observed)) return remove;
  const generations = generationsOf(outfit.unit.owner.name, all.observed);
  const bodies = generations.find(({ name }) => name === data.volume.name)?.bodies;
  const isServed = members.some(({ body }) => (!bodies || bodies.includes(body)) && !isKeptFromClients(body, outfit));
  const counts = kind === 'snapshot' && token !== all.outlook.token && !volume.unfinished && !isServed;
  if (!counts) return remove;
  const was = current(outfit.state);
  const isElsewhere = generations.some(({ name, bodies: noted }) => was && name !== data.volume.name && noted?.includes(was.body));
  const copy: Step = { do: 'copy-volume', copy: { from: volume.name, to: data.volume, image: data.image } };
  const noted: Lane = was && !isElsewhere ? [{ do: 'note-body', volume: data.volume, body: was.body }] : [];
  return [...[...tried, ...members].map(removeInstance), copy, ...noted, { do: 'remove-copy', volume: volume.name }];
}

/** Whether clients of that body's path were never let on. */
const isKeptFromClients = (body: BodyId, { state }: Outfit): boolean => keptWaiting(state).some((path) => path.body === body);

/** Paths that let clients wait, or did when they ended. */
const keptWaiting = ({ holding, ended }: UnitState): ObservedInstance[] =>
  [...holding, ...ended].filter(({ path }) => path?.phase === 'holding');

/** The new server on a copy, beside the old one that serves on. */
export const rehearseLanes = (all: Situation): Lane[] =>
  trials(all)
    .filter((trial) => !isRehearsed(trial, all))
    .flatMap((trial) => tryLanes(trial, 'rehearsal', all));

/** From here on clients wait: the new path takes the sockets over, and lets no connection on. What rehearsed has done its part. */
export const holdLanes = (all: Situation): Lane[] =>
  trials(all)
    .filter(({ outfit: { path } }) => !all.outlook.heldBack.has(path.name))
    .map(({ outfit: { path, state } }): Lane => {
      const holds = state.holding.some(({ name }) => name === path.name);
      const rehearsed = state.tried.filter((instance) => asideKindOf(instance) === 'rehearsal');
      const toldToEnd = state.draining.filter((each) => each.path?.phase !== 'draining');
      const before = [...state.serving, ...state.holding, ...toldToEnd].filter(({ name }) => name !== path.name);
      return [
        ...(holds ? [] : rehearsed.map(removeInstance)),
        ...(pending(state, path.name) ? [] : [{ do: 'start-instance' as const, instance: path }]),
        ...(holds ? [] : [{ do: 'hold-path' as const, path: named(path) }]),
        ...before.map((replaced): Step => ({ do: 'drain-path', path: named(replaced) })),
      ];
    });

/** Whether clients of a store that is tried are not let wait yet, also when just now nothing can be done for it. */
export const isHeldUp = (all: Situation): boolean =>
  trials(all).some(({ outfit: { path, state } }) => !state.holding.some(({ name }) => name === path.name));

/** The old server stops, and its data are kept as it left them. Who it is, is noted first: a server that is not, is being tried. */
export const snapshotLanes = (all: Situation): Lane[] =>
  trials(all)
    .filter((trial) => !snapshotOf(trial, all))
    .map(({ outfit, data }): Lane => {
      const to = copyOf(data, 'snapshot', all);
      const source = sourceOf(outfit, all.observed);
      const [was] = outfit.state.members;
      const isNoted = all.observed.volumes.some(({ name, bodies }) => name === data.volume.name && bodies);
      return [
        ...(was && !isNoted && !source ? [{ do: 'note-body' as const, volume: data.volume, body: was.body }] : []),
        ...outfit.state.members.map(removeInstance),
        ...(source ? [copied(source, data.volume, data)] : []),
        { do: 'copy-volume', copy: { from: data.volume.name, to, image: data.image } },
      ];
    });

/** The new server on the data themselves, in its place, where only its path reaches it. */
export const proveLanes = (all: Situation): Lane[] =>
  trials(all)
    .filter((trial) => !isPassed(trial, 'proof', all))
    .flatMap((trial) => tryLanes(trial, 'proof', all));

/** Clients reach the server as soon as its path lets them on. So before that the snapshot goes, which says that none did. */
export const letInLanes = (all: Situation): Lane[] =>
  trials(all).map(({ outfit, data }): Lane => [...entrusting(outfit, data, all), { do: 'promote-path', path: named(outfit.path) }]);

/** Killed between the two, data that were tried in place go on; a new data generation is made again. */
function entrusting(outfit: Outfit, data: StoreData, all: Situation): Lane {
  const note: Step = { do: 'note-body', volume: data.volume, body: outfit.unit.body };
  const remove: Step = { do: 'remove-copy', volume: copyOf(data, 'snapshot', all).name };
  return sourceOf(outfit, all.observed) ? [remove, note] : [note, remove];
}

/** Whether a trial has yet to be passed before anything may follow, also when just now nothing can be done for it. */
export const isTrying = (kind: TrialKind, all: Situation): boolean =>
  trials(all).some((trial) => !(kind === 'proof' ? isPassed(trial, kind, all) : isRehearsed(trial, all)));

/** The names its instances have while a store is tried. */
export const trialNames = (outfit: Outfit, token: number): string[] =>
  (['rehearsal', 'proof'] as const).flatMap((kind) => {
    const [server] = outfit.seat.instances;
    if (!outfit.unit.data || !server) return [];
    return Object.values(trialInstances({ server, path: outfit.seat.path }, { kind, token }, outfit.unit.data)).map(({ name }) => name);
  });

function trials(all: Situation): Trial[] {
  return all.outfits.flatMap((outfit) => {
    const { data } = outfit.unit;
    const [server] = outfit.seat.instances;
    if (!data || !server || !isTried(outfit, all)) return [];
    return [{ outfit, data, server, copies: copiesOf(outfit.unit.owner.name, all.observed) }];
  });
}

/** Whether the server is new to data that are there. One that is kept true, or was let at them before, starts in its place at once. */
function isTried(outfit: Outfit, { observed, outlook }: Situation): boolean {
  const { unit, state, live } = outfit;
  if (live || outlook.hurry) return false;
  if (sourceOf(outfit, observed)) return true;
  const there = observed.volumes.find(({ name }) => name === unit.data?.volume.name);
  if (!there || there.bodies?.includes(unit.body)) return false;
  // One that runs in its place is being tried as long as there is this rollout's snapshot.
  const isSnapped = copiesOf(unit.owner.name, observed).some(({ kind, token }) => kind === 'snapshot' && token === outlook.token);
  return isSnapped || !state.members.some(({ body }) => body === unit.body);
}

const copyOf = ({ volume }: StoreData, kind: ObservedCopy['kind'], { outlook }: Situation): VolumeSpec => ({
  ...volume,
  name: copyName(volume.name, { kind, token: outlook.token }),
});

const wholeCopy = ({ data, copies }: Trial, kind: ObservedCopy['kind'], all: Situation): boolean =>
  copies.some(({ volume }) => volume.name === copyOf(data, kind, all).name && !volume.unfinished);

const snapshotOf = (trial: Trial, all: Situation): boolean => wholeCopy(trial, 'snapshot', all);

/** Clients wait for nothing that was not rehearsed, so a path of this rollout that holds them (or did, when it ended) tells that it was. */
function isRehearsed(trial: Trial, all: Situation): boolean {
  const { path, state } = trial.outfit;
  const hasHeld = keptWaiting(state).some(({ name }) => name === path.name);
  return hasHeld || snapshotOf(trial, all) || isPassed(trial, 'rehearsal', all);
}

function isPassed(trial: Trial, kind: TrialKind, all: Situation): boolean {
  return running(trial, kind, all).path?.path?.phase === 'healthy';
}

type Running = { server?: ObservedInstance | undefined; path?: ObservedInstance | undefined };

/** What of a trial runs. A waiter that is older than the server may still say what it found of the one before. */
function running({ outfit, data, server }: Trial, kind: TrialKind, { outlook }: Situation): Running {
  const wanted = trialInstances({ server, path: outfit.seat.path }, { kind, token: outlook.token }, data);
  const find = ({ name }: InstanceSpec): ObservedInstance | undefined =>
    [...outfit.state.tried, ...outfit.state.members].find((instance) => instance.name === name && instance.state === 'running');
  const [found, path] = [find(wanted.server), find(wanted.path)];
  return { server: found, path: found && path && Date.parse(path.createdAt) >= Date.parse(found.createdAt) ? path : undefined };
}

/** What a trial needs, then its server, and then its waiter. What an earlier trial left in the places goes first. */
function tryLanes(trial: Trial, kind: TrialKind, all: Situation): Lane[] {
  const ground = kind === 'proof' ? [] : groundLanes(trial, all);
  if (ground.length > 0) return ground;
  const { outfit, data, server } = trial;
  const wanted = trialInstances({ server, path: outfit.seat.path }, { kind, token: all.outlook.token }, data);
  const there = running(trial, kind, all);
  const awaiting: Step = { do: 'await-healthy', path: named(wanted.path) };
  if ([wanted.server, wanted.path].some(({ name }) => all.outlook.heldBack.has(name)))
    return outfit.state.tried.some(({ name, state }) => name === wanted.path.name && state === 'running') ? [[awaiting]] : [];
  const stale = outfit.state.tried.filter(({ name }) => name === wanted.path.name).map(removeInstance);
  const waiter: Lane =
    kind === 'proof' ? [...stale, { do: 'start-instance', instance: wanted.path }] : startAlone(wanted.path, all.observed);
  return [[...(there.server ? [] : startAlone(wanted.server, all.observed)), ...(there.path ? [] : waiter), awaiting]];
}

/** What is copied from another data generation is upgraded on the way. */
const copied = (from: { name: string }, to: VolumeSpec, { volume, image, upgrade }: StoreData): Step => ({
  do: 'copy-volume',
  copy: { from: from.name, to, image, ...(upgrade && from.name !== volume.name && { upgrade }) },
});

function groundLanes(trial: Trial, all: Situation): Lane[] {
  const { network, slots, volume } = trial.data;
  const from = sourceOf(trial.outfit, all.observed) ?? volume;
  const copies: Lane[] = wholeCopy(trial, 'rehearsal', all)
    ? []
    : [[...trial.outfit.state.tried.map(removeInstance), copied(from, copyOf(trial.data, 'rehearsal', all), trial.data)]];
  if (!all.observed.networks.some(({ name }) => name === network.name)) return [[{ do: 'ensure-network', network }], ...copies];
  const places = [slots.server, slots.path].map((slot) => slotLane(slot, all.observed, false));
  return [...places, ...copies].filter((lane) => lane.length > 0);
}
