import { byCodeUnit, type Json } from '../canonical-json.ts';
import {
  isElastic,
  type App,
  type Core,
  type Elsewhere,
  type Service,
  type ServiceStep,
  type Store,
  type UsedSecrets,
} from '../architecture/model.ts';
import { digestOf, type BodyId, type ComponentKey, type GenerationId } from '../digest.ts';
import { mapValues } from '../map-values.ts';
import { done, type Result } from '../result.ts';
import type { Generation, ReleaseInputs } from './manifest.ts';
import { redirectPort, tlsHosts, tlsSecrets } from './app-tls.ts';
import { gatewayBase, gatewayService } from './gateway-service.ts';
import { secretReferences } from './secret-references.ts';
import { resolveEnvironment, type ResolvedArchitecture } from './resolve-environment.ts';

/** The generations of one environment. */
export type Generations = { core: Generation; apps: Readonly<Record<string, Generation>>; stores: Readonly<Record<string, Generation>> };

/** Moves when Changeless makes other containers from the same body, or other configurations from the same path. */
const format = { body: 1, path: 9, wayOut: 2 };

/**
 * Which part of a generation a member belongs to; a member the model gains does not compile until it has a place here.
 * `component`: the component's key stands for it. `body`: a change replaces the instances. `path`: a change replaces the
 * data path over the same instances. `resolved`: it is in the body, the path, or both, as it is resolved. `core`: it is in the core's routes. `ground`: it is the slot's, which is neither.
 */
type Part = 'component' | 'resolved' | 'body' | 'path' | 'core' | 'ground';

const serviceParts = placesOf<Omit<Service, 'replicas'>>({
  build: 'component',
  // Only the proxy is told the port: what listens there is in the component and its settings.
  port: 'path',
  entry: 'path',
  // The data path does the checking; the instances do not know how.
  health: 'path',
  settings: 'body',
  files: 'body',
  writable: 'body',
  limits: 'body',
  // Which networks an instance's slot is on is settled before the instance starts.
  stores: 'body',
  outbound: 'body',
  // With the versions, which are said elsewhere.
  secrets: 'resolved',
  // How it is to be ended is settled when it is created.
  stopMs: 'body',
  drainSignal: 'body',
  // Who watches is the controller.
  alarms: 'ground',
  steps: 'body',
});

const storeParts = placesOf<Store>({
  build: 'component',
  port: 'path',
  data: 'body',
  // Which volume the server has.
  format: 'body',
  // How the data came to be is over when the server starts.
  upgrade: 'ground',
  secrets: 'resolved',
  health: 'path',
  settings: 'body',
  files: 'body',
  writable: 'body',
  limits: 'body',
  stopMs: 'body',
  alarms: 'ground',
});

// Host names are the core's alone: an app that is renamed keeps its containers, and only the core is handed over. For how long
// it bakes, and what is watched meanwhile, is the controller's.
const appParts = placesOf<App>({
  hosts: 'core',
  services: 'body',
  // A stage is told by its image where to send on, and what is under way may not pass over one.
  stages: 'body',
  // Host and port are the way out's, which is an instance; how the origin is spoken to is the data path's.
  elsewhere: 'resolved',
  gateway: 'resolved',
  drain: 'path',
  bake: 'ground',
  policy: 'path',
  tls: 'resolved',
  alarms: 'ground',
});

// Published ports belong to the core's sandbox, not to the proxy in it, which listens on the same ports whatever the
// host calls them. A change of them makes the sandbox anew and with it the proxy, without a new generation.
// Of the metrics' port the proxy knows only that there is one.
const coreParts = placesOf<Core>({ publish: 'ground', sources: 'path', perSource: 'path', metrics: 'resolved' });

/**
 * Ids of every app, store and the core in an environment. They follow from the resolved values alone: not from the
 * commit, nor the environment's name, nor another app.
 */
export function generationsOf(inputs: ReleaseInputs, environment: string): Result<Generations> {
  const resolved = resolveEnvironment(inputs.architecture, environment);
  if (!resolved.ok) return resolved;
  const { apps, stores } = resolved.value;
  return done({
    core: coreGeneration(inputs, resolved.value),
    apps: mapValues(apps, (app, name) => appGeneration({ inputs, resolved: resolved.value }, name, app)),
    stores: mapValues(stores, (store, name) => storeGeneration({ inputs, resolved: resolved.value }, name, store)),
  });
}

/** Host name → app: all the core knows of the apps. */
export function routesOf(architecture: ResolvedArchitecture): Record<string, string> {
  const routes = Object.entries(architecture.apps).flatMap(([name, app]) => app.hosts.map((host): [string, string] => [host, name]));
  return Object.fromEntries(routes.toSorted(([a], [b]) => byCodeUnit(a, b)));
}

type View = { inputs: ReleaseInputs; resolved: ResolvedArchitecture };

function appGeneration({ inputs, resolved }: View, name: string, app: App): Generation {
  const services = mapValues(app.services, (service, serviceName) => ({
    key: keyOf(inputs, `${name}/${serviceName}`),
    ...membersOf(service, serviceParts.body),
    steps: patiently(service.steps),
    secrets: deliveries(resolved, service.secrets),
    ...bodyReplicas(service),
  }));
  const paths = mapValues(app.services, (service) => ({ ...checked(membersOf(service, serviceParts.path)), ...pathReplicas(service) }));
  return generation({
    unit: ['app', name],
    body: { services, stages: app.stages, wayOut: wayOutOf(app, inputs), gateway: gatewayOf({ inputs, resolved }, app) },
    path: {
      ...membersOf(app, appParts.path),
      tls: resolvedTls(resolved, app),
      elsewhere: spokenTo(app.elsewhere),
      services: paths,
      proxy: inputs.changeless.proxy,
    },
  });
}

function storeGeneration({ inputs, resolved }: View, name: string, store: Store): Generation {
  return generation({
    unit: ['store', name],
    body: { key: keyOf(inputs, name), ...membersOf(store, storeParts.body), secrets: deliveries(resolved, store.secrets) },
    // How long clients wait for health is baked into its path.
    path: { ...membersOf(store, storeParts.path), proxy: inputs.changeless.proxy },
  });
}

/** The core has no instances: it is all path. */
function coreGeneration(inputs: ReleaseInputs, architecture: ResolvedArchitecture): Generation {
  const hosts = tlsHosts(architecture);
  const path = {
    ...membersOf(architecture.core, coreParts.path),
    routes: routesOf(architecture),
    ...(hosts.length > 0 && { tls: hosts }),
    ...(architecture.core.metrics && { metrics: true }),
    proxy: inputs.changeless.proxy,
  };
  return generation({ unit: ['core', 'core'], body: {}, path });
}

type Members = { readonly [key: string]: Json | undefined };

type Parts = { unit: readonly [kind: string, name: string]; body: Json; path: Json };

function generation({ unit, body, path }: Parts): Generation {
  const bodyId = digestOf({ format: format.body, unit, body }) as string as BodyId;
  const id = digestOf({ format: format.path, unit, body: bodyId, path }) as string as GenerationId;
  return { id, body: bodyId };
}

function keyOf(inputs: ReleaseInputs, component: string): ComponentKey {
  const found = inputs.components[component];
  if (found === undefined) throw new Error(`release inputs without component ${component}`);
  return found.key;
}

/** Instances that come and go are the same body however many there are. */
const bodyReplicas = ({ replicas }: Service): { replicas: number | 'elastic' } => ({
  replicas: isElastic(replicas) ? 'elastic' : replicas,
});

/** The data path is told how many there may be. When there are to be more is the controller's alone. */
const pathReplicas = ({ replicas }: Service): Record<string, Json> =>
  isElastic(replicas) ? { replicas: { min: replicas.min, max: replicas.max } } : {};

const deliveries = (resolved: ResolvedArchitecture, used: UsedSecrets | undefined): Json | undefined =>
  used && secretReferences(resolved, used).map(({ file, secret, version }) => ({ file, secret, version }));

/** With the versions of its secrets: a new certificate is a new data path. */
const resolvedTls = (resolved: ResolvedArchitecture, { tls }: App): Json | undefined =>
  tls && { secrets: deliveries(resolved, tlsSecrets(tls)), redirectPort: redirectPort(resolved, tls) };

const wayOutOf = ({ elsewhere }: App, { changeless: { proxy } }: ReleaseInputs): Json | undefined =>
  elsewhere && { host: elsewhere.host, port: elsewhere.port, proxy, format: format.wayOut };

/** The controller's image has its program, and so is part of what it is. */
const gatewayOf = ({ inputs, resolved }: View, { gateway }: App): Json | undefined =>
  gateway && {
    ...gateway,
    secrets: deliveries(resolved, gatewayService(gateway).secrets),
    program: gatewayBase(gateway, inputs.changeless).key,
  };

function spokenTo(elsewhere: Elsewhere | undefined): Json | undefined {
  if (elsewhere === undefined) return undefined;
  const { tls, hostHeader, health } = elsewhere;
  return checked({ tls, hostHeader, health });
}

/** How long a rollout waits for health is the rollout's patience: nothing that runs knows it. */
function checked(members: Members): Members {
  const { timeoutMs: _patience, ...health } = members['health'] as Members;
  return { ...members, health };
}

/** What steps do, without how long the rollout waits for them. */
function patiently(steps: Service['steps']): Json | undefined {
  const commands = (list: readonly ServiceStep[]): Json => list.map(({ name, command }) => ({ name, command }));
  return steps && { before: commands(steps.before), after: commands(steps.after) };
}

/** The members that enter an id, by the part of it they enter. */
function placesOf<Item extends object>(
  parts: Readonly<Record<keyof Item, Part>>,
): { body: (keyof Item & string)[]; path: (keyof Item & string)[] } {
  const all = Object.entries(parts) as [keyof Item & string, Part][];
  const named = (wanted: Part) => all.filter(([, part]) => part === wanted).map(([name]) => name);
  return { body: named('body'), path: named('path') };
}

function membersOf<Item extends object>(item: Item, names: readonly (keyof Item & string)[]): Record<string, Json> {
  const members: Record<string, Json> = {};
  for (const name of names) members[name] = item[name] as Json;
  return members;
}
