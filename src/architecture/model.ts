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
  environments: Readonly<Record<string, EnvironmentChange>>;
  /** Left out where everything switches together, so that manifests of before it existed say the same. */
  rollout?: Exclude<RolloutPolicy, 'together'>;
};

/** What switches together: all of a release, each app for itself, or groups of apps by name (those in none go together). */
export type RolloutPolicy = 'together' | 'per-app' | Readonly<Record<string, readonly string[]>>;

export type Publish = { address: string; port: number };

export type Core = { publish: readonly Publish[] };

export type App = {
  /** Lower-case DNS names; unique among all apps of an environment. */
  hosts: readonly string[];
  services: Readonly<Record<string, Service>>;
  drain: { limitMs: number };
};

export type Health = { kind: 'http'; path: string; status: number; timeoutMs: number } | { kind: 'tcp'; timeoutMs: number };

/** `redis`, `postgres`: a question in the protocol; `exchange`: an answer that holds `expect`, to `send` where it is said. */
export type StoreHealth = { timeoutMs: number } & (
  | { kind: 'tcp' | 'redis' | 'postgres' }
  | { kind: 'exchange'; send?: string; expect: string }
);

export type ResourceLimits = { memoryBytes: number; processes: number; cpus?: number };

export type Service = {
  build: ComponentSource;
  port: number;
  /** The app's requests arrive here; exactly one service of an app. */
  entry: boolean;
  replicas: number;
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
  stopMs: number;
  /** What an instance is sent when it no longer gets requests and those it has are being finished. */
  drainSignal?: DrainSignal;
};

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
  core?: { publish?: readonly Publish[] };
  apps?: Readonly<Record<string, AppChange>>;
  stores?: Readonly<Record<string, { settings?: Readonly<Record<string, string>>; limits?: ResourceLimits }>>;
};

export type AppChange = { hosts?: readonly string[]; services?: Readonly<Record<string, ServiceChange>> };

export type ServiceChange = { replicas?: number; settings?: Readonly<Record<string, string>>; limits?: ResourceLimits };
