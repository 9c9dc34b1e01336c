import type { PathMeasures } from '../../datapath/path-log.ts';
import type { ImageId } from '../../digest.ts';
import type { Problem } from '../../problem.ts';
import type { ControllerSpec, InstanceDifference, InstanceSpec, InstanceUsage, Owner, PublishedPort, VolumeUpgrade } from '../engine.ts';
import { Availability, type Cut, type Outage } from './availability.ts';
import { MemoryImages, type AddedImage } from './images.ts';
import { inventoryOf } from './inventory.ts';
import { Lifecycle, type ControllerRun } from './lifecycle.ts';
import { Machine, type ArchitectureState, type InstanceRecord } from './machine.ts';
import type { Judgement } from './paths.ts';

/** Thrown by a hook, and so out of the verb: the controller that called it is dead from here on. */
export class Killed extends Error {
  override name = 'Killed';
}

/** The verbs that change something; each call is one numbered effect. */
export type Verb =
  | 'ensureNetwork'
  | 'removeNetwork'
  | 'ensureVolume'
  | 'removeVolume'
  | 'copyVolume'
  | 'noteBody'
  | 'ensureSlot'
  | 'removeSlot'
  | 'startInstance'
  | 'removeInstance'
  | 'holdPath'
  | 'promotePath'
  | 'drainPath'
  | 'signalInstance'
  | 'keepKeys'
  | 'startController'
  | 'removeController'
  | 'prepareJobStep'
  | 'startJobStep'
  | 'forbidJobStep'
  | 'signalJobStep'
  | 'removeJobStep'
  | 'clearJobs'
  | 'ask'
  | 'takeRequest';

export type Effect = { number: number; verb: Verb; architecture: string; name: string };

export type EffectHook = (effect: Effect) => void | Promise<void>;

/** What a test sees and does around the engine: deaths, failures, hooks, and the record of who was not served. */
export class MemoryWorld {
  readonly machine: Machine;
  /** What instances were sent, in order. */
  readonly signals: { name: string; signal: string }[] = [];
  readonly lifecycle: Lifecycle;
  readonly availability: Availability;
  readonly judgement: Judgement;
  /** Its `onBuild` and `onRunOnce` script what builds and containers do. */
  readonly images: MemoryImages;
  /** May throw `Killed`: the controller dies before, in the middle (created, not started) or after the effect. */
  beforeEffect: EffectHook | undefined;
  midEffect: EffectHook | undefined;
  afterEffect: EffectHook | undefined;
  /** Services a path's configuration checks; undefined: those that were ever started of its body. */
  checkedServices: ((path: InstanceSpec) => readonly string[] | undefined) | undefined;
  /** What an upgrade step makes of the copy it is run on; undefined: it fails. The copy stays as it is without it. */
  onUpgrade: ((upgrade: VolumeUpgrade, contents: string) => string | undefined) | undefined;
  /** What a server makes of the data it finds as it starts; it leaves them alone without it. */
  onServer: ((spec: InstanceSpec, contents: string) => string) | undefined;
  /** The exit code a step ends with as soon as it has started, or that it runs on, to be ended by `finish`; 0 without it. */
  onStep: ((spec: InstanceSpec) => number | 'runs') | undefined;
  readonly #failures = new Map<Verb, Problem[]>();
  readonly #holders: { port: PublishedPort; holder: string }[] = [];
  #unhealthy: (spec: InstanceSpec) => boolean = () => false;

  constructor(now: () => string) {
    const judgement: Judgement = { unhealthy: (spec) => this.#unhealthy(spec), services: (path) => this.checkedServices?.(path) };
    this.machine = new Machine(now);
    this.images = new MemoryImages(this.machine);
    this.availability = new Availability(this.machine, judgement);
    this.lifecycle = new Lifecycle(this.machine, judgement, this.availability);
    this.judgement = judgement;
  }

  get outages(): readonly Outage[] {
    return this.availability.outages;
  }

  get cuts(): readonly Cut[] {
    return this.availability.cuts;
  }

  /** How many effects there have been. */
  get effects(): number {
    return this.availability.effect;
  }

  /** Called whenever a controller container starts; tests run the real controller in it. */
  set onController(run: ((spec: ControllerSpec, run: ControllerRun) => void) | undefined) {
    this.lifecycle.onController = run;
  }

  /** Puts an image on the engine as if it had been pulled. */
  addImage(image: AddedImage): ImageId {
    return this.images.add(image);
  }

  /** Names of the owner's paths that accept connections now. */
  serving(owner: Owner, architecture?: string): string[] {
    return this.availability.serving(owner, architecture);
  }

  /** All that exists, one line each, sorted; without container ids and times, so that two worlds compare. */
  inventory(): string[] {
    return inventoryOf(this.machine, this.judgement);
  }

  /** Instances (and paths) for which this is true fail their health checks, until called again. */
  unhealthy(predicate: (spec: InstanceSpec) => boolean): void {
    this.#unhealthy = predicate;
    this.machine.changed();
  }

  /** The next call of the verb changes nothing and returns this problem. */
  failNext(verb: Verb, problem: Problem): void {
    this.#failures.set(verb, [...(this.#failures.get(verb) ?? []), problem]);
  }

  takeFailure(verb: Verb): Problem | undefined {
    return this.#failures.get(verb)?.shift();
  }

  /** What the volume holds; undefined when it is not there. */
  contentsOf(architecture: string, volume: string): string | undefined {
    return this.machine.of(architecture).volumes.get(volume)?.contents;
  }

  /** A server, or somebody, writes. */
  write(architecture: string, volume: string, contents: string): void {
    const record = this.machine.of(architecture).volumes.get(volume);
    if (!record) throw new Error(`there is no volume ${volume}`);
    record.contents = contents;
  }

  upgrade(upgrade: VolumeUpgrade, contents: string): string | undefined {
    return this.onUpgrade ? this.onUpgrade(upgrade, contents) : contents;
  }

  serverStarted(state: ArchitectureState, spec: InstanceSpec): void {
    if (spec.role !== 'server' || !this.onServer) return;
    for (const mount of spec.mounts) {
      const record = mount.kind === 'volume' ? state.volumes.get(mount.volume) : undefined;
      if (record) record.contents = this.onServer(spec, record.contents);
    }
  }

  stepStarted(state: ArchitectureState, spec: InstanceSpec): void {
    if (spec.role !== 'step') return;
    const end = this.onStep ? this.onStep(spec) : 0;
    const { container } = this.#instance(spec.name);
    if (end === 'runs') return;
    queueMicrotask(() => {
      const instance = state.instances.get(spec.name);
      if (instance?.container === container) this.lifecycle.endInstance(state, instance, { exitCode: end, by: `end of ${spec.name}` });
    });
  }

  /** What an instance finds of its secrets, by file; nothing of one that does not run or is not there. */
  secretsOf(name: string): Record<string, string> {
    const instances = [...this.machine.architectures.values()].flatMap((state) => state.instances.get(name) ?? []);
    const secrets = instances[0]?.secrets ?? {};
    return Object.fromEntries(Object.entries(secrets).map(([file, secret]) => [file, secret.revealText()]));
  }

  /** An instance ends by itself. */
  finish(name: string, exitCode: number): void {
    this.lifecycle.endInstance(this.#stateWith(name), this.#instance(name), { exitCode, by: `end of ${name}` });
    this.availability.look(`end of ${name}`);
  }

  /** Another program takes a host port. */
  takePort(port: PublishedPort, holder: string): void {
    this.#holders.push({ port, holder });
  }

  holderOf({ address, port }: PublishedPort): string | undefined {
    const overlaps = (other: PublishedPort): boolean =>
      other.port === port && (other.address === address || other.address === '0.0.0.0' || address === '0.0.0.0');
    const outside = this.#holders.find((taken) => overlaps(taken.port))?.holder;
    if (outside !== undefined) return outside;
    for (const state of this.machine.architectures.values())
      for (const slot of state.slots.values()) if (slot.ready && slot.spec.publish.some(overlaps)) return `container ${slot.spec.name}`;
    return undefined;
  }

  /** An instance dies, or a controller, which the engine starts again at once; both say so as events. */
  kill(name: string): void {
    const state = this.#stateWith(name);
    const instance = state.instances.get(name);
    const controller = state.controllers.get(name);
    if (instance) this.lifecycle.endInstance(state, instance, { exitCode: 137, by: `kill ${name}` });
    else if (state.slots.has(name)) return this.killSlot(name);
    else if (controller) {
      this.lifecycle.endController(state, controller);
      this.lifecycle.startController(state, controller);
    }
    this.availability.look(`kill ${name}`);
  }

  /** The place dies: its members run on but nobody reaches them any more. */
  killSlot(name: string): void {
    const state = this.#stateWith(name);
    const slot = state.slots.get(name);
    if (slot) this.lifecycle.endSlot(state, slot, 'die');
    this.availability.look(`kill ${name}`);
  }

  /** Everything exits, as when the host goes down; until `startEngine` no engine answers. */
  stopEngine(): void {
    for (const state of this.machine.architectures.values()) {
      for (const controller of state.controllers.values()) this.lifecycle.endController(state, controller);
      for (const instance of state.instances.values()) this.lifecycle.endInstance(state, instance, { exitCode: 255, by: 'stop engine' });
      for (const slot of state.slots.values()) this.lifecycle.endSlot(state, slot, 'die');
    }
    this.machine.running = false;
    this.availability.look('stop engine');
    this.machine.changed();
  }

  /** The engine is back: with it the controllers, and nothing else. */
  startEngine(): void {
    this.machine.running = true;
    for (const state of this.machine.architectures.values()) {
      state.events.push({ kind: 'resynchronise' });
      for (const controller of state.controllers.values())
        if (controller.state !== 'running') this.lifecycle.startController(state, controller);
    }
  }

  /** The path has clients that do not go away by themselves: while it drains, it does not end. */
  holdConnections(name: string, connections = 1): void {
    this.#path(name).held = connections;
  }

  releaseConnections(name: string): void {
    this.#path(name).held = 0;
    this.lifecycle.endWhenDrained(this.#stateWith(name), this.#instance(name));
  }

  /** A draining path comes to its limit: it closes what it holds, says how much that was, and ends. */
  reachDrainLimit(name: string): void {
    const path = this.#path(name);
    path.cut = path.held;
    this.releaseConnections(name);
  }

  /** The instance has so many requests; who ends it meanwhile cuts them. */
  holdRequests(name: string, count: number): void {
    const place = this.#stateWith(name).slots.get(this.#instance(name).spec.slot);
    if (place) place.inFlight = count;
    this.machine.changed();
  }

  /** What waited for an instance to finish has waited as long as it may. */
  passLimit(departure: string): void {
    this.lifecycle.endInstance(this.#stateWith(departure), this.#instance(departure), { exitCode: 0, by: `limit of ${departure}` });
  }

  /** A path says what went through it. */
  measure(name: string, measures: PathMeasures): void {
    this.#path(name).measures = { ...measures, at: this.machine.now() };
  }

  /** What an instance has used of a processor since it started, and of memory now. */
  use(name: string, usage: Pick<InstanceUsage, 'cpuMs' | 'memoryBytes'>): void {
    this.#instance(name).usage = usage;
  }

  /** A container writes a line. */
  print(name: string, line: string): void {
    const state = this.#stateWith(name);
    const record = state.instances.get(name) ?? state.slots.get(name) ?? state.controllers.get(name);
    if (record) this.machine.print(record.container, line);
  }

  /** Someone reached in (`exec_start`, `update` …). */
  touch(name: string, action: string): void {
    const state = this.#stateWith(name);
    const { container } = this.#instance(name);
    this.machine.emit(state, { kind: 'touched', name, container, action });
  }

  /** The instance no longer is what it was made from; nobody is told. */
  differ(name: string, difference: Pick<InstanceDifference, 'kind' | 'what'>): void {
    this.#stateWith(name).differences.push({ container: this.#instance(name).container, name, ...difference });
  }

  /** A container that is not ours joins a network or place. */
  addStranger(architecture: string, stranger: { container: string; name: string; where: string }): void {
    this.machine.of(architecture).strangers.push(stranger);
  }

  #stateWith(name: string): ArchitectureState {
    for (const state of this.machine.architectures.values())
      if (state.instances.has(name) || state.slots.has(name) || state.controllers.has(name)) return state;
    throw new Error(`nothing is called ${name}`);
  }

  #instance(name: string): InstanceRecord {
    const instance = this.#stateWith(name).instances.get(name);
    if (!instance) throw new Error(`no instance is called ${name}`);
    return instance;
  }

  #path(name: string): NonNullable<InstanceRecord['path']> {
    const path = this.#instance(name).path;
    if (!path) throw new Error(`${name} is not a path`);
    return path;
  }
}
