import { networkInterfaces } from 'node:os';
import type { JobStepSpec } from '../job-steps.ts';
import { labels } from '../labels.ts';
import type { DockerClient } from './client.ts';
import { createContainer, removeContainer, startContainer } from './containers.ts';
import { hardenedHost } from './creation.ts';
import { Refusal } from './failure.ts';
import { cacheVolume, folderVolume, jobsNetwork, placeName, type JobRole } from './job-names.ts';
import { engineName } from './names.ts';
import { runToEnd } from './once.ts';
import { defaultSubnetPool } from './subnets.ts';
import type { Creation, Labels, VendorMount } from './vendor.ts';

/** With which a place ends when the step has written too much. */
export const overfull = 9;

const lookSeconds = 3;
const placeBytes = 64 * 2 ** 20;
const routingMs = 30_000;

/**
 * Adds routes that lead nowhere, by the ioctl that every kernel has: 0x890B is SIOCADDRT, 0x201 RTF_UP and RTF_REJECT, the structure
 * is `struct rtentry` of 64-bit Linux (route(4), <linux/route.h>). Debian's smallest image has perl, and no `ip`.
 */
const rejectRoutes = `use Socket; use Errno 'EEXIST';
socket(my $s, PF_INET, SOCK_DGRAM, 0) or die $!;
sub address { pack('S n a4 x8', AF_INET, 0, $_[0]) }
for (@ARGV) {
  my ($to, $bits) = split m{/};
  my $mask = pack('N', $bits == 0 ? 0 : (0xffffffff << (32 - $bits)) & 0xffffffff);
  my $route = pack('x8 a16 a16 a16 S x62', address(inet_aton($to)), address("\\0" x 4), address($mask), 0x201);
  ioctl($s, 0x890B, $route) or $! == EEXIST or die "$_: $!";
}`;

/** Ends when there is more in the folder than there may be. What is being removed meanwhile is no reason to end. */
const watchFolder = (diskBytes: number): string =>
  `trap 'exit 0' TERM; while :; do sleep ${lookSeconds} & wait $!; used=$(du -sk /work 2>/dev/null | cut -f1); \
[ "\${used:-0}" -gt ${Math.ceil(diskBytes / 1024)} ] && exit ${overfull}; done`;

export const folderMount = (architecture: string, spec: JobStepSpec): VendorMount => ({
  Type: 'volume',
  Source: folderVolume(architecture, spec),
  Target: '/work',
  VolumeOptions: { Labels: jobLabels(architecture, spec, 'job-step') },
});

export const cacheMount = (architecture: string, name: string, path: string): VendorMount => ({
  Type: 'volume',
  Source: cacheVolume(architecture, name),
  Target: path,
  VolumeOptions: { Labels: { [labels.architecture]: architecture, [labels.role]: 'job-cache' satisfies JobRole, [labels.name]: name } },
});

export const jobLabels = (architecture: string, { run, step, job }: JobStepSpec, role: JobRole): Labels => ({
  [labels.architecture]: architecture,
  [labels.role]: role,
  [labels.job]: job,
  [labels.run]: run,
  [labels.step]: step,
});

/** Holds the step's network, in which some ways are closed before the step is there; it cannot open them again. Gives its id. */
export async function makePlace(client: DockerClient, architecture: string, spec: JobStepSpec): Promise<string> {
  const place = await createContainer(client, engineName(architecture, placeName(spec)), placeCreation(architecture, spec));
  await startContainer(client, place);
  // The host's network is not ours to close.
  if (spec.builder) return place;
  const router = await createContainer(client, '', routerCreation(architecture, spec, place));
  try {
    const { exitCode, stderr } = await runToEnd(client, router, { limitMs: routingMs });
    if (exitCode !== 0)
      throw new Refusal({
        code: 'ENGINE_REFUSED',
        what: `the network of step ${spec.step} could not be closed off`,
        lines: [stderr.trim()],
      });
  } finally {
    await removeContainer(client, router);
  }
  return place;
}

function placeCreation(architecture: string, spec: JobStepSpec): Creation {
  return {
    Image: spec.place,
    Entrypoint: ['/bin/sh', '-c'],
    Cmd: [watchFolder(spec.diskBytes)],
    User: '0',
    ...(!spec.builder && { Hostname: 'step' }),
    Labels: jobLabels(architecture, spec, 'job-place'),
    StopTimeout: 0,
    HostConfig: {
      ...hardenedHost(),
      // Counts what the step has written, whoever's it is.
      CapAdd: ['DAC_READ_SEARCH'],
      NetworkMode: spec.builder ? 'host' : engineName(architecture, jobsNetwork),
      Memory: placeBytes,
      MemorySwap: placeBytes,
      PidsLimit: 16,
      Mounts: [watchedFolder(architecture, spec)],
    },
  };
}

function watchedFolder(architecture: string, spec: JobStepSpec): VendorMount {
  const mount = folderMount(architecture, spec);
  // The step's image is what it is to be filled from.
  return { ...mount, ReadOnly: true, VolumeOptions: { ...mount.VolumeOptions, NoCopy: true } };
}

const routerCreation = (architecture: string, spec: JobStepSpec, place: string): Creation => ({
  Image: spec.place,
  Entrypoint: ['perl', '-e', rejectRoutes],
  Cmd: closedWays(),
  User: '0',
  Labels: { ...jobLabels(architecture, spec, 'job-place'), [labels.role]: 'once' },
  StopTimeout: 0,
  HostConfig: { ...hardenedHost(), CapAdd: ['NET_ADMIN'], NetworkMode: `container:${place}`, Memory: placeBytes, MemorySwap: placeBytes },
});

/**
 * Link-local addresses, where clouds tell secrets to whoever asks; other networks of ours; and all addresses of the host itself,
 * as the default route goes on leading through one of them. The step's own network is closed by the engine (`isolated`).
 */
function closedWays(): string[] {
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const host = own.filter(({ family, internal }) => family === 'IPv4' && !internal).map(({ address }) => `${address}/32`);
  return ['169.254.0.0/16', defaultSubnetPool, ...host];
}
