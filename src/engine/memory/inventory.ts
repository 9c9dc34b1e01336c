import { byCodeUnit } from '../../canonical-json.ts';
import { short } from '../../digest.ts';
import type { InstanceUsage, Observation, ObservedController, ObservedInstance, ObservedSlot, ObservedVolume } from '../engine.ts';
import { instanceDigest, networkDigest, referencesOf, slotDigest } from '../spec-digest.ts';
import type { ArchitectureState, ControllerRecord, InstanceRecord, Machine, SlotRecord, VolumeRecord } from './machine.ts';
import { phaseOf, type Judgement } from './paths.ts';

/** All that the engine holds of one architecture. What is down in it counts as seen from here on. */
export function observationOf(state: ArchitectureState, judgement: Judgement): Observation {
  for (const slot of state.slots.values()) slot.deathSeen = !slot.ready;
  for (const instance of state.instances.values()) instance.deathSeen = instance.state !== 'running';
  return {
    networks: [...state.networks.values()].map((spec) => ({ name: spec.name, owner: spec.owner, spec: networkDigest(spec) })),
    volumes: [...state.volumes.values()].map(observedVolume),
    slots: [...state.slots.values()].map(observedSlot),
    instances: [...state.instances.values()].map((instance) => observedInstance(state, instance, judgement)),
    controllers: [...state.controllers.values()].map(observedController),
    requests: [...state.requests.values()],
    strangers: [...state.strangers],
  };
}

/** What tests said the running instances use; nothing where they said nothing. */
export function usageOf({ instances }: ArchitectureState): InstanceUsage[] {
  const running = [...instances.values()].filter(({ state }) => state === 'running');
  return running.map(({ spec: { name }, container, usage = { cpuMs: 0, memoryBytes: 0 } }) => ({ name, container, ...usage }));
}

function observedVolume({ spec, bodies, unfinished }: VolumeRecord): ObservedVolume {
  const noted = bodies.size === 0 ? {} : { bodies: [...bodies].toSorted() };
  return { name: spec.name, owner: spec.owner, ...noted, ...(unfinished ? { unfinished } : {}) };
}

function observedSlot({ spec, ready, container, address }: SlotRecord): ObservedSlot {
  const colour = spec.colour === undefined ? {} : { colour: spec.colour };
  return { name: spec.name, owner: spec.owner, ...colour, ready, spec: slotDigest(spec), container, ...(ready ? { address } : {}) };
}

function observedInstance(state: ArchitectureState, instance: InstanceRecord, judgement: Judgement): ObservedInstance {
  const { spec, container, createdAt, startedAt, endedAt, exitCode } = instance;
  const path = phaseOf(state, instance, judgement);
  const { name, slot, owner, role, generation, body, image, origin } = spec;
  return {
    name,
    container,
    slot,
    owner,
    role,
    generation,
    body,
    image,
    origin,
    state: instance.state,
    createdAt,
    ...(spec.colour === undefined ? {} : { colour: spec.colour }),
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(endedAt === undefined ? {} : { endedAt }),
    ...(path === undefined ? {} : { path }),
    ...(spec.drainSignal === undefined ? {} : { drainSignal: spec.drainSignal }),
    ...(spec.secrets === undefined ? {} : { secrets: referencesOf(spec.secrets) }),
    spec: instanceDigest(spec),
  };
}

function observedController({ spec, container, state, createdAt, startedAt }: ControllerRecord): ObservedController {
  return { ...spec, container, state, createdAt, ...(startedAt === undefined ? {} : { startedAt }) };
}

/** One sorted line for each thing there is, without container ids and times. */
export function inventoryOf(machine: Machine, judgement: Judgement): string[] {
  return [...machine.architectures.values()].flatMap((state) => linesOf(state, judgement)).toSorted(byCodeUnit);
}

function linesOf(state: ArchitectureState, judgement: Judgement): string[] {
  const lines = [
    ...[...state.networks.values()].map((spec) => `network ${spec.name} ${short(networkDigest(spec))}`),
    ...[...state.volumes.values()].map(volumeLine),
    ...[...state.slots.values()].map(({ spec, ready }) => `slot ${spec.name} ${short(slotDigest(spec))} ${ready ? 'ready' : 'down'}`),
    ...[...state.instances.values()].map((instance) => instanceLine(state, instance, judgement)),
    ...[...state.requests.keys()].map((name) => `request ${name}`),
    ...[...state.controllers.values()].map(({ spec, ...record }) => `controller ${spec.name} ${short(spec.release)} ${record.state}`),
  ];
  return lines.map((line) => `${state.name}: ${line}`);
}

function volumeLine({ spec, bodies, unfinished }: VolumeRecord): string {
  return [`volume ${spec.name}`, ...[...bodies].map(short).toSorted(), ...(unfinished ? ['unfinished'] : [])].join(' ');
}

function instanceLine(state: ArchitectureState, instance: InstanceRecord, judgement: Judgement): string {
  const { name, generation, image } = instance.spec;
  const phase = phaseOf(state, instance, judgement)?.phase;
  const end = instance.spec.role === 'step' && instance.exitCode !== undefined ? ` ${instance.exitCode}` : '';
  return `instance ${name} ${short(generation)} ${short(image)} ${instance.state}${phase === undefined ? '' : ` ${phase}`}${end}`;
}
