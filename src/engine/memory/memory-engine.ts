import type { BodyId } from '../../digest.ts';
import type { Problem } from '../../problem.ts';
import { done, failed, type Result } from '../../result.ts';
import {
  identityVolume,
  type ControllerSpec,
  type Engine,
  type EngineCapabilities,
  type EngineEvent,
  type InstanceDifference,
  type InstanceSpec,
  type InstanceUsage,
  type LogLine,
  type LogOptions,
  type NetworkSpec,
  type Observation,
  type ObservedController,
  type ObservedRequest,
  type PathPhase,
  type PublishedPort,
  type SecretValues,
  type SlotSpec,
  type VolumeCopy,
  type VolumeSpec,
} from '../engine.ts';
import { networkDigest } from '../spec-digest.ts';
import { awaitPath } from './await-path.ts';
import { carryOut, engineAbsent } from './effects.ts';
import type { MemoryImages } from './images.ts';
import { observationOf, usageOf } from './inventory.ts';
import type { VolumeRecord } from './machine.ts';
import { MemoryJobs } from './memory-jobs.ts';
import * as rules from './rules.ts';
import type { MemoryWorld, Verb } from './world.ts';

/** Resolves when the time is over; rejects never. Aborted: resolves early. */
export type Wait = (limitMs: number, signal: AbortSignal) => Promise<void>;

const endedMeanwhile = (name: string): Problem => ({ code: 'ENGINE_REFUSED', what: `${name} has ended meanwhile` });

/** The engine all tests share: the contract's behaviour in memory, and a `world` around it that tests control. */
export class MemoryEngine implements Engine {
  readonly capabilities: EngineCapabilities = { name: 'Memory engine', socketHandover: true, microLayers: true };
  readonly world: MemoryWorld;
  readonly images: MemoryImages;
  readonly jobs: MemoryJobs;
  readonly #wait: Wait;

  constructor(world: MemoryWorld, wait: Wait) {
    this.world = world;
    this.images = world.images;
    this.jobs = new MemoryJobs(world);
    this.#wait = wait;
  }

  async describe(): Promise<Result<{ version: string; host: string; platform: string }>> {
    return this.#answer(() => ({ version: 'memory', host: 'memory', platform: 'linux/amd64' }));
  }

  async observe(architecture: string): Promise<Result<Observation>> {
    return this.#answer(() => observationOf(this.world.machine.of(architecture), this.world.judgement));
  }

  async controllers(architecture: string): Promise<Result<readonly ObservedController[]>> {
    const observed = await this.observe(architecture);
    return observed.ok ? done(observed.value.controllers) : observed;
  }

  async requests(architecture: string): Promise<Result<readonly ObservedRequest[]>> {
    return this.#answer(() => [...this.world.machine.of(architecture).requests.values()]);
  }

  async usage(architecture: string): Promise<Result<InstanceUsage[]>> {
    return this.#answer(() => usageOf(this.world.machine.of(architecture)));
  }

  async architectures(): Promise<Result<string[]>> {
    const { architectures } = this.world.machine;
    return this.#answer(() => [...architectures.values()].filter(rules.holdsAnything).map(({ name }) => name));
  }

  async ensureNetwork(architecture: string, spec: NetworkSpec): Promise<Result<void>> {
    return this.#effect({ verb: 'ensureNetwork', architecture, name: spec.name }, () => {
      const state = this.world.machine.of(architecture);
      const known = state.networks.get(spec.name);
      if (known && networkDigest(known) !== networkDigest(spec)) rules.networkUnused(state, spec.name);
      state.networks.set(spec.name, spec);
    });
  }

  async removeNetwork(architecture: string, name: string): Promise<Result<void>> {
    return this.#effect({ verb: 'removeNetwork', architecture, name }, () => {
      const state = this.world.machine.of(architecture);
      rules.networkUnused(state, name);
      state.networks.delete(name);
    });
  }

  async ensureVolume(architecture: string, spec: VolumeSpec): Promise<Result<void>> {
    return this.#effect({ verb: 'ensureVolume', architecture, name: spec.name }, () => {
      this.#volume(architecture, spec);
    });
  }

  async copyVolume(architecture: string, { from, to, image, upgrade }: VolumeCopy): Promise<Result<void>> {
    const { volumes } = this.world.machine.of(architecture);
    const begin = (): void => {
      rules.imageKnown(this.images, image);
      rules.canCopy(this.world.machine.of(architecture), from, to.name);
      const target = this.#volume(architecture, to);
      target.unfinished = true;
      target.contents = 'half a copy';
    };
    const finish = (): Result<void> => {
      const target = this.#volume(architecture, to);
      const contents = volumes.get(from)?.contents ?? '';
      const upgraded = upgrade ? this.world.upgrade(upgrade, contents) : contents;
      if (upgraded === undefined)
        return failed({ code: 'UPGRADE_FAILED', what: `the upgrade of ${to.owner.name} failed on a copy of its data` });
      target.contents = upgraded;
      target.unfinished = false;
      return done(undefined);
    };
    return carryOut(this.world, { verb: 'copyVolume', architecture, name: to.name }, [begin, finish]);
  }

  async noteBody(architecture: string, volume: VolumeSpec, body: BodyId): Promise<Result<void>> {
    const note = (): void => void this.world.machine.of(architecture).volumes.get(volume.name)?.bodies.add(body);
    const forgetOthers = (): void => {
      const bodies = this.world.machine.of(architecture).volumes.get(volume.name)?.bodies;
      for (const other of bodies ?? []) if (other !== body) bodies?.delete(other);
    };
    return carryOut(this.world, { verb: 'noteBody', architecture, name: volume.name }, [note, forgetOthers]);
  }

  async removeVolume(architecture: string, name: string): Promise<Result<void>> {
    return this.#effect({ verb: 'removeVolume', architecture, name }, () => {
      const state = this.world.machine.of(architecture);
      rules.volumeUnused(state, name);
      state.volumes.delete(name);
    });
  }

  async ensureSlot(architecture: string, spec: SlotSpec): Promise<Result<void>> {
    const { machine, lifecycle } = this.world;
    const state = machine.of(architecture);
    let kept = false;
    const clear = (): void => {
      rules.canMakeSlot(state, spec, this.images);
      kept = rules.isSameSlot(state, spec);
      if (!kept) this.#clearSlot(architecture, spec.name);
    };
    const create = (): void => void (kept || lifecycle.createSlot(state, spec));
    const fill = (): Result<void> | void => {
      if (kept) return;
      const holder = spec.publish.map((port) => ({ port, by: this.world.holderOf(port) })).find(({ by }) => by !== undefined);
      if (holder) return failed({ code: 'PORT_TAKEN', what: `port ${holder.port.port} is in use`, why: `${holder.by} holds it` });
      lifecycle.fillSlot(state, spec.name);
    };
    return carryOut(this.world, { verb: 'ensureSlot', architecture, name: spec.name }, [clear, create, fill]);
  }

  async removeSlot(architecture: string, name: string): Promise<Result<void>> {
    const { machine, lifecycle } = this.world;
    const state = machine.of(architecture);
    const removePlace = (): void => {
      const slot = state.slots.get(name);
      if (!slot) return;
      rules.slotEmpty(state, name);
      lifecycle.removeSlot(state, slot);
    };
    const removeDepartures = (): void => {
      for (const departure of rules.membersOf(state, name).filter(({ spec }) => spec.role === 'departure')) {
        lifecycle.endInstance(state, departure, { exitCode: 137, by: `removeSlot ${name}` });
        lifecycle.removeInstance(state, departure);
      }
    };
    return carryOut(this.world, { verb: 'removeSlot', architecture, name }, [removePlace, removeDepartures]);
  }

  async startInstance(architecture: string, spec: InstanceSpec, values: SecretValues = {}): Promise<Result<void>> {
    const { machine, lifecycle } = this.world;
    const state = machine.of(architecture);
    let kept = false;
    const create = (): Result<void> | void => {
      kept = rules.isSameInstance(state, spec);
      if (kept) return;
      const place = rules.canStart(state, spec, this.images);
      if (place === 'lost') return failed(endedMeanwhile(spec.slot));
      const missing = spec.secrets?.find(({ file }) => values[file] === undefined);
      if (missing) return failed({ code: 'ENGINE_REFUSED', what: `${spec.name} cannot start without the value of ${missing.secret}` });
      const former = state.instances.get(spec.name);
      if (former) lifecycle.removeInstance(state, former);
      lifecycle.createInstance(state, spec);
    };
    const start = (): void => {
      if (kept) return;
      lifecycle.startInstance(state, spec.name, values);
      this.world.serverStarted(state, spec);
      this.world.stepStarted(state, spec);
    };
    return carryOut(this.world, { verb: 'startInstance', architecture, name: spec.name }, [create, start]);
  }

  async removeInstance(architecture: string, name: string, container?: string): Promise<Result<void>> {
    const { machine, lifecycle } = this.world;
    const state = machine.of(architecture);
    const found = () => {
      const instance = state.instances.get(name);
      return container === undefined || instance?.container === container ? instance : undefined;
    };
    const end = (): void => {
      const instance = found();
      if (instance) lifecycle.endInstance(state, instance, { exitCode: 143, by: `removeInstance ${name}` });
    };
    const remove = (): void => {
      const instance = found();
      if (instance) lifecycle.removeInstance(state, instance);
    };
    return carryOut(this.world, { verb: 'removeInstance', architecture, name }, [end, remove]);
  }

  async awaitHealthy(architecture: string, name: string, limitMs: number): Promise<Result<void, { phase: PathPhase; ended: boolean }>> {
    return awaitPath(this.world, { architecture, name }, (signal) => this.#wait(limitMs, signal));
  }

  async holdPath(architecture: string, name: string): Promise<Result<void>> {
    return this.#effect({ verb: 'holdPath', architecture, name }, (): Result<void> | undefined => {
      const path = rules.canHold(this.world.machine.of(architecture), name);
      if (path === 'lost') return failed(endedMeanwhile(name));
      if (path.stage !== 'serving' && path.stage !== 'draining') path.stage = 'holding';
      this.world.machine.changed();
      return undefined;
    });
  }

  async promotePath(architecture: string, name: string): Promise<Result<void>> {
    return this.#effect({ verb: 'promotePath', architecture, name }, (): Result<void> | undefined => {
      const state = this.world.machine.of(architecture);
      const path = rules.canPromote(state, name, this.world.judgement);
      if (path === 'lost') return failed(endedMeanwhile(name));
      path.stage = 'serving';
      this.world.machine.changed();
      return undefined;
    });
  }

  async drainPath(architecture: string, name: string): Promise<Result<void>> {
    return this.#effect({ verb: 'drainPath', architecture, name }, () => {
      const state = this.world.machine.of(architecture);
      const instance = state.instances.get(name);
      if (instance?.state !== 'running' || !instance.path || instance.path.stage === 'draining') return;
      instance.path.stage = 'draining';
      this.world.machine.changed();
      this.world.lifecycle.endWhenDrained(state, instance);
    });
  }

  async signalInstance(architecture: string, name: string, signal: string): Promise<Result<void>> {
    return this.#effect({ verb: 'signalInstance', architecture, name }, () => {
      const state = this.world.machine.of(architecture);
      const instance = state.instances.get(name);
      if (instance?.state !== 'running') return;
      this.world.signals.push({ name, signal });
      const { role } = instance.spec;
      if (signal === 'SIGKILL' || role === 'departure')
        this.world.lifecycle.endInstance(state, instance, { exitCode: role === 'departure' ? 3 : 137, by: `${signal} ${name}` });
    });
  }

  async keepKeys(architecture: string, { keys, image }: Parameters<Engine['keepKeys']>[1]): Promise<Result<void>> {
    return this.#effect({ verb: 'keepKeys', architecture, name: identityVolume }, () => {
      rules.imageKnown(this.images, image);
      const volume = this.#volume(architecture, { name: identityVolume, owner: { kind: 'controller', name: 'controller' } });
      const lines = [...volume.contents.split('\n'), ...keys.map((key) => key.revealText())];
      volume.contents = [...new Set(lines)].filter((line) => line !== '').join('\n');
    });
  }

  async startController(architecture: string, spec: ControllerSpec): Promise<Result<string>> {
    const { machine, lifecycle } = this.world;
    const state = machine.of(architecture);
    const create = (): void => {
      rules.imageKnown(this.images, spec.image);
      if (!state.controllers.has(spec.name)) lifecycle.createController(state, spec);
    };
    const start = (): void => {
      const controller = state.controllers.get(spec.name);
      if (controller && controller.state !== 'running') lifecycle.startController(state, controller);
    };
    const result = await carryOut(this.world, { verb: 'startController', architecture, name: spec.name }, [create, start]);
    return result.ok ? done(state.controllers.get(spec.name)?.container ?? '') : result;
  }

  async removeController(architecture: string, name: string): Promise<Result<void>> {
    return this.#effect({ verb: 'removeController', architecture, name }, () => {
      const state = this.world.machine.of(architecture);
      const controller = state.controllers.get(name);
      if (controller) this.world.lifecycle.removeController(state, controller);
    });
  }

  async ask(architecture: string, { name, image, request }: Parameters<Engine['ask']>[1]): Promise<Result<void>> {
    return this.#effect({ verb: 'ask', architecture, name }, () => {
      const { machine } = this.world;
      const state = machine.of(architecture);
      rules.imageKnown(this.images, image);
      const { container, createdAt } = machine.newContainer();
      state.requests.set(name, { name, createdAt, request });
      machine.emit(state, { kind: 'changed', name, container, action: 'create' });
    });
  }

  async takeRequest(architecture: string, name: string): Promise<Result<void>> {
    return this.#effect({ verb: 'takeRequest', architecture, name }, () => {
      this.world.machine.of(architecture).requests.delete(name);
    });
  }

  controllerCommand(architecture: string, spec: ControllerSpec, imageTag: string): string {
    return `memory run --architecture ${architecture} --name ${spec.name} --environment ${spec.environment} ${imageTag}`;
  }

  watch(architecture: string, signal: AbortSignal): AsyncIterable<EngineEvent> {
    return this.world.machine.of(architecture).events.read([{ kind: 'resynchronise' }], signal);
  }

  async *logs(architecture: string, name: string, options: LogOptions): AsyncIterable<LogLine> {
    const state = this.world.machine.of(architecture);
    const record = state.instances.get(name) ?? state.slots.get(name) ?? state.controllers.get(name);
    if (!record) return;
    const { lines, feed, ended } = this.world.machine.logOf(record.container);
    const recent = lines.filter(({ at }) => options.since === undefined || at >= options.since);
    const tail = options.tail === undefined ? recent : recent.slice(recent.length - Math.min(options.tail, recent.length));
    if (options.follow && !ended) yield* feed.read(tail, options.signal);
    else yield* tail;
  }

  async inspectInstances(architecture: string): Promise<Result<InstanceDifference[]>> {
    return this.#answer(() => [...this.world.machine.of(architecture).differences]);
  }

  async portHolder(port: PublishedPort): Promise<string | undefined> {
    return this.world.holderOf(port);
  }

  #answer<T>(look: () => T): Result<T> {
    return this.world.machine.running ? done(look()) : failed(engineAbsent);
  }

  #effect(subject: { verb: Verb; architecture: string; name: string }, work: () => Result<void> | void): Promise<Result<void>> {
    return carryOut(this.world, subject, [work]);
  }

  #volume(architecture: string, spec: VolumeSpec): VolumeRecord {
    const { volumes } = this.world.machine.of(architecture);
    const record = volumes.get(spec.name) ?? { spec, contents: '', bodies: new Set<BodyId>(), unfinished: false };
    volumes.set(spec.name, record);
    return record;
  }

  /** Members of a place that is made anew could never be reached again: they go with it. */
  #clearSlot(architecture: string, name: string): void {
    const { machine, lifecycle } = this.world;
    const state = machine.of(architecture);
    const slot = state.slots.get(name);
    if (!slot) return;
    for (const instance of rules.membersOf(state, name)) {
      lifecycle.endInstance(state, instance, { exitCode: 137, by: `ensureSlot ${name}` });
      lifecycle.removeInstance(state, instance);
    }
    lifecycle.removeSlot(state, slot);
  }
}
