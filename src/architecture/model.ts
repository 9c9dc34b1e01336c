import type { SourceLimits, SourceRules } from '../source-rules.ts';
import type { Policy } from '../policy.ts';
import type { ResourceLimits, UsedSecrets } from './container-model.ts';
import type { Job } from './job-model.ts';

export type { ResourceLimits, UsedSecrets } from './container-model.ts';

/**
 * The architecture after validation: every default filled in, nothing optional that has a meaning when left out.
 * This is what is hashed and what the manifest holds.
 */
export type Architecture = {
  name: string;
  core: Core;
  apps: Readonly<Record<string, App>>;
  stores: Readonly<Record<string, Store>>;
  /** Images only: job steps run in them. */
  agents: Readonly<Record<string, Agent>>;
  /** Left out where there are none. */
  jobs?: Readonly<Record<string, Job>>;
  environments: Readonly<Record<string, EnvironmentChange>>;
  /** Left out where everything switches together, so that manifests of before it existed say the same. */
  rollout?: Exclude<RolloutPolicy, 'together'>;
  /** Who is told what happens, by name. */
  channels?: Readonly<Record<string, Channel>>;
  secrets?: Secrets;
  /** Left out where pushes deliver nothing. */
  deliver?: Deliver;
  /** Of an environment that says so. */
  schedules?: boolean;
};

/** By name: which version is used. Left out where there are none. */
export type Secrets = Readonly<Record<string, { version: number }>>;

/**
 * What pushes deliver. `repository`: left out where it is the gateway's own. `folder`: where `architecture.ts` is in the repository, empty at its top. `secret`: with which it is read. It belongs
 * to the controller alone, and so to no generation.
 */
export type Deliver = { repository?: string; branch: string; folder: string; secret?: string };

/** Takes messages as JSON over HTTP. The address may be a secret's value. `secret`: with the key that they are signed with. */
export type Channel = { webhook: string | { secret: string }; secret?: string };

export const forgeKinds = ['github'] as const;

/** Where the repository is, for those who push to it. `token`: the secret to ask with; `api`: the address of what is asked. */
export type ForgeSettings = { kind: (typeof forgeKinds)[number]; repository: string; token: string; api: string };

/** What switches together: all of a release, each app for itself, or groups of apps by name (those in none go together). */
export type RolloutPolicy = 'together' | 'per-app' | Readonly<Record<string, readonly string[]>>;

/** `tls`: for encrypted connections, which reach the apps that have a certificate. Left out where it is not. */
export type Publish = { address: string; port: number; tls?: true };

/** `metrics`: where what is counted is shown. */
export type Core = { publish: readonly Publish[]; sources?: SourceRules; perSource?: SourceLimits; metrics?: Omit<Publish, 'tls'> };

export type App = {
  /** Lower-case DNS names; unique among all apps of an environment. */
  hosts: readonly string[];
  /** Of an app that lives elsewhere, its stages alone. */
  services: Readonly<Record<string, Service>>;
  /** Services that requests pass through, in this order, before they come to the entry. Left out where there are none. */
  stages?: readonly string[];
  /** Where it lives when it is not deployed here. */
  elsewhere?: Elsewhere;
  /** Of the app called `gateway`, which no architecture writes as one: it has no services of its own. */
  gateway?: Gateway;
  drain: { limitMs: number };
  /** How long the generation before stays ready to take over again. */
  bake?: { forMs: number };
  /** What its data path does with requests and answers besides passing them on. */
  policy?: Policy;
  /** Left out where its data path takes plain HTTP alone. */
  tls?: Tls;
  /** By name; on its data path. */
  alarms?: Alarms<PathMetric>;
};

/**
 * An origin: a host (a name, or an IPv4 address) and a port that answer HTTP. `tls.name`: whose certificate it has to show; `ca`: who
 * vouches for it, as PEM, the system's authorities when left out. `hostHeader`: sent in place of the host that a client asked for.
 */
export type Elsewhere = {
  host: string;
  port: number;
  tls?: { name: string; ca?: string };
  hostHeader?: string;
  health: HttpHealth;
};

/** What takes webhooks, each under its name; any instance takes any of them. */
export type Gateway = {
  replicas: number;
  webhooks: Readonly<Record<string, Webhook>>;
  /** Whether it answers the API. Left out where it does not. */
  api?: true;
  /** It is a git remote, too. `secret`: of the password. */
  git?: { secret: string };
};

/** `github`: as GitHub sends and signs them; `signed`: as Standard Webhooks say. `repository`: pushes of others are ignored. */
export type Webhook = { format: 'github' | 'signed'; secret: string; repository?: string };

/** The name of the app that a gateway is. */
export const gatewayApp = 'gateway';

/** The secrets that are a certificate and its key, as PEM. `plain`: what comes unencrypted is let on, and redirected when left out. */
export type Tls = { certificate: string; key: string; plain?: 'allow' };

/** What a data path tells of itself. */
export const pathMetrics = ['request-rate', 'error-ratio', 'latency-p50', 'latency-p95', 'latency-p99', 'queue', 'connections'] as const;

/** What is known of each instance. */
export const instanceMetrics = ['cpu', 'memory', 'restarts'] as const;

/** What is known of a store: connections and those that wait, and its server. */
export const storeMetrics = ['queue', 'connections', ...instanceMetrics] as const;

export type PathMetric = (typeof pathMetrics)[number];
export type InstanceMetric = (typeof instanceMetrics)[number];
export type StoreMetric = (typeof storeMetrics)[number];

/** Fires when the metric is above (or below) the limit for so long. One of `above` and `below` is there. */
export type Alarm<Metric = PathMetric | InstanceMetric> = { metric: Metric; above?: number; below?: number; forMs: number };

export type Alarms<Metric> = Readonly<Record<string, Alarm<Metric>>>;

export type Health = HttpHealth | { kind: 'tcp'; timeoutMs: number };

export type HttpHealth = { kind: 'http'; path: string; status: number; timeoutMs: number };

/** `redis`, `postgres`: a question in the protocol; `exchange`: an answer that holds `expect`, to `send` where it is said. */
export type StoreHealth = { timeoutMs: number } & (
  | { kind: 'tcp' | 'redis' | 'postgres' }
  | { kind: 'exchange'; send?: string; expect: string }
);

export type Service = {
  build: ComponentSource;
  port: number;
  /** The app's requests arrive here; exactly one service of an app. */
  entry: boolean;
  replicas: Replicas;
  health: Health;
  settings: Readonly<Record<string, string>>;
  /** Path in the image → contents. */
  files: Readonly<Record<string, string>>;
  /** Paths that are memory in the running instance; all else is read-only. */
  writable: Readonly<Record<string, { sizeBytes: number }>>;
  limits: ResourceLimits;
  /** Stores it may reach, by name. */
  stores: readonly string[];
  /** Whether it may open connections to the world. */
  outbound: boolean;
  /** Left out where it gets none. */
  secrets?: UsedSecrets;
  stopMs: number;
  /** What an instance is sent when it no longer gets requests and those it has are being finished. */
  drainSignal?: DrainSignal;
  /** By name; on each of its instances. */
  alarms?: Alarms<InstanceMetric>;
  /** Left out where there are none. Each list in the order in which they run. */
  steps?: { before: readonly ServiceStep[]; after: readonly ServiceStep[] };
};

/** A command run once from the service's image: `before` the switch to a new body, or `after` it. */
export type ServiceStep = { name: string; command: readonly string[]; limitMs: number };

/** All steps of a service, those before the switch first. */
export const stepsOf = ({ steps }: Pick<Service, 'steps'>): ServiceStep[] => (steps ? [...steps.before, ...steps.after] : []);

/** So many instances, or as many within a range as someone says or a metric asks for. */
export type Replicas = number | ReplicaRange;

/** `target`: what each instance is to have of the metric: share of a core, or requests in flight. */
export type ReplicaRange = { min: number; max: number; metric?: ScaleMetric; target?: number };

export const scaleMetrics = ['cpu', 'requests'] as const;

export type ScaleMetric = (typeof scaleMetrics)[number];

export const isElastic = (replicas: Replicas): replicas is ReplicaRange => typeof replicas !== 'number';

/** The most instances that there may be. */
export const mostOf = (replicas: Replicas): number => (isElastic(replicas) ? replicas.max : replicas);

export const drainSignals = ['SIGHUP', 'SIGTERM', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH'] as const;

export type DrainSignal = (typeof drainSignals)[number];

export type Store = {
  build: ComponentSource;
  port: number;
  /** Where the kept volume is mounted. */
  data: string;
  /** Names the form the data have. Another one is another volume: a data generation. */
  format?: string;
  /** Makes data of the format before into this one; run in the server's image, on a copy. */
  upgrade?: { command: readonly string[] };
  health: StoreHealth;
  settings: Readonly<Record<string, string>>;
  files: Readonly<Record<string, string>>;
  writable: Readonly<Record<string, { sizeBytes: number }>>;
  limits: ResourceLimits;
  stopMs: number;
  secrets?: UsedSecrets;
  alarms?: Alarms<StoreMetric>;
};

export type Agent = { build: ComponentSource };

/** A folder that becomes an image. `repository`: another git repository's address; the lock pins its commit. */
export type ComponentSource = {
  folder: string;
  repository?: string;
  dockerfile: string;
  target?: string;
  arguments: Readonly<Record<string, string>>;
  tests: readonly ComponentTest[];
};

/** `command` runs in a container of the built image without network; `target` is built. */
export type ComponentTest = { command: readonly string[] } | { target: string };

/** What an environment changes; what it leaves out stays as in the architecture. */
export type EnvironmentChange = {
  channels?: Readonly<Record<string, Channel>>;
  /** Of this environment alone: whoever runs the release elsewhere tells the forge nothing. */
  forge?: ForgeSettings;
  secrets?: Secrets;
  deliver?: { branch: string };
  schedules?: boolean;
  core?: Partial<Core>;
  apps?: Readonly<Record<string, AppChange>>;
  stores?: Readonly<Record<string, { settings?: Readonly<Record<string, string>>; limits?: ResourceLimits }>>;
};

/** Members of `policy` are replaced one by one. */
export type AppChange = {
  hosts?: readonly string[];
  bake?: { forMs: number };
  policy?: Policy;
  tls?: Tls;
  /** In place of the app's own, whole. */
  elsewhere?: Elsewhere;
  services?: Readonly<Record<string, ServiceChange>>;
};

export type ServiceChange = { replicas?: Replicas; settings?: Readonly<Record<string, string>>; limits?: ResourceLimits };
