import type { Asked } from '../asked.ts';
import type { PathMeasures } from '../datapath/path-log.ts';
import type { BodyId, CommitId, ComponentKey, GenerationId, ImageId, ReleaseId } from '../digest.ts';
import type { Request } from '../request.ts';
import type { Result } from '../result.ts';
import type { Secret } from '../secret.ts';
import type { Limits, LogLine, LogOptions, SecretDelivery, SecretValues } from './container-parts.ts';
import type { Images } from './image.ts';
import type { JobSteps } from './job-steps.ts';

export type { Limits, LogLine, LogOptions, SecretDelivery, SecretValues } from './container-parts.ts';

/** Whose a thing is. The core and the controller have the names `core` and `controller`. */
export type Owner = { kind: 'app' | 'core' | 'store' | 'controller'; name: string };

/** A generation occupies one colour of its app's slots, the next one the other. */
export const colours = ['blue', 'green'] as const;

export type Colour = (typeof colours)[number];

/** A network of the architecture. `internal`: no way out. `isolated`: its members cannot reach each other. `hosts`: addresses needed. */
export type NetworkSpec = { name: string; owner: Owner; internal: boolean; isolated: boolean; hosts: number };

/** Kept data. Never removed but by name, on request. */
export type VolumeSpec = { name: string; owner: Owner };

/**
 * `image`: one that has `sh`, `find` and GNU `cp`, which does the copying where the engine has no way of its own. `upgrade`:
 * a command that transforms the copy, run to its end with it mounted at `path`; the copy is whole when that succeeded.
 */
export type VolumeCopy = { from: string; to: VolumeSpec; image: ImageId; upgrade?: VolumeUpgrade };

export type VolumeUpgrade = { image: ImageId; command: readonly string[]; path: string };

export type PublishedPort = { address: string; port: number; target: number };

/** The instance facts a slot's members read; `address` and the host's are added by the engine. */
export type SlotFacts = { instance: string; app: string; service: string };

/**
 * A place for an instance, in one colour (paths and cores have a place without colour: they hand over).
 * `networks`: the first is where its peers live; `aliases` are the names it is found by there. `search`: the name suffix
 * tried first for plain names. `memory`: what the place keeps in memory for its members at /run/changeless:
 * `facts` readable by all, `sockets` owned by the proxy's user.
 */
export type SlotSpec = {
  name: string;
  owner: Owner;
  colour?: Colour;
  networks: readonly { network: string; aliases: readonly string[] }[];
  search?: string;
  publish: readonly PublishedPort[];
  memory: 'facts' | 'sockets';
  facts: SlotFacts;
  image: ImageId;
};

export type Mount = { kind: 'memory'; path: string; sizeBytes: number } | { kind: 'volume'; volume: string; path: string; readOnly?: true };

/** What an instance is traced to: a secret's name and version, never its value. */
export type SecretReference = Omit<SecretDelivery, 'sealed'>;

/**
 * `step`: runs to its end, once; that it is there says that it ran, and its exit code what came of it. `departure`: beside an
 * instance in its place, says to the data paths that this instance leaves.
 */
export type InstanceRole = 'service' | 'path' | 'server' | 'step' | 'departure';

/** Why an instance exists: written on it, so that it can be traced from the engine alone. */
export type Origin = {
  environment: string;
  release: ReleaseId;
  commit: CommitId | 'uncommitted';
  key: ComponentKey | string;
  tests?: string;
};

/**
 * A container of a generation, placed in a slot. `name` is unique in the architecture. Nothing else enters its creation:
 * environment, command and files are in the image.
 */
export type InstanceSpec = {
  name: string;
  slot: string;
  owner: Owner;
  role: InstanceRole;
  generation: GenerationId;
  body: BodyId;
  colour?: Colour;
  image: ImageId;
  mounts: readonly Mount[];
  /** Kept in memory for it alone, for as long as it runs; left out where it has none. */
  secrets?: readonly SecretDelivery[];
  limits: Limits;
  /** How long it may take to end after it was asked to. */
  stopMs: number;
  /** Written on it, so that whoever replaces it knows: the signal with which it is told that it drains. */
  drainSignal?: string;
  origin: Origin;
};

/** `asked`: the check in words (`GET /healthz expecting 200`); `check` and `code`: what came of it, as the proxy says it. */
export type FailingCheck = { server: string; asked: string; check: string; code?: number; detail?: string };

/**
 * A data path's life: it checks, is healthy, serves once it was promoted, drains once it was told to, and ends. A store's may be
 * `holding` before it serves: it listens, and lets no connection on. `connections`: what holds it; `cut`: what was closed at its
 * limit. `measures`: what it said last went through it, about once a second; one that says nothing more has nothing new to say.
 * A body's instances and a store's server have no phase.
 */
export type PathPhase =
  | { phase: 'starting' }
  | { phase: 'checking'; failing: readonly FailingCheck[] }
  | { phase: 'healthy' }
  | { phase: 'holding' }
  | { phase: 'serving'; measures?: Measures }
  | { phase: 'draining'; connections?: number; cut?: number };

/** `at`: when the path said so; two with the same time are the same. */
export type Measures = PathMeasures & { at: string };

/** What an instance has used of a processor since it started, and of memory now. */
export type InstanceUsage = { name: string; container: string; cpuMs: number; memoryBytes: number };

export type ObservedInstance = {
  name: string;
  container: string;
  slot: string;
  owner: Owner;
  role: InstanceRole;
  generation: GenerationId;
  body: BodyId;
  colour?: Colour;
  image: ImageId;
  state: 'created' | 'running' | 'exited';
  /** Whether it is to end, and may have been told so: nobody counts on it any more. Known of the ledger, not of the engine. */
  leaves?: true;
  exitCode?: number;
  createdAt: string;
  startedAt?: string;
  /** Of one that has ended. */
  endedAt?: string;
  /** Digest of the creation spec it was made with. */
  spec: string;
  path?: PathPhase;
  drainSignal?: string;
  secrets?: readonly SecretReference[];
  origin: Origin;
};

/** `spec`: digest of the slot spec it was made from, image left out. `ready`: running, with its memory filled. */
export type ObservedSlot = {
  name: string;
  owner: Owner;
  colour?: Colour;
  ready: boolean;
  spec: string;
  container: string;
  address?: string;
};

export type ObservedController = {
  name: string;
  container: string;
  release: ReleaseId;
  commit: CommitId | 'uncommitted';
  environment: string;
  image: ImageId;
  state: 'created' | 'running' | 'exited';
  createdAt: string;
  startedAt?: string;
  /** Releases that were live before it, newest first. */
  history: readonly ReleaseId[];
  asked?: Asked;
  /** Whether it waits for a rollout that is under way, rather than to be refused. */
  waits?: boolean;
  /** Whether its release is held for a look before it is let live. */
  holds?: boolean;
};

/** A request that lies there until whoever is in charge has taken it. One in words that are not known has no `request`. */
export type ObservedRequest = { name: string; createdAt: string; request?: Request };

/**
 * `bodies`: the servers' bodies that were let at the data, as was noted; left out where nothing was. `unfinished`: a copy
 * into it was begun and has not come to its end, so that nothing may start on it.
 */
export type ObservedVolume = { name: string; owner: Owner; bodies?: readonly BodyId[]; unfinished?: true };

/** All that the engine holds of one architecture, at one moment. `strangers`: members of its networks or slots that carry no label of ours. */
export type Observation = {
  networks: readonly { name: string; owner: Owner; spec: string }[];
  volumes: readonly ObservedVolume[];
  slots: readonly ObservedSlot[];
  instances: readonly ObservedInstance[];
  controllers: readonly ObservedController[];
  /** Oldest first. */
  requests: readonly ObservedRequest[];
  strangers: readonly { container: string; name: string; where: string }[];
};

/** Something happened to one of the architecture's containers; `resynchronise`: events may have been missed, look again. */
export type EngineEvent =
  | { kind: 'died' | 'started' | 'removed' | 'touched' | 'changed'; name: string; container: string; at: string; action: string }
  | { kind: 'resynchronise' };

/** The volume that holds the keys to secrets, and where a controller finds them. */
export const identityVolume = 'identity';
export const identityFolder = '/identity';

/** A controller to be run from a release image. */
export type ControllerSpec = {
  name: string;
  image: ImageId;
  release: ReleaseId;
  commit: CommitId | 'uncommitted';
  environment: string;
  history: readonly ReleaseId[];
  asked?: Asked;
  /** Whether it waits for a rollout that is under way, rather than to be refused. */
  waits?: boolean;
  /** Whether its release is held for a look before it is let live. */
  holds?: boolean;
  /** Whether its release has secrets, so that it needs the keys to them. */
  opensSecrets?: boolean;
  /** Whether its release has a gateway, whose inbox it takes. */
  takesInbox?: boolean;
};

/** What differs between engines, as data. */
export type EngineCapabilities = {
  /** Name for people: `Docker Engine`. */
  name: string;
  /** A data path's successor takes its listening sockets over, so that no connection is refused. */
  socketHandover: boolean;
  /** Images can be assembled from layers the engine already has. */
  microLayers: boolean;
};

/** A difference between an instance and what it was made from; `what` is a sentence. */
export type InstanceDifference = { container: string; name: string; kind: 'image' | 'spec' | 'files' | 'slot'; what: string };

/**
 * What runs containers. Every verb is safe to repeat: doing what is done already changes nothing, removing what is gone
 * succeeds. Engine failures come back as problems (ENGINE_*, NO_SPACE, PORT_TAKEN, UPGRADE_FAILED), already in our words.
 */
export interface Engine {
  readonly capabilities: EngineCapabilities;
  readonly images: Images;
  readonly jobs: JobSteps;
  /** Whether an engine answers, and what it calls itself and its host. Tells absent from not permitted. */
  describe(): Promise<Result<{ version: string; host: string; platform: string }>>;
  observe(architecture: string): Promise<Result<Observation>>;
  /** The controllers alone: quicker than to observe everything. */
  controllers(architecture: string): Promise<Result<readonly ObservedController[]>>;
  /** The requests alone, oldest first. */
  requests(architecture: string): Promise<Result<readonly ObservedRequest[]>>;
  /** What each running instance uses, all at one moment. One that ends meanwhile is left out. */
  usage(architecture: string): Promise<Result<InstanceUsage[]>>;
  /** Names of all architectures the engine has anything of. */
  architectures(): Promise<Result<string[]>>;

  ensureNetwork(architecture: string, spec: NetworkSpec): Promise<Result<void>>;
  removeNetwork(architecture: string, name: string): Promise<Result<void>>;
  ensureVolume(architecture: string, spec: VolumeSpec): Promise<Result<void>>;
  /** Removes the volume with what was noted of it, and ends a copy into it that is still under way. */
  removeVolume(architecture: string, name: string): Promise<Result<void>>;
  /**
   * Makes `to` hold exactly what `from` holds, owners, modes and links included, whatever it held before. From its first change to
   * its last `to` is seen as unfinished, also when whoever copied was killed; asked again, it is copied again from the start.
   */
  copyVolume(architecture: string, copy: VolumeCopy): Promise<Result<void>>;
  /** Notes, beside the volume, that this body is the one that is let at its data. What was noted before is forgotten, afterwards. */
  noteBody(architecture: string, volume: VolumeSpec, body: BodyId): Promise<Result<void>>;
  /**
   * Makes the place, attached to its networks before it starts, and fills its memory. One that is there but not ready, or was made
   * from another spec, is made anew; members of the old one go with it, for nobody could reach them any more.
   */
  ensureSlot(architecture: string, spec: SlotSpec): Promise<Result<void>>;
  /** Removes the place; its members must be gone, but for a departure, which goes with it, after it. */
  removeSlot(architecture: string, name: string): Promise<Result<void>>;

  /**
   * Creates and starts. An instance of that name that is not running is removed first, but not a step that ran: whoever could not
   * know of its end asks in vain. Resolves when started, not when healthy. `values`: of all its secrets; it finds them as it
   * starts, they are never on a disk, and they are gone with it.
   */
  startInstance(architecture: string, spec: InstanceSpec, values?: SecretValues): Promise<Result<void>>;
  /** Asks it to end, ends it after its `stopMs`, and removes it. `container`: none but that one, whatever has the name meanwhile. */
  removeInstance(architecture: string, name: string, container?: string): Promise<Result<void>>;
  /** Resolves once the waiting path reports healthy, or with its last report when it ended or `limitMs` passed. */
  awaitHealthy(architecture: string, name: string, limitMs: number): Promise<Result<void, { phase: PathPhase; ended: boolean }>>;
  /**
   * A store's waiter takes the listening sockets over, and lets the connections wait that come to it; resolves when it does. A path
   * that holds, serves or drains already: nothing.
   */
  holdPath(architecture: string, name: string): Promise<Result<void>>;
  /**
   * The waiter becomes the proxy, taking the listening sockets over; resolves when it serves. One that holds lets the waiting go
   * on. A path that serves already: nothing.
   */
  promotePath(architecture: string, name: string): Promise<Result<void>>;
  /** The path accepts nothing more, finishes what it has, and ends by itself. Resolves when told, not when ended. */
  drainPath(architecture: string, name: string): Promise<Result<void>>;
  /** Sends an instance a signal; one that has ended: nothing. */
  signalInstance(architecture: string, name: string, signal: string): Promise<Result<void>>;

  /**
   * Keeps keys that open the architecture's secrets where controllers find them, each a file in `identityFolder`, and nobody else;
   * beside those that were kept before, which an earlier release may need. Controllers that run already find them only if there
   * was one when they started.
   */
  keepKeys(architecture: string, kept: { keys: readonly Secret[]; image: ImageId }): Promise<Result<void>>;
  /** Runs a controller, restarted by the engine. Resolves when started. */
  startController(architecture: string, spec: ControllerSpec): Promise<Result<string>>;
  removeController(architecture: string, name: string): Promise<Result<void>>;
  /**
   * Lays a request down for the controller in charge, which hears of it at once and takes it away when it is served. `image`: any
   * that is there; nothing of it is run. Resolves when it lies there.
   */
  ask(architecture: string, request: { name: string; image: ImageId; request: Request }): Promise<Result<void>>;
  takeRequest(architecture: string, name: string): Promise<Result<void>>;
  /** The command that does what startController does, for people to run by hand. */
  controllerCommand(architecture: string, spec: ControllerSpec, imageTag: string): string;

  /** Events of the architecture's containers until aborted; begins with `resynchronise`, and again after each reconnection. */
  watch(architecture: string, signal: AbortSignal): AsyncIterable<EngineEvent>;
  /** A container's log lines, by instance, slot or controller name. */
  logs(architecture: string, name: string, options: LogOptions): AsyncIterable<LogLine>;
  /** Compares each running container with its image and the digest of its creation. */
  inspectInstances(architecture: string): Promise<Result<InstanceDifference[]>>;
  /** Who holds a host port, in words (`container nginx`), when the engine knows. */
  portHolder(port: PublishedPort): Promise<string | undefined>;
}
