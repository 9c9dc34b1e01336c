import type { BodyId } from '../../digest.ts';
import type {
  Colour,
  ControllerSpec,
  EngineEvent,
  InstanceDifference,
  InstanceSpec,
  InstanceUsage,
  LogLine,
  Measures,
  NetworkSpec,
  ObservedRequest,
  Owner,
  PathPhase,
  SecretValues,
  SlotSpec,
  VolumeSpec,
} from '../engine.ts';
import { Feed } from './feed.ts';

type Container = { container: string; createdAt: string; startedAt?: string };

/**
 * `inFlight`: requests that the instance in it has. `avoided`: data paths were told to send it nothing more, which they remember.
 * `deathSeen`: an observation has shown that it is down, so whoever still builds upon it has a bug.
 */
export type SlotRecord = Container & {
  spec: SlotSpec;
  ready: boolean;
  address: string;
  deathSeen: boolean;
  inFlight?: number;
  avoided?: boolean;
};

/** A path's life inside; `PathPhase` is what it looks like, which depends on its body too. */
export type PathStage = 'starting' | 'waiting' | 'holding' | 'serving' | 'draining';

/** `held`: connections of clients that do not go away by themselves; `cut`: those it closed at its drain limit. */
export type PathRecord = { stage: PathStage; wasHealthy: boolean; held: number; cut?: number; lastPhase?: PathPhase; measures?: Measures };

export type InstanceRecord = Container & {
  spec: InstanceSpec;
  state: 'created' | 'running' | 'exited';
  exitCode?: number;
  endedAt?: string;
  deathSeen: boolean;
  /** While it runs. */
  secrets?: SecretValues;
  path?: PathRecord;
  usage?: Pick<InstanceUsage, 'cpuMs' | 'memoryBytes'>;
};

export type ControllerRecord = Container & { spec: ControllerSpec; state: 'created' | 'running' | 'exited'; stop: AbortController };

export type ArchitectureState = {
  name: string;
  networks: Map<string, NetworkSpec>;
  volumes: Map<string, VolumeRecord>;
  slots: Map<string, SlotRecord>;
  instances: Map<string, InstanceRecord>;
  controllers: Map<string, ControllerRecord>;
  requests: Map<string, ObservedRequest>;
  strangers: { container: string; name: string; where: string }[];
  differences: InstanceDifference[];
  /** Services that were ever started of a body in a colour: what its path checks. */
  bodies: Map<string, Set<string>>;
  events: Feed<EngineEvent>;
};

export const bodyKey = (spec: { owner: Owner; body: string; colour?: Colour }): string =>
  `${spec.owner.kind} ${spec.owner.name} ${spec.body} ${spec.colour ?? ''}`;

/** `contents` stands for all that the volume holds. */
export type VolumeRecord = { spec: VolumeSpec; contents: string; bodies: Set<BodyId>; unfinished: boolean };

type Log = { lines: LogLine[]; feed: Feed<LogLine>; ended: boolean };

/** All that exists, with its clock, counters, events and logs. It has no rules: those are the engine's and the world's. */
export class Machine {
  readonly architectures = new Map<string, ArchitectureState>();
  readonly now: () => string;
  running = true;
  readonly #logs = new Map<string, Log>();
  readonly #listeners = new Set<() => void>();
  #containers = 0;

  constructor(now: () => string) {
    this.now = now;
  }

  of(name: string): ArchitectureState {
    const known = this.architectures.get(name);
    if (known) return known;
    const state: ArchitectureState = {
      name,
      networks: new Map(),
      volumes: new Map(),
      slots: new Map(),
      instances: new Map(),
      controllers: new Map(),
      requests: new Map(),
      strangers: [],
      differences: [],
      bodies: new Map(),
      events: new Feed(),
    };
    this.architectures.set(name, state);
    return state;
  }

  newContainer(): { container: string; createdAt: string; number: number } {
    this.#containers += 1;
    const container = this.#containers.toString(16).padStart(64, '0');
    return { container, createdAt: this.now(), number: this.#containers };
  }

  emit(
    state: ArchitectureState,
    event: { kind: 'died' | 'started' | 'removed' | 'touched' | 'changed'; name: string; container: string; action: string },
  ): void {
    state.events.push({ ...event, at: this.now() });
  }

  logOf(container: string): Log {
    const known = this.#logs.get(container);
    if (known) return known;
    const log = { lines: [], feed: new Feed<LogLine>(), ended: false };
    this.#logs.set(container, log);
    return log;
  }

  print(container: string, line: string): void {
    const log = this.logOf(container);
    const entry: LogLine = { at: this.now(), stream: 'stdout', line };
    log.lines.push(entry);
    log.feed.push(entry);
  }

  endLog(container: string): void {
    const log = this.logOf(container);
    log.ended = true;
    log.feed.end();
  }

  /** Tells those who wait that something is different now. */
  changed(): void {
    for (const listener of this.#listeners) listener();
  }

  /** Calls `listener` at each change until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
