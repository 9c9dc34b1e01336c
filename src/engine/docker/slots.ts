import { randomBytes } from 'node:crypto';
import type { SlotSpec } from '../engine.ts';
import { labels } from '../labels.ts';
import { slotDigest } from '../spec-digest.ts';
import type { DockerClient } from './client.ts';
import { createContainer, inspectContainer, listContainers, removeContainer, startContainer } from './containers.ts';
import { EngineFailure, meaningOfText, Refusal } from './failure.ts';
import type { Inspections } from './inspections.ts';
import { listNetworks } from './networks.ts';
import { engineName, instanceRoles, memoryName, ofArchitecture } from './names.ts';
import { portHolder } from './ports.ts';
import { attachOrder, endpointConfig, fillerCreation, sandboxCreation } from './slot-creation.ts';
import { sealOf } from './creation.ts';
import type { SlotMemory } from './slot-memory.ts';
import { NEVER, type InspectedContainer } from './vendor.ts';
import { isMemory, listVolumes, removeMemoryVolumes } from './volumes.ts';

/** What the making of slots, and of instances in them, needs. */
export type Slots = { client: DockerClient; memory: SlotMemory; inspections: Inspections };

type Place = { client: DockerClient; architecture: string };

/**
 * Whether a sandbox runs since it was made. One that was stopped and started again has lost its memory, and its members
 * their network: nothing of ours does that, so it counts as gone.
 */
export const ranThrough = ({ State }: InspectedContainer): boolean => State.Running && State.FinishedAt === NEVER;

/**
 * Makes the slot unless it is there, ready and made from the same spec. Order: the filler exists before the sandbox
 * starts and goes when the memory is filled, so whoever dies in between leaves a slot that is seen to be not ready.
 */
export async function ensureSlot({ client, memory }: Slots, architecture: string, spec: SlotSpec): Promise<void> {
  const place = { client, architecture };
  const name = engineName(architecture, spec.name);
  const filler = memoryName(architecture, spec.name);
  const [sandbox, unfilled] = await Promise.all([inspectContainer(client, name), inspectContainer(client, filler)]);
  const isSame = sandbox !== undefined && sealOf(sandbox.Config.Labels ?? {}).spec === slotDigest(spec);
  if (isSame && unfilled === undefined && ranThrough(sandbox)) return;
  await removeMembers(place, spec.name);
  await removeSlotParts(place, spec.name);
  try {
    await makeSlot(place, spec, memory);
  } catch (error) {
    // Best effort: what is left over is seen as a slot that is not ready, and goes when it is made or removed.
    await removeSlotParts(place, spec.name).catch(() => undefined);
    throw error;
  }
}

async function makeSlot(place: Place, spec: SlotSpec, memory: SlotMemory): Promise<void> {
  const { client, architecture } = place;
  const internal = await internalNetworks(place, spec);
  const [first, ...others] = attachOrder(spec, (network) => internal.has(network));
  // A name of its own each time: an engine that restarted under it may refuse for ever to remove the former one.
  const filler = memoryName(architecture, spec.name);
  const volume = `${filler}.${randomBytes(4).toString('hex')}`;
  const container = await createContainer(
    client,
    engineName(architecture, spec.name),
    sandboxCreation(architecture, spec, { first, volume }),
  );
  await createContainer(client, filler, fillerCreation(architecture, spec, volume));
  for (const other of others) {
    const json = { Container: container, EndpointConfig: endpointConfig(spec, other) };
    await client.bytes({ method: 'POST', path: `/networks/${engineName(architecture, other.network)}/connect`, json });
  }
  await startSandbox(place, spec, container);
  const sandbox = await inspectContainer(client, container);
  if (sandbox) await memory.fill(sandbox, filler);
  await removeContainer(client, filler);
}

/** Removes sandbox, filler and memory. Refuses while the slot has members: they would live on without a network. */
export async function removeSlot(client: DockerClient, architecture: string, name: string): Promise<void> {
  const place = { client, architecture };
  const [members, departures] = await Promise.all([membersOf(place, name), membersOf(place, name, ['departure'])]);
  if (members.length > departures.length) {
    throw new Refusal({
      code: 'ENGINE_REFUSED',
      what: `slot ${name} still has ${members.length - departures.length} members`,
      next: 'remove its instances first',
    });
  }
  await removeSandbox(place, name);
  // As long as the place was there it said that nobody is to come into it again.
  await Promise.all(departures.map((departure) => removeContainer(client, departure)));
  await removeMemory(place, name);
}

async function membersOf({ client, architecture }: Place, slot: string, roles = instanceRoles): Promise<string[]> {
  const inSlot = await listContainers(client, [ofArchitecture(architecture), `${labels.slot}=${slot}`]);
  return inSlot.filter(({ Labels }) => roles.includes(Labels?.[labels.role] ?? '')).map(({ Id }) => Id);
}

async function removeMembers(place: Place, slot: string): Promise<void> {
  const members = await membersOf(place, slot);
  await Promise.all(members.map((member) => removeContainer(place.client, member)));
}

async function removeSlotParts(place: Place, slot: string): Promise<void> {
  await removeSandbox(place, slot);
  await removeMemory(place, slot);
}

async function removeSandbox({ client, architecture }: Place, slot: string): Promise<void> {
  // The sandbox first: a slot without filler is ready only as long as its sandbox runs.
  await removeContainer(client, engineName(architecture, slot));
  const fillers = await listContainers(client, [ofArchitecture(architecture), `${labels.slot}=${slot}`, `${labels.role}=once`]);
  await Promise.all(fillers.map(({ Id }) => removeContainer(client, Id)));
}

/** A volume that a container still has stays: nothing of the slot may be left by then. */
async function removeMemory({ client, architecture }: Place, slot: string): Promise<void> {
  const volumes = await listVolumes(client, architecture);
  await removeMemoryVolumes(
    client,
    volumes.filter((volume) => isMemory(volume) && volume.Labels?.[labels.slot] === slot),
  );
}

async function internalNetworks({ client, architecture }: Place, spec: SlotSpec): Promise<Set<string>> {
  if (spec.networks.length < 2) return new Set();
  const networks = await listNetworks(client, architecture);
  return new Set(networks.filter(({ Internal }) => Internal).map(({ Labels }) => Labels?.[labels.name] ?? ''));
}

async function startSandbox({ client }: Place, spec: SlotSpec, container: string): Promise<void> {
  try {
    await startContainer(client, container);
  } catch (error) {
    if (!(error instanceof EngineFailure) || meaningOfText(error.message) !== 'port-taken') throw error;
    throw new Refusal({
      code: 'PORT_TAKEN',
      what: `a port of ${spec.publish.map(({ address, port }) => `${address}:${port}`).join(', ')} is in use on the host`,
      why: `held by ${(await portHolders(client, spec)) ?? 'a process outside the engine'}: ${error.message}`,
      next: 'stop what holds it, or publish another port in architecture.ts',
    });
  }
}

async function portHolders(client: DockerClient, spec: SlotSpec): Promise<string | undefined> {
  for (const port of spec.publish) {
    const holder = await portHolder(client, port);
    if (holder !== undefined) return holder;
  }
  return undefined;
}
