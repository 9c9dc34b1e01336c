import type { ControllerSpec, InstanceSpec, SecretValues, SlotSpec } from '../engine.ts';
import type { Availability } from './availability.ts';
import { bodyKey, type ArchitectureState, type ControllerRecord, type InstanceRecord, type Machine, type SlotRecord } from './machine.ts';
import { phaseOf, type Judgement } from './paths.ts';

/** A controller container's life: `stopped` aborts when it is killed or removed. */
export type ControllerRun = { architecture: string; container: string; stopped: AbortSignal; print: (line: string) => void };

/** How things come into being and end, whoever causes it: the engine's verbs or a test's world. */
export class Lifecycle {
  readonly #machine: Machine;
  readonly #judgement: Judgement;
  readonly #availability: Availability;
  onController: ((spec: ControllerSpec, run: ControllerRun) => void) | undefined;

  constructor(machine: Machine, judgement: Judgement, availability: Availability) {
    this.#machine = machine;
    this.#judgement = judgement;
    this.#availability = availability;
  }

  createSlot(state: ArchitectureState, spec: SlotSpec): void {
    const { number, ...made } = this.#machine.newContainer();
    const address = `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
    state.slots.set(spec.name, { ...made, spec, ready: false, address, deathSeen: false });
  }

  fillSlot(state: ArchitectureState, name: string): void {
    const slot = state.slots.get(name);
    if (!slot) return;
    slot.ready = true;
    slot.startedAt = this.#machine.now();
    this.#machine.emit(state, { kind: 'started', name, container: slot.container, action: 'start' });
    this.#machine.changed();
  }

  endSlot(state: ArchitectureState, slot: SlotRecord, action: string): void {
    if (!slot.ready) return;
    slot.ready = false;
    slot.deathSeen = false;
    this.#machine.endLog(slot.container);
    this.#machine.emit(state, { kind: 'died', name: slot.spec.name, container: slot.container, action });
    this.#machine.changed();
  }

  removeSlot(state: ArchitectureState, slot: SlotRecord): void {
    this.#availability.notePlaceEnd(state, slot);
    this.endSlot(state, slot, 'die');
    state.slots.delete(slot.spec.name);
    this.#machine.emit(state, { kind: 'removed', name: slot.spec.name, container: slot.container, action: 'destroy' });
  }

  createInstance(state: ArchitectureState, spec: InstanceSpec): void {
    const { container, createdAt } = this.#machine.newContainer();
    const record: InstanceRecord = { container, createdAt, spec, state: 'created', deathSeen: false };
    if (spec.role === 'path') record.path = { stage: 'starting', wasHealthy: false, held: 0 };
    state.instances.set(spec.name, record);
  }

  startInstance(state: ArchitectureState, name: string, secrets: SecretValues): void {
    const instance = state.instances.get(name);
    if (!instance) return;
    instance.state = 'running';
    const own = (instance.spec.secrets ?? []).flatMap(({ file }) => (secrets[file] ? [[file, secrets[file]] as const] : []));
    instance.secrets = Object.fromEntries(own);
    instance.startedAt = this.#machine.now();
    if (instance.spec.role === 'service') this.#rememberService(state, instance.spec);
    const place = state.slots.get(instance.spec.slot);
    if (instance.spec.role === 'departure' && place) place.avoided = true;
    this.#machine.emit(state, { kind: 'started', name, container: instance.container, action: 'start' });
    if (instance.path) queueMicrotask(() => this.#beginWaiting(instance));
    this.#machine.changed();
  }

  /** Ends a running instance; what ended already stays as it is. */
  endInstance(state: ArchitectureState, instance: InstanceRecord, end: { exitCode: number; by: string }): void {
    if (instance.state !== 'running') return;
    this.#availability.noteEnd(state, instance, end.by);
    const place = state.slots.get(instance.spec.slot);
    if (instance.spec.role === 'departure' && place && end.exitCode === 3) place.avoided = false;
    const lastPhase = phaseOf(state, instance, this.#judgement);
    if (instance.path && lastPhase) instance.path.lastPhase = lastPhase;
    instance.state = 'exited';
    delete instance.secrets;
    instance.exitCode = end.exitCode;
    instance.endedAt = this.#machine.now();
    instance.deathSeen = false;
    this.#machine.endLog(instance.container);
    this.#machine.emit(state, { kind: 'died', name: instance.spec.name, container: instance.container, action: 'die' });
    this.#machine.changed();
  }

  removeInstance(state: ArchitectureState, instance: InstanceRecord): void {
    state.instances.delete(instance.spec.name);
    state.differences = state.differences.filter(({ container }) => container !== instance.container);
    this.#machine.emit(state, { kind: 'removed', name: instance.spec.name, container: instance.container, action: 'destroy' });
    this.#machine.changed();
  }

  /** A draining path that holds nothing any more ends by itself, a moment later. */
  endWhenDrained(state: ArchitectureState, instance: InstanceRecord): void {
    queueMicrotask(() => {
      if (instance.path?.stage !== 'draining' || instance.path.held) return;
      this.endInstance(state, instance, { exitCode: 0, by: 'drained' });
      this.#availability.look(`${instance.spec.name} drained`);
    });
  }

  createController(state: ArchitectureState, spec: ControllerSpec): string {
    const { container, createdAt } = this.#machine.newContainer();
    state.controllers.set(spec.name, { container, createdAt, spec, state: 'created', stop: new AbortController() });
    return container;
  }

  startController(state: ArchitectureState, controller: ControllerRecord): void {
    const { spec, container } = controller;
    controller.stop = new AbortController();
    controller.state = 'running';
    controller.startedAt = this.#machine.now();
    const print = (line: string): void => this.#machine.print(container, line);
    this.#machine.emit(state, { kind: 'started', name: spec.name, container, action: 'start' });
    this.onController?.(spec, { architecture: state.name, container, stopped: controller.stop.signal, print });
  }

  endController(state: ArchitectureState, controller: ControllerRecord): void {
    if (controller.state !== 'running') return;
    controller.state = 'exited';
    controller.stop.abort();
    this.#machine.emit(state, { kind: 'died', name: controller.spec.name, container: controller.container, action: 'die' });
  }

  removeController(state: ArchitectureState, controller: ControllerRecord): void {
    this.endController(state, controller);
    this.#machine.endLog(controller.container);
    state.controllers.delete(controller.spec.name);
    this.#machine.emit(state, { kind: 'removed', name: controller.spec.name, container: controller.container, action: 'destroy' });
  }

  #beginWaiting(instance: InstanceRecord): void {
    if (instance.state !== 'running' || instance.path?.stage !== 'starting') return;
    instance.path.stage = 'waiting';
    this.#machine.changed();
  }

  #rememberService(state: ArchitectureState, spec: InstanceSpec): void {
    const services = state.bodies.get(bodyKey(spec)) ?? new Set<string>();
    const service = state.slots.get(spec.slot)?.spec.facts.service;
    if (service !== undefined) services.add(service);
    state.bodies.set(bodyKey(spec), services);
  }
}
