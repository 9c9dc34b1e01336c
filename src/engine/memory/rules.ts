import type { InstanceSpec, SlotSpec } from '../engine.ts';
import { instanceDigest, slotDigest } from '../spec-digest.ts';
import type { ArchitectureState, InstanceRecord, PathRecord } from './machine.ts';
import { failingChecks, type Judgement } from './paths.ts';

/**
 * What a real engine (or the design) does not let happen. A broken rule is a bug in who calls, so it throws. What a
 * caller could not know yet, because it happened after its last observation, is `lost` instead: an expected failure.
 */
const must = (holds: boolean, sentence: string): void => {
  if (!holds) throw new Error(sentence);
};

export const imageKnown = (images: { has: (id: string) => boolean }, id: string): void =>
  must(images.has(id), `the engine has no image ${id}`);

export const membersOf = (state: ArchitectureState, slot: string): InstanceRecord[] =>
  [...state.instances.values()].filter(({ spec }) => spec.slot === slot);

export const holdsAnything = (state: ArchitectureState): boolean =>
  [state.networks, state.volumes, state.slots, state.instances, state.controllers, state.requests].some(({ size }) => size > 0);

export function networkUnused(state: ArchitectureState, name: string): void {
  const user = [...state.slots.values()].find(({ spec }) => spec.networks.some(({ network }) => network === name));
  must(user === undefined, `network ${name} has a member, ${user?.spec.name}`);
}

export function volumeUnused(state: ArchitectureState, name: string): void {
  const user = [...state.instances.values()].find(({ spec }) =>
    spec.mounts.some((mount) => mount.kind === 'volume' && mount.volume === name),
  );
  must(user === undefined, `volume ${name} is used by ${user?.spec.name}`);
}

/** What runs on it would see it change; what is half a copy is nothing to copy. */
export function canCopy(state: ArchitectureState, from: string, to: string): void {
  must(state.volumes.get(from)?.unfinished === false, `volume ${from}, to be copied, is not there or unfinished`);
  const user = serverOn(state, to);
  must(user === undefined, `${user?.spec.name} runs on volume ${to}, which is to be filled`);
}

export function slotEmpty(state: ArchitectureState, name: string): void {
  const member = membersOf(state, name).find(({ spec }) => spec.role !== 'departure');
  must(member === undefined, `slot ${name} has a member, ${member?.spec.name}`);
}

export function canMakeSlot(state: ArchitectureState, spec: SlotSpec, images: { has: (id: string) => boolean }): void {
  imageKnown(images, spec.image);
  for (const { network } of spec.networks)
    must(state.networks.has(network), `slot ${spec.name} needs network ${network}, which is not there`);
}

export function isSameSlot(state: ArchitectureState, spec: SlotSpec): boolean {
  const known = state.slots.get(spec.name);
  return known !== undefined && known.ready && slotDigest(known.spec) === slotDigest(spec);
}

/** Whether it runs already, or is a step that ran; throws when something else runs under its name. */
export function isSameInstance(state: ArchitectureState, spec: InstanceSpec): boolean {
  const known = state.instances.get(spec.name);
  if (spec.role === 'step' && known?.state === 'exited') return instanceDigest(known.spec) === instanceDigest(spec);
  if (known?.state !== 'running') return false;
  must(instanceDigest(known.spec) === instanceDigest(spec), `another instance runs as ${spec.name}`);
  return true;
}

export function canStart(state: ArchitectureState, spec: InstanceSpec, images: { has: (id: string) => boolean }): 'ok' | 'lost' {
  imageKnown(images, spec.image);
  for (const mount of spec.mounts) if (mount.kind === 'volume') volumeFree(state, spec, mount.volume);
  const slot = state.slots.get(spec.slot);
  if (!slot) throw new Error(`${spec.name} is to start in slot ${spec.slot}, which is not there`);
  must(spec.role !== 'path' || slot.spec.memory === 'sockets', `path ${spec.name} needs a slot that keeps sockets`);
  must(slot.ready || !slot.deathSeen, `${spec.name} is to start in slot ${spec.slot}, which is not ready`);
  return slot.ready ? 'ok' : 'lost';
}

function volumeFree(state: ArchitectureState, { name, role }: InstanceSpec, volume: string): void {
  must(state.volumes.has(volume), `${name} mounts volume ${volume}, which is not there`);
  must(state.volumes.get(volume)?.unfinished === false, `${name} is to start on volume ${volume}, a copy that is unfinished`);
  if (role !== 'server') return;
  const other = serverOn(state, volume, name);
  must(other === undefined, `${other?.spec.name} still runs on volume ${volume}, where ${name} is to start`);
}

const serverOn = (state: ArchitectureState, volume: string, except?: string): InstanceRecord | undefined =>
  [...state.instances.values()].find(
    ({ state: life, spec }) =>
      life === 'running' &&
      spec.name !== except &&
      spec.role === 'server' &&
      spec.mounts.some((mount) => mount.kind === 'volume' && mount.volume === volume),
  );

/** The store's path that is to hold. */
export function canHold(state: ArchitectureState, name: string): PathRecord | 'lost' {
  const instance = state.instances.get(name);
  if (!instance?.path) throw new Error(`there is no path ${name} to hold connections`);
  must(instance.spec.owner.kind === 'store', `path ${name} is no store's, and would keep its clients waiting`);
  must(instance.state === 'running' || !instance.deathSeen, `path ${name}, to hold connections, has ended`);
  return instance.state === 'running' ? instance.path : 'lost';
}

/**
 * The path to promote. One that was healthy and no longer is, a moment later, is promoted as a real one would be; one that
 * never was may only come where nothing of its owner serves (after a reboot a late answer is better than none).
 */
export function canPromote(state: ArchitectureState, name: string, judgement: Judgement): PathRecord | 'lost' {
  const instance = state.instances.get(name);
  if (!instance?.path) throw new Error(`there is no path ${name} to promote`);
  must(instance.state === 'running' || !instance.deathSeen, `path ${name}, to be promoted, has ended`);
  if (instance.state !== 'running') return 'lost';
  must(instance.path.stage !== 'draining', `path ${name}, to be promoted, drains`);
  const healthy =
    instance.path.wasHealthy || (instance.path.stage === 'waiting' && failingChecks(state, instance.spec, judgement).length === 0);
  must(
    ['holding', 'serving'].includes(instance.path.stage) || healthy || !servesAlready(state, instance.spec),
    `path ${name}, to be promoted, was never healthy`,
  );
  return instance.path;
}

const servesAlready = (state: ArchitectureState, { owner }: InstanceSpec): boolean =>
  [...state.instances.values()].some(
    ({ spec, state, path }) =>
      state === 'running' && path?.stage === 'serving' && spec.owner.kind === owner.kind && spec.owner.name === owner.name,
  );
