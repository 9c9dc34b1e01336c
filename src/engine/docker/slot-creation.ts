import type { SlotSpec } from '../engine.ts';
import { labels } from '../labels.ts';
import { slotDigest } from '../spec-digest.ts';
import { hardenedHost, sealed } from './creation.ts';
import { definedLabels, engineName, memoryName, ownerLabels } from './names.ts';
import type { Creation, PortBindings, VendorMount } from './vendor.ts';

/** Where the members of a slot find what it keeps in memory. */
export const memoryPath = '/run/changeless';
/** The user of the proxy image, who alone may reach the sockets that are handed over. */
const PROXY_USER = 10101;
const SANDBOX_MEMORY_BYTES = 32 * 2 ** 20;
const SANDBOX_PROCESSES = 16;

/** On each endpoint, which of the slot's networks it is: `1 of 2`. The first is where its address is. */
export const endpointMark = 'dev.changeless.network';

export type SlotNetwork = SlotSpec['networks'][number];

/** The networks in the order of attaching: the one with a way out first, because the default route and ports follow it. */
export function attachOrder(spec: SlotSpec, isInternal: (network: string) => boolean): SlotNetwork[] {
  const out = spec.networks.filter(({ network }) => !isInternal(network));
  return [...out, ...spec.networks.filter(({ network }) => isInternal(network))];
}

export function endpointConfig(spec: SlotSpec, network: SlotNetwork): { Aliases: readonly string[]; DriverOpts: Record<string, string> } {
  const place = spec.networks.indexOf(network) + 1;
  return { Aliases: network.aliases, DriverOpts: { [endpointMark]: `${place} of ${spec.networks.length}` } };
}

export const memoryMount = (architecture: string, slot: string, readOnly: boolean): VendorMount => ({
  Type: 'volume',
  Source: memoryName(architecture, slot),
  Target: memoryPath,
  ...(readOnly && { ReadOnly: true }),
  VolumeOptions: { NoCopy: true },
});

/** Made with the sandbox; empty until it starts, and again when it has stopped. */
function memoryVolume(architecture: string, spec: SlotSpec): VendorMount {
  const owner = spec.memory === 'sockets' ? `uid=${PROXY_USER},gid=${PROXY_USER},mode=0700` : 'uid=0,gid=0,mode=0755';
  return {
    ...memoryMount(architecture, spec.name, false),
    VolumeOptions: {
      NoCopy: true,
      DriverConfig: { Name: 'local', Options: { type: 'tmpfs', device: 'tmpfs', o: `size=1m,${owner}` } },
      Labels: { ...ownerLabels(architecture, spec.owner), [labels.role]: 'sandbox', [labels.slot]: spec.name },
    },
  };
}

/** The container through which the memory is filled. It never starts; while it exists, the slot is not ready. */
export function fillerCreation(architecture: string, spec: SlotSpec): Creation {
  return {
    Image: spec.image,
    Cmd: ['never-started'],
    Labels: { [labels.architecture]: architecture, [labels.role]: 'once', [labels.slot]: spec.name },
    HostConfig: { NetworkMode: 'none', Mounts: [memoryMount(architecture, spec.name, false)] },
  };
}

/** The container that owns the slot's network namespace and keeps its memory mounted. */
export function sandboxCreation(architecture: string, spec: SlotSpec, first: SlotNetwork | undefined): Creation {
  const network = first && engineName(architecture, first.network);
  const creation: Creation = {
    Image: spec.image,
    Hostname: spec.facts.instance,
    Labels: sandboxLabels(architecture, spec),
    ExposedPorts: Object.fromEntries(spec.publish.map(({ target }) => [`${target}/tcp`, {}])),
    StopTimeout: 0,
    HostConfig: {
      ...hardenedHost(),
      NetworkMode: network ?? 'none',
      Memory: SANDBOX_MEMORY_BYTES,
      MemorySwap: SANDBOX_MEMORY_BYTES,
      PidsLimit: SANDBOX_PROCESSES,
      Mounts: [memoryVolume(architecture, spec)],
      PortBindings: portBindings(spec),
      DnsSearch: spec.search === undefined ? [] : [spec.search],
    },
    ...(first && network !== undefined && { NetworkingConfig: { EndpointsConfig: { [network]: endpointConfig(spec, first) } } }),
  };
  return sealed(creation, slotDigest(spec));
}

function sandboxLabels(architecture: string, spec: SlotSpec): Readonly<Record<string, string>> {
  return definedLabels({
    ...ownerLabels(architecture, spec.owner),
    [labels.role]: 'sandbox',
    [labels.slot]: spec.name,
    [labels.name]: spec.name,
    [labels.colour]: spec.colour,
  });
}

function portBindings(spec: SlotSpec): PortBindings {
  const bindings: PortBindings = {};
  for (const { address, port, target } of spec.publish) {
    (bindings[`${target}/tcp`] ??= []).push({ HostIp: address, HostPort: String(port) });
  }
  return bindings;
}
