/**
 * What `architecture.ts` is written with. Every function gives back the plain data it was given (`allow` and `deny` add which
 * of the two it is): they are there so that an editor can complete and check it. Values are checked again when the commit is evaluated.
 */

import type { ChannelInput, ForgeInput } from './channel-authoring.ts';
import type { LimitsInput, SecretsInput, Settings } from './container-authoring.ts';
import type { DeliverInput } from './deliver-authoring.ts';
import type { JobInput } from './job-authoring.ts';
import type { PolicyInput } from './policy-authoring.ts';
import type { Size } from './size-authoring.ts';

export * from './channel-authoring.ts';
export type * from './container-authoring.ts';
export * from './deliver-authoring.ts';
export * from './job-authoring.ts';
export * from './policy-authoring.ts';
export type { Size } from './size-authoring.ts';

/** Absolute path in the image → contents. */
export type Files = { [path: string]: string };

/** Paths that are memory in the running instance, 16 MiB each unless a size is given. All else is read-only. */
export type Writable = readonly string[] | { [path: string]: { size: Size } };

/** A command run in a container of the built image without network, or a target of the Dockerfile that is built. */
export type TestInput = { command: readonly string[] } | { target: string };

/** A folder of the repository (or of another one) that becomes an image. */
export type ComponentInput = {
  /** Where the Dockerfile is, relative to `architecture.ts` (or to the top of `repository`). */
  folder: string;
  /** Another git repository's address; `architecture.lock` pins its commit. */
  repository?: string;
  /** `Dockerfile` when left out; relative to the folder. */
  dockerfile?: string;
  /** The Dockerfile's stage to build; its last when left out. */
  target?: string;
  /** Build arguments. */
  args?: { [name: string]: string | number | boolean };
  /** Run when the image is built; one that fails breaks the build. */
  tests?: TestInput | readonly TestInput[];
};

/** A folder, or all of a component. */
export type BuildInput = string | ComponentInput;

/** When an instance can take requests: it answers this path over HTTP, or its port accepts connections. */
export type HealthInput =
  | 'tcp'
  | {
      path: string;
      /** 200 when left out. */
      status?: number;
      /** How long it may take to become healthy: 60,000 when left out. */
      timeoutMs?: number;
    }
  | { tcp: true; timeoutMs?: number };

/**
 * A number, or a range: instances come and go within it, by `changeless scale` or as `metric` asks. `target` is what each instance is
 * to have: of `cpu` a share of a core, of `requests` how many are in flight (of the service where an app's requests arrive).
 */
export type ReplicasInput = number | { min: number; max: number; metric?: 'cpu' | 'requests'; target?: number };

/**
 * Fires when the metric was above (or below) the limit for `forMs`: 10,000 when left out. While its app bakes, one that fires has the
 * generation before take over again; afterwards it is only told.
 */
export type AlarmInput<Metric extends string = string> = { metric: Metric; above?: number; below?: number; forMs?: number };

/**
 * `request-rate` a second; `error-ratio`: the share of answers that are 5xx, 0 to 1; `latency-p99`: milliseconds until an answer
 * begins; `queue`: requests that wait for an instance; `connections`: open now.
 */
export type PathMetric = 'request-rate' | 'error-ratio' | 'latency-p50' | 'latency-p95' | 'latency-p99' | 'queue' | 'connections';

/** Of any one instance: `cpu` in cores, `memory` as a share of its limit, 0 to 1; `restarts`: how many ended by themselves within `forMs`. */
export type InstanceMetric = 'cpu' | 'memory' | 'restarts';

/**
 * When a store's server can take clients: its port accepts connections, it answers in its own protocol, or the answer to `send`
 * (nothing for a server that speaks first) holds `expect`. New connections wait for that, at most `timeoutMs`: 60,000 when left
 * out. A server with much data may need minutes. `postgres` asks as the user `postgres`, who need not exist.
 */
export type StoreHealthInput =
  | 'tcp'
  | { tcp: true; timeoutMs?: number }
  | { protocol: 'redis' | 'postgres'; timeoutMs?: number }
  | { send?: string; expect: string; timeoutMs?: number };

/**
 * Which version of a secret is used: `secrets/<name>/<version>.age`, as `changeless secret add` makes it. A version never changes; to
 * move to another is a commit, and replaces who uses it.
 */
export type SecretInput = { version: number };

/** One part of an app: a component's image, as many instances as `replicas` says. */
export type ServiceInput = {
  build: BuildInput;
  /** The port it listens on. */
  port: number;
  /** The app's requests arrive here. Not needed where an app has one service. */
  entry?: boolean;
  /** Instances: 1 when left out. */
  replicas?: ReplicasInput;
  /** `'tcp'` when left out. */
  health?: HealthInput;
  settings?: Settings;
  files?: Files;
  writable?: Writable;
  limits?: LimitsInput;
  /** Names of the stores it may reach. */
  stores?: readonly string[];
  /** Secrets it gets: each is a file in `/run/secrets`, in memory, that only the user of its image may read. */
  secrets?: SecretsInput;
  /** Whether it may open connections to the world: no when left out. */
  outbound?: boolean;
  /**
   * Sent to each instance when it is being replaced and gets no new requests any more, so that it can say goodbye in its own
   * protocol (a WebSocket's close 1001). None when left out.
   */
  drainSignal?: 'SIGHUP' | 'SIGTERM' | 'SIGUSR1' | 'SIGUSR2' | 'SIGWINCH';
  /** By name; on its instances. */
  alarms?: { [name: string]: AlarmInput<InstanceMetric> };
  /** How long an instance may take to stop: 10,000 when left out. */
  stopMs?: number;
  /** Commands that run once around the switch to new instances. */
  steps?: StepsInput;
};

/**
 * Named commands that run once, from the service's image with its settings, files, limits and stores, when new instances of the
 * app come: also when an earlier release is rolled back to. Those of a service run one after another, in the order they are
 * written in. They must bear to be repeated, and the instances that serve meanwhile must bear what they do.
 */
export type StepsInput = {
  /** Before any of the app's new instances starts. One that fails, fails the release: nothing is switched. */
  before?: { [name: string]: StepInput };
  /** Once the release is live. One that fails is said; the release stays live. */
  after?: { [name: string]: StepInput };
};

export type StepInput = {
  /** The program and its arguments. */
  command: readonly string[];
  /** How long it may take before it is killed, which is to fail: 600,000 when left out. */
  limitMs?: number;
};

/** One or more services behind a data path of their own, or what lives elsewhere behind one. */
export type AppInput = {
  /** Host names it answers to: `<app>.localhost` when left out. */
  hosts?: readonly string[];
  services?: { [name: string]: ServiceInput };
  /**
   * Services of the app that requests pass through, in this order, after the policy and before the entry or a route's service: a
   * firewall, an authentication proxy. Each answers itself, or sends the request on, with the headers it came with, to the address in
   * its environment variable `CHANGELESS_NEXT` (`http://path.:10200`). A change of their list replaces the app's instances.
   */
  stages?: readonly string[];
  /** Where the app lives when it is not deployed here; its only services then are its stages. */
  elsewhere?: ElsewhereInput;
  /** How long requests that have begun may last when the app is replaced: 30,000 when left out. */
  drain?: { limitMs: number };
  /**
   * For so long after the switch the generation before stays up beside the new one, so that going back to it takes no more than
   * a handover: by `changeless rollback`, or by itself when an alarm fires. Not at all when left out.
   */
  bake?: { forMs: number };
  /** What its data path does with requests and answers; nothing but passing them on when left out. */
  policy?: PolicyInput;
  /** Its certificate, for its hosts at the ports the core publishes for TLS; plain HTTP alone when left out. */
  tls?: TlsInput;
  /** By name; on its data path. */
  alarms?: { [name: string]: AlarmInput<PathMetric> };
};

/**
 * A host that is not of this architecture, behind a data path of the app's own. A new generation goes live only when it is healthy.
 * Its name is looked up while the app runs, so it may move. An environment may say another one.
 */
export type ElsewhereInput = {
  /** A name, or an IPv4 address. */
  host: string;
  port: number;
  /**
   * Speaks TLS to it: its certificate has to be for `name` (the host, when left out), and vouched for by `ca`, certificates as PEM
   * (the authorities that Debian trusts, when left out).
   */
  tls?: true | { name?: string; ca?: string };
  /** Sent as `Host`, in place of the name that the client asked for. */
  hostHeader?: string;
  /** Asked for with `hostHeader` as `Host`, or with the host itself. */
  health: { path: string; status?: number; timeoutMs?: number };
};

/**
 * Names of the secrets that hold the certificate (with those that lead to its authority behind it) and its key, as PEM; one
 * secret may hold both. Clients get TLS 1.2 or 1.3, HTTP/2 or 1.1. Requests that come unencrypted are redirected (308) to the first
 * port that is published for TLS, unless `plain` is `'allow'`. Another version of the secrets replaces the app's data path over the
 * same instances. `changeless secret certificate` makes one for hosts below `localhost`.
 */
export type TlsInput = { certificate: string; key: string; plain?: 'redirect' | 'allow' };

/**
 * A stateful component: its container is replaced, the volume at `data` is kept. A new server is first tried on a copy of
 * the data, then on the data in private, with a snapshot to go back to; clients wait meanwhile, and are let in last.
 */
export type StoreInput = {
  build: BuildInput;
  port: number;
  /** Where the kept volume is mounted. */
  data: string;
  /**
   * Names the form the data have, `'15'`: lower-case letters, digits and hyphens. A change of it makes a new volume from a copy
   * that `upgrade` transforms, while clients wait; the volume of the format before is kept as it is.
   */
  format?: string;
  /** Run in the server's image with the copy mounted at `data`, without network: makes data of the format before into this one. */
  upgrade?: { command: readonly string[] };
  /** `'tcp'` when left out, which a server that listens before it has read its data passes too early. */
  health?: StoreHealthInput;
  settings?: Settings;
  files?: Files;
  writable?: Writable;
  limits?: LimitsInput;
  stopMs?: number;
  /** Secrets its server gets: each is a file in `/run/secrets`, in memory, that only the user of its image may read. */
  secrets?: SecretsInput;
  /** By name; on its data path and its server. */
  alarms?: { [name: string]: AlarmInput<'queue' | 'connections' | InstanceMetric> };
};

/** An image in which job steps run. */
export type AgentInput = { build: BuildInput };

/**
 * A published port: `8080`, `'0.0.0.0:443'`, or address and port. The address is 127.0.0.1 when left out. `tls`: the port is for
 * encrypted connections. The core passes them on by the name that the client says at their beginning (SNI) to the app that has a
 * certificate for it, and closes all others; at such a port `perSource.requests` counts nothing, for the core sees no request.
 */
export type PublishInput = number | `${string}:${number}` | { address?: string; port: number; tls?: boolean };

/** The thin tier that all apps share. It publishes 127.0.0.1:8080 when nothing is said. */
export type CoreInput = {
  publish?: readonly PublishInput[];
  /** Who may connect at all; what an app lets in is its own policy. */
  sources?: SourceRulesInput;
  /** What one source address may have; 5,000 connections at a time when left out. */
  perSource?: SourceLimitsInput;
  /**
   * A port on which the core and, through it, the data paths of all apps show what they count to Prometheus, which needs one
   * `http_sd_configs` with the address `/targets` there. The address is 127.0.0.1 when left out. Nobody is asked who they are.
   */
  metrics?: number | `${string}:${number}` | { address?: string; port: number };
};

/**
 * IP addresses or ranges of them, `'192.0.2.0/24'`. Those in `allow` (all, when left out) that are not in `deny` may connect;
 * the connections of others are closed without an answer. On the loopback address every client has that of the bridge's gateway.
 */
export type SourceRulesInput = { allow?: readonly string[]; deny?: readonly string[] };

/**
 * `connections`: at a time; more are closed without an answer. `newConnections`: within any span of so long; the same.
 * `requests`: the same, answered 429. Behind one address there may be many people.
 */
export type SourceLimitsInput = { connections?: number; newConnections?: RateInput; requests?: RateInput };

/** So many within any span of so many milliseconds, 1,000 to 3,600,000. */
export type RateInput = { count: number; perMs: number };

export type ServiceChangeInput = { replicas?: ReplicasInput; settings?: Settings; limits?: LimitsInput };

/** Each member of `policy` that is said is replaced whole; an empty one takes it away. */
export type AppChangeInput = {
  hosts?: readonly string[];
  bake?: { forMs: number };
  policy?: PolicyInput;
  tls?: TlsInput;
  /** In place of the app's own, whole. */
  elsewhere?: ElsewhereInput;
  services?: { [name: string]: ServiceChangeInput };
};

/** What an environment changes; what it leaves out stays. Settings are added to those of the service, or replace them one by one. */
export type EnvironmentInput = {
  /** Added to those of the architecture, or in place of those of the same name. */
  channels?: { [name: string]: ChannelInput };
  /** Where pushes come from. Said by an environment alone, so that a laptop tells the forge nothing. */
  forge?: ForgeInput;
  core?: CoreInput;
  gateway?: { host?: string };
  /** Another branch than elsewhere. */
  deliver?: { branch: string };
  /** Whether jobs run on their schedules: in `local` only when this is `true`, elsewhere unless it is `false`. */
  schedules?: boolean;
  /** Other versions of secrets, so that each environment has values of its own. */
  secrets?: { [name: string]: SecretInput };
  apps?: { [name: string]: AppChangeInput };
  stores?: { [name: string]: { settings?: Settings; limits?: LimitsInput } };
};

/**
 * Takes webhooks: what it has answered with 2xx is on disk, and is worked on by the controller. It has a data path of its own, as an
 * app has, and no access to the engine.
 */
export type GatewayInput = {
  /** `deliver.localhost` when left out. */
  host?: string;
  /** Instances: 1 when left out. Each takes any webhook. */
  replicas?: number;
  /**
   * By name, which ends its address: `http://deliver.localhost:8080/webhooks/<name>`. `github` is signed as GitHub does it, any other as
   * Standard Webhooks say (standardwebhooks.com). May be left out where there is `api`.
   */
  webhooks?: { [name: string]: WebhookInput };
  /**
   * Whether it answers the API, at `http://deliver.localhost:8080/api/openapi.json` and below: to who has a token of
   * `changeless token add`. Not when left out.
   */
  api?: boolean;
  /**
   * Makes it a git remote: `git push changeless main` is taken as a push is that a webhook tells of, and shows what becomes of it.
   * `changeless up` adds the remote to the repository. `secret`: the name of the secret with the password, or with several, one a line.
   */
  git?: { secret: string };
};

/** `secret`: the name of the secret with the key, or with several, one a line. `repository`: pushes of others are ignored. */
export type WebhookInput = { secret: string; repository?: string };

export type ArchitectureInput = {
  /** Names everything it makes on an engine: lower-case letters, digits and hyphens, at most 40. */
  name: string;
  core?: CoreInput;
  apps?: { [name: string]: AppInput };
  stores?: { [name: string]: StoreInput };
  /** By name; letters, digits, `-` and `_`. Never a value: those are in the encrypted files beside `architecture.ts`. */
  secrets?: { [name: string]: SecretInput };
  agents?: { [name: string]: AgentInput };
  jobs?: { [name: string]: JobInput };
  /** `local` always exists, also when it is not named here. */
  environments?: { [name: string]: EnvironmentInput };
  /**
   * What a release changes switches together or not at all (`'together'`, when left out). `'per-app'`, or named groups of apps:
   * each for itself; one that fails stays as it was, and delays no other.
   */
  rollout?: RolloutInput;
  /** Who is told what happens, by name. */
  channels?: { [name: string]: ChannelInput };
  gateway?: GatewayInput;
  /** Left out, pushes deploy nothing and start no job. */
  deliver?: DeliverInput;
};

/** Groups are lists of apps' names; apps in no group go together. Apps that share a store that changes go together, too. */
export type RolloutInput = 'together' | 'per-app' | { [group: string]: readonly string[] };

/** The whole; `architecture.ts` default-exports it. */
export const architecture = (input: ArchitectureInput): ArchitectureInput => input;

/** One or more services, or what lives elsewhere, with a data path of their own; the unit that is replaced whole. */
export const app = (input: AppInput): AppInput => input;

/** Something that is watched, and told when it is past its limit. */
export const alarm = <Metric extends string>(input: AlarmInput<Metric>): AlarmInput<Metric> => input;

/** A component's image, run in one or more instances. */
export const service = (input: ServiceInput): ServiceInput => input;

/** A stateful server whose data volume is kept. */
export const store = (input: StoreInput): StoreInput => input;

/** A value that is in no image: a name and a version. */
export const secret = (input: SecretInput): SecretInput => input;

/** An image in which job steps run. */
export const agent = (input: AgentInput): AgentInput => input;

/** A folder that becomes an image; for components that several services share. */
export const component = (input: ComponentInput): ComponentInput => input;

/** The thin tier that all apps share. */
export const core = (input: CoreInput): CoreInput => input;

/** What takes webhooks. */
export const gateway = (input: GatewayInput): GatewayInput => input;

/** Who is told what happens. */
export const channel = (input: ChannelInput): ChannelInput => input;

/** What differs where a release runs. */
export const environment = (input: EnvironmentInput): EnvironmentInput => input;
