import { done } from '../../src/result.ts';
import { Secret } from '../../src/secret.ts';
import type { OpenSecret } from '../../src/secrets/open-secret.ts';
import type { ReleaseId } from '../../src/digest.ts';
import { createMemoryEngine } from '../../src/engine/memory/create-memory-engine.ts';
import type { ArchitectureState, InstanceRecord } from '../../src/engine/memory/machine.ts';
import type { MemoryEngine } from '../../src/engine/memory/memory-engine.ts';
import type { InstanceSpec } from '../../src/engine/engine.ts';
import type { RecordedEvent } from '../../src/events.ts';
import type { Ledger, RolloutRecord } from '../../src/ledger/ledger.ts';
import { openMemoryLedger } from '../../src/ledger/memory-ledger.ts';
import type { Manifest } from '../../src/release/manifest.ts';
import { desiredFor } from './check-model.ts';
import { ControllerProcess } from './controller-process.ts';
import { never } from './never.ts';
import { Random } from './random.ts';
import { SimulatedTime } from './simulated-time.ts';
import { calm, type Weather } from './weather.ts';

export const architecture = 'streaming';

/** When a controller is killed: at the boundary after so many, of any controller or of those of a name. */
export type KillOrder = { left: number; of?: string };

/** Verbs of more than one request: a controller can die between them. */
const inStages = new Set(['ensureSlot', 'startInstance', 'removeInstance', 'startController']);

/** The real controllers over the memory engine, with time, order and mishaps from one seed. */
export class SimulatedWorld {
  readonly random: Random;
  readonly time: SimulatedTime;
  readonly engine: MemoryEngine;
  readonly ledger: Ledger;
  readonly manifests = new Map<ReleaseId, Manifest>();
  readonly events: (RecordedEvent & { by: string })[] = [];
  /** All that happened, one line each, where it was asked for. */
  readonly traced: string[] = [];
  isTraced = false;
  /** What was found to be wrong, as sentences. */
  readonly findings: string[] = [];
  weather: Weather = calm;
  /** Instances and places that were killed since the weather was last clear, for whose owners nobody answers then. */
  readonly struck: string[] = [];
  readonly #mishaps: (() => void)[] = [];
  killOrder: KillOrder | undefined;
  /** How long a killed controller stays down; undefined: the engine starts it after a moment, as chance has it. */
  downMs: number | undefined;
  engineIsAway = false;
  /** Boundaries that controllers crossed, by the name of the controller. */
  readonly crossings = new Map<string, number>();
  /** How many changes of the engine there have been, whoever made them. */
  changes = 0;
  readonly #changedAt = new Map<string, number>();
  /** How many changes are under way, by container. */
  readonly #changing = new Map<string, number>();
  readonly #processes = new Map<string, ControllerProcess>();
  #rollouts: Promise<RolloutRecord[]> | undefined;
  readonly #mayAct = new Map<number, Promise<boolean>>();
  readonly #performing = new Map<string, ControllerProcess>();
  readonly #queues = new Map<string, Promise<unknown>>();
  readonly #services = new Map<string, readonly string[]>();
  readonly #warming = new Set<string>();
  /** Steps that ended well, by name, and whose they are: they are not to be run again while nobody has removed the record. */
  readonly #finished = new Map<string, string>();
  readonly #broken = new Map<string, 'unhealthy' | 'crashing'>();

  /** At once: cryptography takes real time, in which simulated time would go on. The values are those of the fixture. */
  readonly openSecret: OpenSecret = async ({ version }) => done(new Secret(`value ${version}`));

  static async make(seed: number): Promise<SimulatedWorld> {
    const random = new Random(seed);
    const time = new SimulatedTime(random);
    return new SimulatedWorld(random, time, await openMemoryLedger({ now: () => time.clock().toISOString() }));
  }

  private constructor(random: Random, time: SimulatedTime, ledger: Ledger) {
    this.random = random;
    this.time = time;
    this.ledger = ledger;
    this.engine = createMemoryEngine({ now: time.stamp, wait: (ms, signal) => waitFor(time, ms, signal) });
    const { world } = this.engine;
    world.onController = (spec, { container, stopped }) => this.#begin(spec, { container, stopped });
    world.midEffect = ({ verb, name }) => this.#middle(verb, name);
    world.afterEffect = ({ verb, name }) => this.#after(verb, name);
    world.onStep = () => 'runs';
    world.checkedServices = ({ body }) => this.#services.get(body);
    world.unhealthy((spec) => this.#broken.has(spec.image) || this.#warming.has(spec.name));
  }

  get state(): ArchitectureState {
    return this.engine.world.machine.of(architecture);
  }

  get processes(): ControllerProcess[] {
    return [...this.#processes.values()].filter(({ alive }) => alive);
  }

  /** The rollouts in the ledger, newest first; read again only when one has begun or ended. */
  rollouts(): Promise<RolloutRecord[]> {
    return (this.#rollouts ??= this.ledger.rollouts(1000));
  }

  mayAct(token: number): Promise<boolean> {
    const known = this.#mayAct.get(token) ?? this.ledger.mayAct(token);
    this.#mayAct.set(token, known);
    return known;
  }

  /** A rollout has begun or ended. */
  noteLedger(): void {
    this.#rollouts = undefined;
    this.#mayAct.clear();
  }

  trace(line: string | (() => string)): void {
    if (this.isTraced) this.traced.push(`${this.time.nowMs} ${typeof line === 'string' ? line : line()}`);
  }

  find(sentence: string): void {
    this.findings.push(sentence);
    this.trace(`FOUND ${sentence}`);
  }

  latencyMs(): number {
    if (this.weather.slowness > 0 && this.random.chance(this.weather.slowness)) return this.random.between(1000, 15_000);
    return this.random.chance(0.8) ? this.random.between(0, 20) : this.random.between(20, 300);
  }

  refuses(): boolean {
    return this.weather.refusal > 0 && this.random.chance(this.weather.refusal);
  }

  /** An instance or a place dies by itself. */
  strike(name: string): void {
    this.struck.push(name);
    this.noteChange('death');
    this.trace(`kill ${name}`);
    this.engine.world.kill(name);
  }

  /** Something that goes wrong later, unless the weather has cleared by then. */
  brew(ms: number, mishap: () => void): void {
    this.#mishaps.push(this.time.after(ms, mishap));
  }

  /** Nothing goes wrong from here on, and clients that held on go away. */
  clear(): void {
    this.weather = calm;
    this.killOrder = undefined;
    for (const callOff of this.#mishaps.splice(0)) callOff();
    for (const { spec, path } of this.state.instances.values())
      if (path?.held || path?.stage === 'draining') this.engine.world.releaseConnections(spec.name);
  }

  losesEvent(): boolean {
    return this.weather.lostEvents > 0 && this.random.chance(this.weather.lostEvents);
  }

  /** Instances of the image never become healthy, or end by themselves again and again. */
  breakImage(image: string, how: 'unhealthy' | 'crashing'): void {
    this.#broken.set(image, how);
  }

  noteEvent(process: ControllerProcess, event: RecordedEvent): void {
    this.events.push({ ...event, by: process.container });
    this.trace(() => `${process.name} says ${JSON.stringify(event)}`);
  }

  noteChange(by: string): void {
    this.changes += 1;
    this.#changedAt.set(by, this.changes);
  }

  /** A change that takes time: who looks meanwhile may see nothing of it yet. */
  async changing<T>({ container }: ControllerProcess, work: () => Promise<T>): Promise<T> {
    this.noteChange(container);
    this.#changing.set(container, (this.#changing.get(container) ?? 0) + 1);
    try {
      return await work();
    } finally {
      this.#changing.set(container, (this.#changing.get(container) ?? 0) - 1);
      this.noteChange(container);
    }
  }

  changedByOthers({ container, lookedAt }: ControllerProcess): boolean {
    const isOther = (by: string): boolean => by !== container;
    return (
      [...this.#changedAt].some(([by, at]) => isOther(by) && at > lookedAt) || [...this.#changing].some(([by, n]) => isOther(by) && n > 0)
    );
  }

  /** A call that changes something: only who is in charge may make one. */
  async noteCall(process: ControllerProcess, said: string): Promise<void> {
    const { token } = process;
    if (token === undefined || !(await this.mayAct(token)))
      this.find(`${process.name} (token ${token ?? 'none'}) called ${said}, and was not in charge`);
  }

  /** Calls about one thing follow one another, as an engine has it. A dead process's call holds nobody up. */
  async oneAtATime<T>(process: ControllerProcess, name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#queues.get(name) ?? Promise.resolve();
    const done = before.then(() => {
      this.#performing.set(name, process);
      return work();
    });
    const death = new Promise<void>((resolve) => process.death.addEventListener('abort', () => resolve(), { once: true }));
    this.#queues.set(name, process.alive ? Promise.race([done, death]) : before);
    return done;
  }

  isToDie({ name }: ControllerProcess, where: string): boolean {
    this.crossings.set(name, (this.crossings.get(name) ?? 0) + 1);
    const order = this.killOrder;
    if (!order || (order.of !== undefined && order.of !== name)) return false;
    order.left -= 1;
    if (order.left >= 0) return false;
    this.killOrder = undefined;
    this.trace(`kill ${name} ${where}`);
    return true;
  }

  /** The process dies; the engine starts its container again, sooner or later. */
  kill(process: ControllerProcess, where: string): void {
    this.trace(`${process.name} dies ${where}`);
    process.die();
    const record = this.state.controllers.get(process.name);
    if (!record || record.container !== process.container) return;
    this.noteChange('death');
    this.engine.world.lifecycle.endController(this.state, record);
    const downMs = this.downMs ?? (this.random.chance(0.8) ? this.random.between(100, 3000) : this.random.between(3000, 30_000));
    this.time.after(downMs, () => this.restart(process.name));
  }

  restart(name: string): void {
    const record = this.state.controllers.get(name);
    if (!record || record.state === 'running' || !this.engine.world.machine.running) return;
    this.engine.world.lifecycle.startController(this.state, record);
  }

  /** Starts a controller of the release, as a user's `up` does; gives its name. */
  async start(manifest: Manifest): Promise<string> {
    const { release, inputs, outputs } = manifest;
    this.manifests.set(release, manifest);
    for (const { owner, body, seats } of desiredFor(manifest).units)
      if (owner.kind === 'app') this.#services.set(body, [...new Set(seats.blue.slots.map(({ facts }) => facts.service))]);
    const name = `controller.${release.slice(0, 8)}.${this.#processes.size + 1}.${this.random.between(0, 9999)}`;
    const spec = { name, image: outputs.controller, release, commit: inputs.source.commit, environment: 'local', history: [] };
    this.trace(`up ${release.slice(0, 8)} as ${name}`);
    await this.engine.startController(architecture, spec);
    return name;
  }

  /** The world is over: every process ends where it is. */
  end(): void {
    for (const process of this.processes) process.die();
  }

  #begin(spec: { name: string; release: ReleaseId; environment: string }, run: { container: string; stopped: AbortSignal }): void {
    const manifest = this.manifests.get(spec.release);
    if (!manifest) throw new Error('a controller of an unknown release');
    const { name, environment } = spec;
    const process = new ControllerProcess(this, { name, container: run.container, manifest, environment });
    this.#processes.set(`${name} ${this.changes} ${this.time.nowMs}`, process);
    this.noteChange('start');
    const stop = (): void => {
      process.stop();
      this.time.after(this.random.between(0, 10_000), () => process.die());
    };
    run.stopped.addEventListener('abort', () => process.alive && stop(), { once: true });
    this.time.after(this.random.between(20, 600), () => {
      process.run().catch((error: unknown) => this.find(`${name} threw ${error instanceof Error ? error.stack : String(error)}`));
    });
  }

  async #middle(verb: string, name: string): Promise<void> {
    const process = this.#performing.get(name);
    if (!process || !inStages.has(verb)) return;
    if (!process.crosses(`in the middle of ${verb} ${name}`)) return never();
    await this.time.sleep(this.random.between(0, 10));
    if (!process.alive) return never();
  }

  #after(verb: string, name: string): void {
    if (verb === 'removeInstance') this.#finished.delete(name);
    if (verb === 'ensureSlot') this.#loseRecord(name);
    if (verb !== 'startInstance') return;
    const record = this.state.instances.get(name);
    if (record?.spec.role === 'step') return this.#runStep(record);
    if (!record || record.path) return;
    this.#warm(record.spec);
    if (this.#broken.get(record.spec.image) !== 'crashing') return;
    const { container } = record;
    this.time.after(this.random.between(0, 2000), () => {
      if (this.state.instances.get(name)?.container === container) this.strike(name);
    });
  }

  /** Another release may take the colour of an app that is down, and with its places the records of its steps. */
  #loseRecord(slot: string): void {
    const step = slot.replace(/\.slot$/, '');
    const by = this.#performing.get(slot)?.release;
    if (by !== undefined && !this.#finished.get(step)?.endsWith(by)) this.#finished.delete(step);
  }

  #runStep({ spec: { name, image, body, origin }, container, state }: InstanceRecord): void {
    if (state !== 'running') return;
    const whose = `${body} ${origin.release}`;
    if (this.#finished.get(name) === whose) this.find(`${name} was run again although it had ended well`);
    this.time.after(this.random.between(0, 2000), () => {
      const there = this.state.instances.get(name);
      if (there?.container !== container || there.state !== 'running') return;
      this.noteChange('end');
      const exitCode = this.#broken.has(image) ? 1 : 0;
      // In a place that has died nobody counts on its record: it is run again.
      if (exitCode === 0 && this.state.slots.get(there.spec.slot)?.ready) this.#finished.set(name, whose);
      this.engine.world.finish(name, exitCode);
    });
  }

  /** It is a while until an instance that started answers its health checks. */
  #warm({ name }: InstanceSpec): void {
    this.#warming.add(name);
    this.time.after(this.random.between(0, 1500), () => {
      this.#warming.delete(name);
      this.engine.world.machine.changed();
    });
  }
}

function waitFor(time: SimulatedTime, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const callOff = time.after(ms, resolve);
    signal.addEventListener('abort', () => {
      callOff();
      resolve();
    });
  });
}
