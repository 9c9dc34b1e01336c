import type { SlotSpec } from '../engine.ts';
import { labels } from '../labels.ts';
import { slotDigest } from '../spec-digest.ts';
import { hardenedHost, neverStarted, sealed } from './creation.ts';
import { definedLabels, engineName, ownerLabels } from './names.ts';
import type { Creation, Endpoint, InspectedContainer, PortBindings, VendorMount } from './vendor.ts';

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

/** The facts a slot was made with, on its sandbox: they are needed again when its memory has to be filled again. */
export const factsLabel = 'dev.changeless.facts';

export const memoryMount = (volume: string, readOnly: boolean): VendorMount => ({
  Type: 'volume',
  Source: volume,
  Target: memoryPath,
  ...(readOnly && { ReadOnly: true }),
  VolumeOptions: { NoCopy: true },
});

/** The name of the volume that is a sandbox's memory. */
export const memoryOf = ({ HostConfig }: InspectedContainer): string =>
  HostConfig.Mounts?.find(({ Target }) => Target === memoryPath)?.Source ?? '';

/** The endpoint of the slot's first network, where its peers find it. */
export function firstEndpoint(sandbox: InspectedContainer): Endpoint | undefined {
  const endpoints = Object.values(sandbox.NetworkSettings.Networks ?? {});
  return endpoints.find(({ DriverOpts }) => DriverOpts?.[endpointMark]?.startsWith('1 of')) ?? endpoints[0];
}

/** Made with the sandbox; empty until it starts, and again when it has stopped. */
function memoryVolume(architecture: string, spec: SlotSpec, volume: string): VendorMount {
  const owner = spec.memory === 'sockets' ? `uid=${PROXY_USER},gid=${PROXY_USER},mode=0700` : 'uid=0,gid=0,mode=0755';
  return {
    ...memoryMount(volume, false),
    VolumeOptions: {
      NoCopy: true,
      DriverConfig: { Name: 'local', Options: { type: 'tmpfs', device: 'tmpfs', o: `size=1m,${owner}` } },
      Labels: { ...ownerLabels(architecture, spec.owner), [labels.role]: 'sandbox', [labels.slot]: spec.name },
    },
  };
}

/** The container through which the memory is filled. It never starts; while it exists under the slot's name, the slot is not ready. */
export const fillerCreation = (architecture: string, { name, image }: { name: string; image: string }, volume: string): Creation =>
  neverStarted(image, { [labels.architecture]: architecture, [labels.slot]: name }, [memoryMount(volume, false)]);

/** The same for a slot that is there, but it starts, to hold the memory. */
export function holderCreation(architecture: string, sandbox: InspectedContainer): Creation {
  const slot = { name: sandbox.Config.Labels?.[labels.slot] ?? '', image: sandbox.Image };
  const { Cmd: _, ...creation } = fillerCreation(architecture, slot, memoryOf(sandbox));
  return creation;
}

/** The container that owns the slot's network namespace and keeps its memory mounted. */
export function sandboxCreation(
  architecture: string,
  spec: SlotSpec,
  { first, volume }: { first: SlotNetwork | undefined; volume: string },
): Creation {
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
      Mounts: [memoryVolume(architecture, spec, volume)],
      PortBindings: portBindings(spec),
      DnsSearch: spec.search === undefined ? [] : [spec.search],
      // Docker's own `ndots:0` would ask the world for a plain name first, which an internal network answers after seconds.
      DnsOptions: spec.search === undefined ? [] : ['ndots:1'],
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
    [factsLabel]: JSON.stringify(spec.facts),
  });
}

function portBindings(spec: SlotSpec): PortBindings {
  const bindings: PortBindings = {};
  for (const { address, port, target } of spec.publish) {
    (bindings[`${target}/tcp`] ??= []).push({ HostIp: address, HostPort: String(port) });
  }
  return bindings;
}
