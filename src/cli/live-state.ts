import type { BodyId, GenerationId } from '../digest.ts';
import type { Observation, ObservedController, ObservedInstance, Owner } from '../engine/engine.ts';
import type { UnitName } from '../events.ts';
import type { Manifest } from '../release/manifest.ts';
import { type Desired, desiredOf, type DesiredUnit, type UnbuiltUnit } from '../rollout/desired.ts';
import { countOf, sizedTo } from '../rollout/size.ts';
import { longestBakeMs } from '../rollout/fallback.ts';
import { current, unitState } from '../rollout/unit-state.ts';

/** `held-back`: the live release says another generation, which failed; the one before it serves on. */
export type UnitHealth = 'live' | 'rolling-out' | 'degraded' | 'held-back' | 'down';

/** One app, store or the core as it runs. `generation`: the one clients reach. `instances`: its containers, data path first. */
export type LiveUnit = {
  kind: UnitName['kind'];
  name: string;
  generation?: GenerationId;
  body?: BodyId;
  state: UnitHealth;
  /** Since when its data path runs. */
  since?: string;
  instances: readonly ObservedInstance[];
  /** What is there of the steps around its switch. */
  steps: readonly ObservedInstance[];
  /** Its services whose instances come and go: how many there are to be now. */
  scaled: readonly { service: string; count: number; min: number; max: number }[];
};

export type LiveHealth = 'live' | 'rolling-out' | 'degraded' | 'down';

/** Every unit the engine holds something of, and every one the release wants; sorted core, stores, apps. */
export function liveUnits(observation: Observation, release?: Desired, before?: Desired): LiveUnit[] {
  const [desired, standingBy] = [release, before].map((each) => each && sizedTo(each, observation));
  const wanted = new Map<string, Wanted>([...(desired?.units ?? []), ...(desired?.unbuilt ?? [])].map((unit) => [keyOf(unit.owner), unit]));
  const owners = new Map(observation.instances.map((instance) => [keyOf(instance.owner), instance.owner]));
  for (const unit of wanted.values()) owners.set(keyOf(unit.owner), unit.owner);
  return [...owners]
    .filter(([, owner]) => owner.kind !== 'controller')
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, owner]) =>
      liveUnit(observation, owner, { wanted: wanted.get(key), independent: desired?.independent !== undefined, standingBy }),
    );
}

const order = { core: '0', store: '1', app: '2', controller: '3' } as const;
const keyOf = (owner: Owner): string => `${order[owner.kind]}/${owner.name}`;

const scaledOf = (unit: DesiredUnit, observation: Observation): LiveUnit['scaled'] =>
  Object.entries(unit.ranges ?? {}).map(([service, range]) => {
    const { count } = countOf({ unit, service, range }, observation);
    return { service, count, min: range.min, max: range.max };
  });

/** What the release says of a unit: how it is to be, or that it could not be built. */
type Wanted = DesiredUnit | UnbuiltUnit;

type OfRelease = { wanted: Wanted | undefined; independent: boolean; standingBy: Desired | undefined };

function liveUnit(observation: Observation, owner: Owner, release: OfRelease): LiveUnit {
  const kind = owner.kind === 'controller' ? 'core' : owner.kind;
  const state = unitState(observation, owner);
  const path = current(state);
  if (path === undefined) {
    const begun = state.members.length + state.steps.length > 0;
    const coming = state.waiting.length > 0 || (begun && state.ended.length === 0);
    return { kind, name: owner.name, state: coming ? 'rolling-out' : 'down', instances: state.members, steps: state.steps, scaled: [] };
  }
  const members = state.members.filter(
    (member) => member.body === path.body && (path.colour === undefined || member.colour === path.colour),
  );
  const instances = [path, ...members];
  const base = {
    kind,
    name: owner.name,
    generation: path.generation,
    body: path.body,
    instances,
    steps: state.steps.filter(({ body }) => body === path.body),
    scaled: release.wanted && 'seats' in release.wanted ? scaledOf(release.wanted, observation) : [],
    ...(path.startedAt && { since: path.startedAt }),
  };
  const coming = state.waiting.filter(({ generation }) => !release.standingBy?.units.some((unit) => unit.generation === generation));
  return { ...base, state: healthOf({ instances, moving: coming.length > 0 || state.serving.length > 1, ...release }) };
}

type Judged = Omit<OfRelease, 'standingBy'> & { instances: readonly ObservedInstance[]; moving: boolean };

function healthOf({ instances, moving, wanted, independent }: Judged): UnitHealth {
  if (moving) return 'rolling-out';
  const [path] = instances;
  if (instances.some((instance) => instance.state !== 'running')) return 'degraded';
  if (wanted === undefined || path === undefined) return 'live';
  if (independent && wanted.generation !== path.generation) return 'held-back';
  if (!('seats' in wanted)) return 'live';
  const seat = wanted.seats[path.colour ?? 'blue'];
  // A unit of another generation is judged by that generation's own release, which is not at hand here.
  if (wanted.generation === path.generation && instances.length < seat.instances.length + 1) return 'degraded';
  return 'live';
}

/** A controller with what its release says, where its image could be read. */
export type Claimant = { controller: ObservedController; manifest?: Manifest };

export type ChosenRelease = {
  /** The release whose units serve (or, with none, the one that is meant to). */
  live?: Claimant;
  /** A younger controller, whose rollout is under way or has failed. */
  newer?: Claimant;
  desired?: Desired;
  /** The release before, which stands by to take over again while the live one bakes. */
  standingBy?: Claimant & { desired: Desired };
  units: readonly LiveUnit[];
  /** Every unit of the live release is reached in the generation it says. */
  whole: boolean;
};

/**
 * Which release is live, from the engine alone: the youngest controller whose every generation is reached. Where none
 * is, the one its successor names as what was live before it, else the oldest.
 */
export function chooseLive(observation: Observation, claimants: readonly Claimant[]): ChosenRelease {
  const youngestFirst = claimants.toSorted((a, b) => (a.controller.createdAt < b.controller.createdAt ? 1 : -1));
  const served = liveUnits(observation);
  const [youngest] = youngestFirst;
  const live = youngestFirst.find((claimant) => isServed(claimant, served)) ?? before(youngestFirst);
  const desired = live === undefined ? undefined : desiredFor(live);
  const standingBy = live && desired && longestBakeMs(desired) > 0 ? standingBeside(live, claimants) : undefined;
  const units = liveUnits(observation, desired, standingBy?.desired);
  return {
    ...(live && { live }),
    ...(youngest !== undefined && youngest !== live && { newer: youngest }),
    ...(desired && { desired }),
    ...(standingBy && { standingBy }),
    units,
    whole: live !== undefined && isServed(live, served) && units.every((unit) => unit.state === 'live'),
  };
}

/** Only while it bakes the controller before the live one is still there. */
function standingBeside({ controller: { history, createdAt } }: Claimant, claimants: readonly Claimant[]): ChosenRelease['standingBy'] {
  const claimant = claimants.find(({ controller }) => controller.release === history[0] && controller.createdAt < createdAt);
  const desired = claimant && desiredFor(claimant);
  return desired && claimant.controller.state === 'running' ? { ...claimant, desired } : undefined;
}

function before(youngestFirst: readonly Claimant[]): Claimant | undefined {
  const previous = youngestFirst[0]?.controller.history[0];
  return youngestFirst.find(({ controller }) => controller.release === previous) ?? youngestFirst.at(-1);
}

function isServed(claimant: Claimant, served: readonly LiveUnit[]): boolean {
  const desired = desiredFor(claimant);
  if (desired === undefined) return false;
  const generations = new Map(served.map((unit) => [`${unit.kind}/${unit.name}`, unit.generation]));
  return [...desired.units, ...(desired.unbuilt ?? [])].every(
    ({ owner, generation }) => generations.get(`${owner.kind}/${owner.name}`) === generation,
  );
}

function desiredFor({ controller, manifest }: Claimant): Desired | undefined {
  const desired = manifest === undefined ? undefined : desiredOf(manifest, controller.environment);
  return desired?.ok === true ? desired.value : undefined;
}

/** The state of the whole; `rollout`: whether a rollout is known to be under way. */
export function wholeHealth(chosen: ChosenRelease, rollout: boolean): LiveHealth {
  const { units, live } = chosen;
  if (rollout) return 'rolling-out';
  if (units.every((unit) => unit.state === 'down')) return 'down';
  if (chosen.whole && live?.controller.state === 'running') return 'live';
  return 'degraded';
}
