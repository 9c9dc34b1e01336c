import type { ImageId } from '../digest.ts';
import type {
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
 * A new server of a store is tried in private before clients reach it: first on a copy of the data while the old one serves
 * (`rehearsal`), then, when the old one has stopped, on the data themselves (`proof`).
 */
export type TrialKind = 'rehearsal' | 'proof';

/** What an instance that serves nobody yet is for: a server's trial, or a look at an app that is held. */
export type AsideKind = TrialKind | 'preview';

/**
 * A store's data, and the private place in which a server is tried on them. `image` does the copying; `upgrade` makes data of
 * another format into these.
 */
export type StoreData = {
  volume: VolumeSpec;
  network: NetworkSpec;
  slots: { server: SlotSpec; path: SlotSpec };
  image: ImageId;
  upgrade?: VolumeUpgrade;
};

/** The place has a network of its own, where the server has the name it always has: the waiter that checks it is the final image. */
export function storeData(store: string, { format, image, upgrade }: Made): StoreData {
  const owner: Owner = { kind: 'store', name: store };
  const network = `trial/${store}`;
  const privately = (slot: SlotSpec, name: string, alias: string): SlotSpec => ({
    ...slot,
    name,
    networks: [{ network, aliases: [alias] }],
  });
  return {
    volume: dataVolume(store, format),
    network: { name: network, owner, internal: true, isolated: false, hosts: 8 },
    slots: {
      server: privately(storeServerSlot(store, image), serverSlotName(store), `${store}.server`),
      path: privately(storePathSlot(store, image), pathSlotName(store), 'path'),
    },
    image,
    ...(upgrade && { upgrade }),
  };
}

type Made = { format: string | undefined; image: ImageId; upgrade: VolumeUpgrade | undefined };

const serverSlotName = (store: string): string => slotOf(`${store}.trial`);
const pathSlotName = (store: string): string => slotOf(`${store}.trial-path`);

type Placed = { owner: Owner; name: string; slot: string };

/** What an instance is there for that serves nobody; undefined for every one that does, or is to. */
export function asideKindOf({ owner, name, slot }: Placed): AsideKind | undefined {
  if (owner.kind === 'app') return slot === previewSlotName(owner.name) ? 'preview' : undefined;
  if (owner.kind !== 'store' || ![serverSlotName(owner.name), pathSlotName(owner.name)].includes(slot)) return undefined;
  return name.startsWith(`${owner.name}.rehearsal`) ? 'rehearsal' : 'proof';
}

/** The server and the waiter of a trial, made from those that are to serve. */
export function trialInstances(
  { server, path }: { server: InstanceSpec; path: InstanceSpec },
  { kind, token }: { kind: TrialKind; token: number },
  { slots, volume }: StoreData,
): { server: InstanceSpec; path: InstanceSpec } {
  const store = server.owner.name;
  const on = kind === 'proof' ? volume.name : copyName(volume.name, { kind, token });
  const mounts = server.mounts.map((mount) => (mount.kind === 'volume' ? { ...mount, volume: on } : mount));
  return {
    server: { ...server, name: `${store}.${kind}`, slot: slots.server.name, mounts },
    path: { ...path, name: `${store}.${kind}-path.${path.generation.slice(0, 8)}.${token}`, slot: slots.path.name },
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
