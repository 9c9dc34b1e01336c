import type { ResolvedArchitecture } from '../release/resolve-environment.ts';
import { resolveEnvironment } from '../release/resolve-environment.ts';
import type { Manifest, SealedGeneration } from '../release/manifest.ts';
import { sealedValue, secretReferences } from '../release/secret-references.ts';
import { isElastic, mostOf, type Alarm, type App, type ReplicaRange, type Service, type Store } from '../architecture/model.ts';
import type { BodyId, GenerationId } from '../digest.ts';
import type { Colour, InstanceSpec, NetworkSpec, Origin, Owner, SlotSpec, VolumeSpec } from '../engine/engine.ts';
import { tlsSecrets } from '../release/app-tls.ts';
import { gatewayBase } from '../release/gateway-service.ts';
import { generationsOf } from '../release/generation.ts';
import { independenceOf, type Independence } from '../release/independence.ts';
import type { Placed } from '../release/placed.ts';
import { imageName, placedServices } from '../release/way-out.ts';
import type { Problem } from '../problem.ts';
import { done, type Result } from '../result.ts';
import {
  appSlots,
  gatewayVolumeSpecs,
  coreSlot,
  networksOf,
  pathSlot,
  previewSlot,
  slotOf,
  stepInstance,
  stepSlots,
  storeServerSlot,
  storePathSlot,
  volumesOf,
} from './ground.ts';
import { storeData, type StoreData } from './trial.ts';

/** What one colour of a unit holds: places, the body's instances and steps in them, and the data path that leads to them. */
export type Seat = {
  slots: readonly SlotSpec[];
  instances: readonly InstanceSpec[];
  steps: readonly SeatStep[];
  path: InstanceSpec;
};

/** A one-shot step of a service. Those of a service that come `before`, or `after`, run one after another. */
export type SeatStep = { when: 'before' | 'after'; service: string; instance: InstanceSpec; limitMs: number };

/**
 * An app, the core or a store as it is to be. Apps and stores alternate between the two seats (a store's server never runs beside
 * its predecessor, for they share the data). A core has no instances, so its seats are one and the same.
 */
export type DesiredUnit = {
  owner: Owner;
  generation: GenerationId;
  body: BodyId;
  pathSlot: SlotSpec;
  seats: Readonly<Record<Colour, Seat>>;
  /** A store's. */
  data?: StoreData;
  /** By service: within which its instances come and go. The seats have as many places as there may be. */
  ranges?: Readonly<Record<string, ReplicaRange>>;
  /** Kept, whoever writes to them; a gateway's. */
  volumes?: readonly VolumeSpec[];
  /** Where it can be looked at before it is let live; an app's. */
  preview?: SlotSpec;
  /** How long what it replaced stays ready to take over again. */
  bakeMs?: number;
  /** How long its instances may take to become healthy. */
  healthLimitMs: number;
  alarms: readonly UnitAlarm[];
};

/** `service`: whose instances it is on; left out where it is on the unit's data path, or a store's server. */
export type UnitAlarm = Alarm & { name: string; service?: string };

/** The release in one environment, as the engine's nouns. A pure function of the manifest. */
export type Desired = {
  architecture: string;
  networks: readonly NetworkSpec[];
  volumes: readonly VolumeSpec[];
  /** Stores first, then apps, then the core: the order in which they are let in. */
  units: readonly DesiredUnit[];
  /** Where apps are independent: which of them go together, and which stores each of them uses. */
  independent?: Independence;
  /** Units that are left as they are, for nobody knows any more what they are to be. */
  untended?: readonly Owner[];
  /** Independent apps that could not be built, which are none of the units: they stay as they are. */
  unbuilt?: readonly UnbuiltUnit[];
};

/** `generation`: what it would have been. */
export type UnbuiltUnit = { owner: Owner; generation: GenerationId; problem: Problem };

const pathLimits = { memoryBytes: 64 * 1024 * 1024, processes: 32 };

/** An encrypted connection takes several times the memory of a plain one. */
const tlsMemoryBytes = 4 * pathLimits.memoryBytes;

/** Renders a manifest for an environment. UNKNOWN_ENVIRONMENT when the release has none of that name. */
export function desiredOf(manifest: Manifest, environment: string): Result<Desired> {
  const resolved = resolveEnvironment(manifest.inputs.architecture, environment);
  if (!resolved.ok) return resolved;
  const view: View = { manifest, environment, architecture: resolved.value };
  const { apps, stores } = resolved.value;
  const unbuilt = unbuiltUnits(view);
  return done({
    architecture: resolved.value.name,
    networks: networksOf(resolved.value),
    volumes: volumesOf(resolved.value),
    units: [
      ...Object.keys(stores).map((name) => storeUnit(view, name)),
      ...Object.keys(apps)
        .filter((name) => !unbuilt.some(({ owner }) => owner.name === name))
        .map((name) => appUnit(view, name)),
      coreUnit(view),
    ],
    ...(unbuilt.length > 0 && { unbuilt }),
    ...(resolved.value.rollout && { independent: independenceOf(resolved.value.rollout, apps) }),
  });
}

type View = { manifest: Manifest; environment: string; architecture: ResolvedArchitecture };

function unbuiltUnits({ manifest: { inputs, outputs }, environment }: View): UnbuiltUnit[] {
  const failures = Object.entries(outputs.unbuilt ?? {});
  if (failures.length === 0) return [];
  const generations = generationsOf(inputs, environment);
  if (!generations.ok) throw new Error(`the manifest has no ${environment}`);
  return failures.map(([name, problem]) => ({
    owner: { kind: 'app', name },
    generation: member(generations.value.apps, name).id,
    problem,
  }));
}

function appUnit(view: View, name: string): DesiredUnit {
  const app = member(view.architecture.apps, name);
  const sealed = member(sealedOf(view).apps, name);
  const owner: Owner = { kind: 'app', name };
  const slot = pathSlot(name, view.manifest.outputs.sandbox);
  const services = placedServices(app);
  const seat = (colour: Colour): Seat => {
    const placed = Object.entries(services).map(([service, spec]) => ({ view, owner, app, sealed, service, spec, colour }));
    return {
      slots: [appSlots, stepSlots].flatMap((places) => places({ app: name, services, colour, image: view.manifest.outputs.sandbox })),
      instances: placed.flatMap(replicasOf),
      steps: placed.flatMap(stepsOf),
      path: { ...pathInstance({ view, owner, sealed, slot, colour, stopMs: app.drain.limitMs }), ...encryptionOf(view, app) },
    };
  };
  return {
    owner,
    generation: sealed.id,
    body: sealed.body,
    pathSlot: slot,
    ...(!app.stages && { preview: previewSlot(name, view.manifest.outputs.sandbox) }),
    seats: { blue: seat('blue'), green: seat('green') },
    ...rangesOf(services),
    ...(app.gateway && { volumes: gatewayVolumeSpecs(app.gateway) }),
    alarms: [...alarmsIn(app), ...Object.entries(app.services).flatMap(([service, of]) => alarmsIn(of, service))],
    ...(app.bake && app.bake.forMs > 0 && { bakeMs: app.bake.forMs }),
    healthLimitMs: Math.max(...Object.values(services).map((service) => service.health.timeoutMs)),
  };
}

/** A data path that speaks TLS, to clients or to an origin, has more memory; to clients, with its certificate. */
const encryptionOf = (view: View, { tls, elsewhere }: App): Pick<InstanceSpec, 'secrets'> & Partial<Pick<InstanceSpec, 'limits'>> => ({
  ...(tls && secretsOf(view, { secrets: tlsSecrets(tls) })),
  ...((tls ?? elsewhere?.tls) && { limits: { ...pathLimits, memoryBytes: tlsMemoryBytes } }),
});

function rangesOf(services: Readonly<Record<string, Placed>>): Pick<DesiredUnit, 'ranges'> {
  const ranges = Object.entries(services).flatMap(([name, { replicas }]) => (isElastic(replicas) ? [[name, replicas] as const] : []));
  return ranges.length === 0 ? {} : { ranges: Object.fromEntries(ranges) };
}

function storeUnit(view: View, name: string): DesiredUnit {
  const store = member(view.architecture.stores, name);
  const sealed = member(sealedOf(view).stores, name);
  const owner: Owner = { kind: 'store', name };
  const slot = storePathSlot(name, view.manifest.outputs.sandbox);
  const image = member(sealed.images.services, 'server');
  const upgrade = store.upgrade && { image, command: store.upgrade.command, path: store.data };
  const data = storeData(name, { format: store.format, image: view.manifest.outputs.sandbox, upgrade });
  const seat = (colour: Colour): Seat => ({
    slots: [storeServerSlot({ store: name, colour, image: view.manifest.outputs.sandbox })],
    instances: [storeServer({ view, owner, sealed, store, volume: data.volume.name, colour })],
    steps: [],
    path: pathInstance({ view, owner, sealed, slot, colour, stopMs: 30_000 }),
  });
  return {
    owner,
    generation: sealed.id,
    body: sealed.body,
    pathSlot: slot,
    seats: { blue: seat('blue'), green: seat('green') },
    data,
    healthLimitMs: store.health.timeoutMs,
    alarms: alarmsIn(store),
  };
}

function coreUnit(view: View): DesiredUnit {
  const sealed = sealedOf(view).core;
  const owner: Owner = { kind: 'core', name: 'core' };
  const slot = coreSlot(view.architecture.core, view.manifest.outputs.sandbox);
  const seat: Seat = { slots: [], instances: [], steps: [], path: pathInstance({ view, owner, sealed, slot, stopMs: 30_000 }) };
  return {
    owner,
    generation: sealed.id,
    body: sealed.body,
    pathSlot: slot,
    seats: { blue: seat, green: seat },
    healthLimitMs: 30_000,
    alarms: [],
  };
}

const alarmsIn = ({ alarms = {} }: { alarms?: Readonly<Record<string, Alarm>> }, service?: string): UnitAlarm[] =>
  Object.entries(alarms).map(([name, alarm]) => ({ ...alarm, name, ...(service !== undefined && { service }) }));

type Replicated = { view: View; owner: Owner; app: App; sealed: SealedGeneration; service: string; spec: Placed; colour: Colour };

function replicasOf({ view, owner, app, sealed, service, spec, colour }: Replicated): InstanceSpec[] {
  const component = Object.hasOwn(app.services, service)
    ? componentOf(view, `${owner.name}/${service}`)
    : { key: app.gateway ? gatewayBase(app.gateway, view.manifest.inputs.changeless).key : view.manifest.inputs.changeless.proxy };
  return Array.from({ length: mostOf(spec.replicas) }, (_, index) => {
    const name = `${owner.name}.${service}-${index + 1}.${colour}`;
    return {
      name,
      slot: slotOf(name),
      owner,
      role: 'service',
      generation: sealed.id,
      body: sealed.body,
      colour,
      image: member(sealed.images.services, imageName(app, service, colour)),
      mounts: [...memoryMounts(spec.writable), ...(spec.volumes ?? []).map((volume) => ({ kind: 'volume' as const, ...volume }))],
      ...secretsOf(view, spec),
      limits: spec.limits,
      stopMs: spec.stopMs,
      ...(spec.drainSignal && { drainSignal: spec.drainSignal }),
      origin: originOf(view, component),
    };
  });
}

/** Each as an instance of its service is, but for its image, in a place of its own. */
function stepsOf(service: Replicated): SeatStep[] {
  const { owner, sealed, spec, colour } = service;
  return (['before', 'after'] as const).flatMap((when) =>
    (spec.steps?.[when] ?? []).flatMap(({ name: step, limitMs }) =>
      replicasOf({ ...service, spec: { ...spec, replicas: 1 } }).map(({ drainSignal: _, ...replica }): SeatStep => {
        const name = stepInstance(owner.name, { service: service.service, step, colour });
        const image = member(sealed.images.steps ?? {}, `${service.service}/${step}`);
        return { when, service: service.service, limitMs, instance: { ...replica, name, slot: slotOf(name), role: 'step', image } };
      }),
    ),
  );
}

type Served = { view: View; owner: Owner; sealed: SealedGeneration; store: Store; volume: string; colour: Colour };

function storeServer({ view, owner, sealed, store, volume, colour }: Served): InstanceSpec {
  const name = `${owner.name}.server.${colour}`;
  return {
    name,
    slot: slotOf(name),
    owner,
    role: 'server',
    generation: sealed.id,
    body: sealed.body,
    colour,
    image: member(sealed.images.services, 'server'),
    mounts: [{ kind: 'volume', volume, path: store.data }, ...memoryMounts(store.writable)],
    ...secretsOf(view, store),
    limits: store.limits,
    stopMs: store.stopMs,
    origin: originOf(view, componentOf(view, owner.name)),
  };
}

type PathPlacement = { view: View; owner: Owner; sealed: SealedGeneration; slot: SlotSpec; colour?: Colour; stopMs: number };

function pathInstance({ view, owner, sealed, slot, colour, stopMs }: PathPlacement): InstanceSpec {
  return {
    name: `${owner.name}.path.${sealed.id.slice(0, 8)}`,
    slot: slot.name,
    owner,
    role: 'path',
    generation: sealed.id,
    body: sealed.body,
    ...(colour && { colour }),
    image: sealed.images.path[colour ?? 'blue'],
    mounts: [],
    limits: pathLimits,
    stopMs,
    origin: originOf(view, { key: view.manifest.inputs.changeless.proxy }),
  };
}

const originOf = (view: View, component: { key: string; tests?: string }): Origin => ({
  environment: view.environment,
  release: view.manifest.release,
  commit: view.manifest.inputs.source.commit,
  key: component.key,
  ...(component.tests && { tests: component.tests }),
});

function componentOf(view: View, name: string): { key: string; tests?: string } {
  const component = member(view.manifest.inputs.components, name);
  const tests = component.inputs.tests.map((test) => ('target' in test ? `target ${test.target}` : test.command.join(' ')));
  return { key: component.key, ...(tests.length > 0 && { tests: `passed: ${tests.join('; ')}` }) };
}

const memoryMounts = (writable: Service['writable']): InstanceSpec['mounts'] =>
  Object.entries(writable).map(([path, { sizeBytes }]) => ({ kind: 'memory', path, sizeBytes }));

function secretsOf({ manifest, architecture }: View, { secrets }: Pick<Service, 'secrets'>): Pick<InstanceSpec, 'secrets'> {
  const references = secrets && secretReferences(architecture, secrets);
  return references ? { secrets: references.map((each) => ({ ...each, sealed: sealedValue(manifest.inputs.secrets, each) })) } : {};
}

const sealedOf = (view: View) => member(view.manifest.outputs.environments, view.environment);

/** A member a sealed manifest must have; its absence is a bug of whoever sealed it. */
function member<T>(record: Readonly<Record<string, T>>, name: string): T {
  const value = record[name];
  if (value === undefined) throw new Error(`the manifest has no ${name}`);
  return value;
}
