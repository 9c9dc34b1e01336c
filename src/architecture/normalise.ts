import { posix } from 'node:path';
import type * as input from './authoring.ts';
import { mapValues } from '../map-values.ts';
import { parsePublished, sizeBytes } from './expectations.ts';
import {
  gatewayApp,
  type Alarm,
  type Alarms,
  type App,
  type AppChange,
  type Architecture,
  type Channel,
  type ComponentSource,
  type Core,
  type Deliver,
  type Elsewhere,
  type EnvironmentChange,
  type Health,
  type HttpHealth,
  type Publish,
  type ResourceLimits,
  type Service,
  type ServiceChange,
  type ServiceStep,
  type Store,
  type StoreHealth,
  type Tls,
  type Webhook,
} from './model.ts';
import { normaliseJobs } from './job-normalise.ts';
import { normaliseUsed, texts } from './normalise-parts.ts';
import { normalisePolicy, normalisePolicyChange } from './policy-normalise.ts';

/** What is meant where nothing is said. */
export const defaults = {
  publish: [{ address: '127.0.0.1', port: 8080 }],
  dockerfile: 'Dockerfile',
  healthTimeoutMs: 60_000,
  healthStatus: 200,
  memoryBytes: sizeBytes('256m'),
  processes: 128,
  writableBytes: sizeBytes('16m'),
  drainMs: 30_000,
  stopMs: 10_000,
  alarmMs: 10_000,
  stepMs: 600_000,
  gatewayHost: 'deliver.localhost',
  githubApi: 'https://api.github.com',
  branch: 'main',
} as const;

type Named<T> = Readonly<Record<string, T>>;
type Base = Pick<Service, 'limits'>;

/** A value the schema accepted, with every default filled in. */
export function normalise(written: input.ArchitectureInput): Architecture {
  const apps = { ...mapValues(written.apps, normaliseApp), ...normaliseGateway(written.gateway) };
  const stores = mapValues(written.stores, normaliseStore);
  return {
    name: written.name,
    core: { publish: defaults.publish, ...normaliseCore(written.core) },
    apps,
    stores,
    agents: mapValues(written.agents, (agent) => ({ build: normaliseBuild(agent.build) })),
    ...normaliseJobs(written.jobs),
    environments: { local: {}, ...mapValues(written.environments, (change) => normaliseEnvironment(change, { apps, stores })) },
    ...normaliseChannels(written.channels),
    ...normaliseSecrets(written.secrets),
    ...normaliseDeliver(written.deliver ?? (written.gateway?.git && {})),
    ...(written.rollout && written.rollout !== 'together' && { rollout: written.rollout }),
  };
}

function normaliseApp(app: input.AppInput, name: string): Architecture['apps'][string] {
  const { services = {}, stages = [] } = app;
  const ends = Object.keys(services).filter((service) => !stages.includes(service));
  return {
    hosts: app.hosts ?? [`${name}.localhost`],
    services: mapValues(services, (service, own) => normaliseService(service, ends.length === 1 && ends[0] === own)),
    ...(stages.length > 0 && { stages }),
    ...normaliseElsewhere(app.elsewhere),
    drain: { limitMs: app.drain?.limitMs ?? defaults.drainMs },
    ...normaliseAlarms(app.alarms),
    ...(app.bake && { bake: { forMs: app.bake.forMs } }),
    ...normalisePolicy(app.policy),
    ...normaliseTls(app.tls),
  };
}

function normaliseGateway(gateway: input.GatewayInput | undefined): Record<string, App> {
  if (gateway === undefined) return {};
  const { host = defaults.gatewayHost, replicas = 1 } = gateway;
  const webhooks = mapValues(gateway.webhooks ?? {}, ({ secret, repository }, name): Webhook => ({
    format: name === 'github' ? 'github' : 'signed',
    secret,
    ...(repository !== undefined && { repository }),
  }));
  const more = { ...(gateway.api === true && { api: true as const }), ...(gateway.git && { git: { secret: gateway.git.secret } }) };
  return {
    [gatewayApp]: { hosts: [host], services: {}, gateway: { replicas, webhooks, ...more }, drain: { limitMs: defaults.drainMs } },
  };
}

function normaliseDeliver(deliver: input.DeliverInput | undefined): { deliver?: Deliver } {
  if (deliver === undefined) return {};
  const { repository, branch = defaults.branch, folder = '', secret } = deliver;
  return {
    deliver: {
      ...(repository !== undefined && { repository }),
      branch,
      folder: posix.join(folder, '.').replace(/^\.$/, ''),
      ...(secret !== undefined && { secret }),
    },
  };
}

const normaliseTls = (tls: input.TlsInput | undefined): { tls?: Tls } =>
  tls ? { tls: { certificate: tls.certificate, key: tls.key, ...(tls.plain === 'allow' && { plain: 'allow' as const }) } } : {};

function normaliseElsewhere(elsewhere: input.ElsewhereInput | undefined): { elsewhere?: Elsewhere } {
  if (elsewhere === undefined) return {};
  const { host, port, tls, hostHeader, health } = elsewhere;
  const { name = host, ca } = tls === true ? {} : (tls ?? {});
  return {
    elsewhere: {
      host,
      port,
      ...(tls && { tls: { name, ...(ca !== undefined && { ca }) } }),
      ...(hostHeader !== undefined && { hostHeader }),
      health: normaliseHttpHealth(health),
    },
  };
}

const normaliseService = (service: input.ServiceInput, isOnlyEnd: boolean): Service => ({
  ...normaliseContainer(service),
  entry: service.entry ?? isOnlyEnd,
  replicas: service.replicas ?? 1,
  health: normaliseHealth(service.health),
  stores: service.stores ?? [],
  outbound: service.outbound ?? false,
  ...(service.drainSignal && { drainSignal: service.drainSignal }),
  ...normaliseAlarms(service.alarms),
  ...normaliseSteps(service.steps),
});

// Lists, because nothing that is hashed keeps the order of members.
function normaliseSteps({ before, after }: input.StepsInput = {}): Pick<Service, 'steps'> {
  const listed = (steps: Named<input.StepInput> = {}): ServiceStep[] =>
    Object.entries(steps).map(([name, { command, limitMs = defaults.stepMs }]) => ({ name, command, limitMs }));
  const steps = { before: listed(before), after: listed(after) };
  return steps.before.length + steps.after.length > 0 ? { steps } : {};
}

const normaliseStore = (store: input.StoreInput): Store => ({
  ...normaliseContainer(store),
  data: store.data,
  ...(store.format !== undefined && { format: store.format }),
  ...(store.upgrade && { upgrade: { command: store.upgrade.command } }),
  ...normaliseAlarms(store.alarms),
  health: normaliseStoreHealth(store.health),
});

const normaliseChannels = (channels: input.ArchitectureInput['channels'] = {}): Pick<Architecture, 'channels'> =>
  Object.keys(channels).length === 0 ? {} : { channels: mapValues(channels, normaliseChannel) };

const normaliseChannel = ({ webhook, secret }: input.ChannelInput): Channel => ({ webhook, ...(secret !== undefined && { secret }) });

function normaliseForge(forge: input.ForgeInput | undefined): Pick<EnvironmentChange, 'forge'> {
  if (forge === undefined) return {};
  const { kind, repository, token, api = defaults.githubApi } = forge;
  return { forge: { kind, repository, token, api: api.replace(/\/+$/, '') } };
}

const normaliseSecrets = (secrets: input.ArchitectureInput['secrets'] = {}): Pick<Architecture, 'secrets'> =>
  Object.keys(secrets).length === 0 ? {} : { secrets: mapValues(secrets, ({ version }) => ({ version })) };

/** None is nothing, so that manifests of before there were alarms say the same. */
function normaliseAlarms<Metric extends string>(alarms: Named<input.AlarmInput<Metric>> = {}): { alarms?: Alarms<Metric> } {
  if (Object.keys(alarms).length === 0) return {};
  const filled = mapValues(alarms, ({ metric, above, below, forMs = defaults.alarmMs }): Alarm<Metric> => {
    const limit = above === undefined ? { below: below ?? 0 } : { above };
    return { metric, ...limit, forMs };
  });
  return { alarms: filled };
}

const normaliseContainer = (container: input.ServiceInput | input.StoreInput) => ({
  build: normaliseBuild(container.build),
  port: container.port,
  settings: texts(container.settings),
  files: container.files ?? {},
  writable: normaliseWritable(container.writable),
  limits: normaliseLimits(container.limits),
  stopMs: container.stopMs ?? defaults.stopMs,
  ...normaliseUsed(container.secrets),
});

function normaliseBuild(build: input.BuildInput): ComponentSource {
  const component = typeof build === 'string' ? { folder: build } : build;
  const { tests = [] } = component;
  return {
    folder: component.folder.replace(/^\.\//, ''),
    ...(component.repository !== undefined && { repository: component.repository }),
    dockerfile: (component.dockerfile ?? defaults.dockerfile).replace(/^\.\//, ''),
    ...(component.target !== undefined && { target: component.target }),
    arguments: texts(component.args),
    tests: 'length' in tests ? tests : [tests],
  };
}

function normaliseHealth(health: input.HealthInput = 'tcp'): Health {
  if (health === 'tcp') return { kind: 'tcp', timeoutMs: defaults.healthTimeoutMs };
  return 'path' in health ? normaliseHttpHealth(health) : { kind: 'tcp', timeoutMs: health.timeoutMs ?? defaults.healthTimeoutMs };
}

const normaliseHttpHealth = ({ path, status, timeoutMs }: input.ElsewhereInput['health']): HttpHealth => ({
  kind: 'http',
  path,
  status: status ?? defaults.healthStatus,
  timeoutMs: timeoutMs ?? defaults.healthTimeoutMs,
});

function normaliseStoreHealth(health: input.StoreHealthInput = 'tcp'): StoreHealth {
  if (health === 'tcp') return { kind: 'tcp', timeoutMs: defaults.healthTimeoutMs };
  const timeoutMs = health.timeoutMs ?? defaults.healthTimeoutMs;
  if ('tcp' in health) return { kind: 'tcp', timeoutMs };
  if ('protocol' in health) return { kind: health.protocol, timeoutMs };
  return { kind: 'exchange', ...(health.send !== undefined && { send: health.send }), expect: health.expect, timeoutMs };
}

function normaliseWritable(writable: input.Writable = []): Service['writable'] {
  if ('length' in writable && Array.isArray(writable))
    return Object.fromEntries(writable.map((path: string) => [path, { sizeBytes: defaults.writableBytes }]));
  return mapValues(writable as Named<{ size: input.Size }>, ({ size }) => ({ sizeBytes: sizeBytes(size) }));
}

function normaliseLimits(limits: input.LimitsInput = {}, base?: ResourceLimits): ResourceLimits {
  const cpus = limits.cpus ?? base?.cpus;
  return {
    memoryBytes: limits.memory === undefined ? (base?.memoryBytes ?? defaults.memoryBytes) : sizeBytes(limits.memory),
    processes: limits.processes ?? base?.processes ?? defaults.processes,
    ...(cpus !== undefined && { cpus }),
  };
}

const normaliseCore = ({ publish, sources, perSource, metrics }: input.CoreInput = {}): Partial<Core> => ({
  ...(publish && { publish: normalisePublish(publish) }),
  ...(sources && { sources: said(sources) }),
  ...(perSource && { perSource: said(perSource) }),
  ...(metrics !== undefined && { metrics: normalisePublished(metrics) }),
});

function normalisePublish(publish: NonNullable<input.CoreInput['publish']>): Publish[] {
  return publish.map((item) => ({ ...normalisePublished(item), ...(typeof item === 'object' && item.tls && { tls: true as const }) }));
}

function normalisePublished(item: NonNullable<input.CoreInput['metrics']>): { address: string; port: number } {
  if (typeof item === 'number') return { address: '127.0.0.1', port: item };
  if (typeof item === 'object') return { address: item.address ?? '127.0.0.1', port: item.port };
  return parsePublished(item) ?? { address: '127.0.0.1', port: 0 };
}

// Limits are replaced whole where a release runs, so those an environment leaves out are taken from what it changes.
function normaliseEnvironment(change: input.EnvironmentInput, base: Pick<Architecture, 'apps' | 'stores'>): EnvironmentChange {
  return {
    ...normaliseChannels(change.channels),
    ...normaliseForge(change.forge),
    ...normaliseSecrets(change.secrets),
    ...(change.deliver && { deliver: { branch: change.deliver.branch } }),
    ...(change.schedules !== undefined && { schedules: change.schedules }),
    ...(change.core && { core: normaliseCore(change.core) }),
    ...normaliseAppChanges(change, base.apps),
    ...(change.stores && { stores: mapValues(change.stores, (store, name) => normaliseChange(store, base.stores[name])) }),
  };
}

function normaliseAppChanges({ apps, gateway }: input.EnvironmentInput, base: Architecture['apps']): Pick<EnvironmentChange, 'apps'> {
  if (apps === undefined && gateway?.host === undefined) return {};
  const changes = mapValues(apps, (app, name) => normaliseAppChange(app, base[name]?.services ?? {}));
  return { apps: { ...changes, ...(gateway?.host !== undefined && { [gatewayApp]: { hosts: [gateway.host] } }) } };
}

const normaliseAppChange = (app: NonNullable<input.EnvironmentInput['apps']>[string], services: Named<Base>): AppChange => ({
  ...(app.hosts && { hosts: app.hosts }),
  ...(app.bake && { bake: { forMs: app.bake.forMs } }),
  ...normalisePolicyChange(app.policy),
  ...normaliseTls(app.tls),
  ...normaliseElsewhere(app.elsewhere),
  ...(app.services && { services: mapValues(app.services, (service, name) => normaliseChange(service, services[name])) }),
});

const normaliseChange = (change: input.ServiceChangeInput, base: Base | undefined): ServiceChange => ({
  ...(change.replicas !== undefined && { replicas: change.replicas }),
  ...(change.settings && { settings: texts(change.settings) }),
  ...(change.limits && { limits: normaliseLimits(change.limits, base?.limits) }),
});

/** Only what was said. */
const said = <Members extends object>(members: Members): Members =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Members;
