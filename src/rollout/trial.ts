import type { ImageId } from '../digest.ts';
import type {
  InstanceRole,
  InstanceSpec,
  NetworkSpec,
  Observation,
  ObservedVolume,
  Owner,
  SlotSpec,
  VolumeSpec,
  VolumeUpgrade,
} from '../engine/engine.ts';
import { dataVolume, previewSlotName, slotOf, storePathSlot, storeServerSlot } from './ground.ts';

/**
 * A new server of a store is tried before clients reach it: first in private, on a copy of the data, while the old one serves
 * (`rehearsal`); then, when the old one has stopped, on the data themselves (`proof`), in the place where it is to serve. There
 * only its path reaches it, which lets connections wait.
 */
export type TrialKind = 'rehearsal' | 'proof';

/** What an instance that serves nobody yet is for: a server's trial, or a look at an app that is held. */
export type AsideKind = TrialKind | 'preview';

/**
 * A store's data, and the private place in which a server is rehearsed. `image` does the copying; `upgrade` makes data of
 * another format into these.
 */
export type StoreData = {
  volume: VolumeSpec;
  network: NetworkSpec;
  slots: { server: SlotSpec; path: SlotSpec };
  image: ImageId;
  upgrade?: VolumeUpgrade;
};

/** The place has a network of its own, where the server has the names it always has: the waiter that checks it is the final image. */
export function storeData(store: string, { format, image, upgrade }: Made): StoreData {
  const owner: Owner = { kind: 'store', name: store };
  const network = `trial/${store}`;
  const privately = ({ colour: _either, ...slot }: SlotSpec, name: string, aliases: readonly string[]): SlotSpec => ({
    ...slot,
    name,
    networks: [{ network, aliases }],
  });
  const server = storeServerSlot({ store, colour: 'blue', image });
  return {
    volume: dataVolume(store, format),
    network: { name: network, owner, internal: true, isolated: false, hosts: 8 },
    slots: {
      server: privately(server, serverSlotName(store), [`${store}.server.blue`, `${store}.server.green`]),
      path: privately(storePathSlot(store, image), pathSlotName(store), ['path']),
    },
    image,
    ...(upgrade && { upgrade }),
  };
}

type Made = { format: string | undefined; image: ImageId; upgrade: VolumeUpgrade | undefined };

const serverSlotName = (store: string): string => slotOf(`${store}.trial`);
const pathSlotName = (store: string): string => slotOf(`${store}.trial-path`);

type Placed = { owner: Owner; name: string; role: InstanceRole; slot: string };

/** What an instance is there for that serves nobody; undefined for every one that may come to serve. */
export function asideKindOf({ owner, name, role, slot }: Placed): AsideKind | undefined {
  if (owner.kind === 'app') return slot === previewSlotName(owner.name) ? 'preview' : undefined;
  if (owner.kind !== 'store') return undefined;
  if (name === `${owner.name}.rehearsal` || name.startsWith(`${owner.name}.rehearsal-path.`)) return 'rehearsal';
  return role === 'path' && name.startsWith(`${owner.name}.proof-path.`) ? 'proof' : undefined;
}

/** The server and the waiter of a trial, made from those that are to serve. In a proof the server is that very one. */
export function trialInstances(
  { server, path }: { server: InstanceSpec; path: InstanceSpec },
  { kind, token }: { kind: TrialKind; token: number },
  { slots, volume }: StoreData,
): { server: InstanceSpec; path: InstanceSpec } {
  const store = server.owner.name;
  const waiter = { ...path, name: `${store}.${kind}-path.${path.generation.slice(0, 8)}.${token}` };
  if (kind === 'proof') return { server, path: waiter };
  const copy = copyName(volume.name, { kind, token });
  const mounts = server.mounts.map((mount) => (mount.kind === 'volume' ? { ...mount, volume: copy } : mount));
  return {
    server: { ...server, name: `${store}.${kind}`, slot: slots.server.name, mounts },
    path: { ...waiter, slot: slots.path.name },
  };
}

/**
 * A copy that a rollout makes of a store's data. `rehearsal`: what the new server is tried on. `snapshot`: the data as the old
 * server left them; while it is there, no client has been let in since.
 */
export type CopyKind = 'rehearsal' | 'snapshot';

/** `of`: the data generation it is a copy of, or for. */
export type ObservedCopy = { volume: ObservedVolume; of: string; kind: CopyKind; token: number };

export const copyName = (volume: string, { kind, token }: { kind: CopyKind; token: number }): string => `${volume}.${kind}.${token}`;

/** All data generations of a store, none of their copies. */
export const generationsOf = (store: string, { volumes }: Observation): ObservedVolume[] =>
  volumes.filter(
    ({ name }) => name === `${store}.data` || (name.startsWith(`${store}.data.`) && !name.slice(`${store}.data.`.length).includes('.')),
  );

/** The copies of a store's data that are there, of all its data generations, whichever rollout made them. */
export function copiesOf(store: string, { volumes }: Observation): ObservedCopy[] {
  return volumes.flatMap((volume) => {
    if (!volume.name.startsWith(`${store}.data.`)) return [];
    const found = /^(.+)\.(rehearsal|snapshot)\.(\d+)$/.exec(volume.name);
    return found ? [{ volume, of: found[1] ?? '', kind: found[2] as CopyKind, token: Number(found[3]) }] : [];
  });
}
