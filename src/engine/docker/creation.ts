import { byCodeUnit } from '../../canonical-json.ts';
import { digestOf, type Digest } from '../../digest.ts';
import { labels } from '../labels.ts';
import type { Creation, HostConfig, Labels, PortBindings, VendorMount } from './vendor.ts';

/** What every container of ours is denied. */
export const hardened = {
  ReadonlyRootfs: true,
  CapDrop: ['ALL'],
  SecurityOpt: ['no-new-privileges'],
  RestartPolicy: { Name: 'no' },
  LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '2' } },
  Init: false,
} as const satisfies Readonly<Partial<Record<keyof HostConfig, unknown>>>;

/** `hardened`, with arrays of its own. */
export const hardenedHost = (): HostConfig => ({ ...hardened, CapDrop: [...hardened.CapDrop], SecurityOpt: [...hardened.SecurityOpt] });

/** A container that is only copied into or from. */
export const neverStarted = (image: string, own: Labels, mounts: VendorMount[] = []): Creation => ({
  Image: image,
  Cmd: ['never-started'],
  Labels: { ...own, [labels.role]: 'once' },
  HostConfig: { NetworkMode: 'none', ...(mounts.length > 0 && { Mounts: mounts }) },
});

/** What a container was made with, in the words of its creation and of its inspection alike. */
export type CreationFacts = {
  image: string;
  network: string;
  readOnly: boolean;
  dropped: string[];
  added: string[];
  security: string[];
  privileged: boolean;
  memoryBytes: number;
  swapBytes: number;
  processes: number;
  cpus: number;
  cpuRules: string[];
  mounts: string[];
  devices: number;
  processNamespace: string;
  search: string[];
  published: string[];
  restart: string;
};

/** Normalises: Docker says null, 0 or nothing for what was not asked for. */
export function creationFacts(image: string, host: HostConfig): CreationFacts {
  return {
    image,
    network: host.NetworkMode ?? '',
    readOnly: host.ReadonlyRootfs ?? false,
    dropped: sorted(host.CapDrop),
    added: sorted(host.CapAdd),
    security: sorted(host.SecurityOpt),
    privileged: host.Privileged ?? false,
    memoryBytes: host.Memory ?? 0,
    swapBytes: host.MemorySwap ?? 0,
    processes: host.PidsLimit ?? 0,
    cpus: (host.NanoCpus ?? 0) / 1e9,
    cpuRules: [host.CpuShares, host.CpuQuota, host.CpusetCpus].map((rule) => String(rule || '')),
    mounts: sorted([...(host.Mounts ?? []).map(mountText), ...(host.Binds ?? [])]),
    devices: host.Devices?.length ?? 0,
    processNamespace: host.PidMode ?? '',
    search: [...(host.DnsSearch ?? [])],
    published: sorted(portTexts(host.PortBindings)),
    restart: host.RestartPolicy?.Name || 'no',
  };
}

export const creationDigest = (facts: CreationFacts): Digest => digestOf(facts);

/**
 * The creation with its label `spec`: the digest the contract speaks of, a dot, and the digest of what the engine was
 * asked for, which tells later whether it was changed.
 */
export function sealed(creation: Creation, spec: Digest): Creation {
  const facts = creationFacts(creation.Image, creation.HostConfig);
  return { ...creation, Labels: { ...creation.Labels, [labels.spec]: `${spec}.${creationDigest(facts)}` } };
}

/** The two digests of the label `spec`. */
export function sealOf(from: Labels): { spec: string; creation: string | undefined } {
  const [spec, creation] = (from[labels.spec] ?? '').split('.');
  return { spec: spec ?? '', creation };
}

const sorted = (values: readonly string[] | null | undefined): string[] => [...(values ?? [])].toSorted(byCodeUnit);

function mountText(mount: VendorMount): string {
  const size = mount.TmpfsOptions ? ` ${mount.TmpfsOptions.SizeBytes} bytes` : '';
  return `${mount.Type} ${mount.Source ?? ''}:${mount.Target}${mount.ReadOnly ? ' read-only' : ''}${size}`;
}

const portTexts = (bindings: PortBindings | null | undefined): string[] =>
  Object.entries(bindings ?? {}).flatMap(([target, hosts]) => hosts.map(({ HostIp, HostPort }) => `${HostIp}:${HostPort}:${target}`));
