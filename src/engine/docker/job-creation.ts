import { digestOf } from '../../digest.ts';
import { gitFolder, gitVolume } from '../../kept-volumes.ts';
import { builderFolder, type JobStepSpec } from '../job-steps.ts';
import { labels } from '../labels.ts';
import { defaultSocket } from './address.ts';
import { hardenedHost, sealed } from './creation.ts';
import { secretsMount, type Receiver } from './instance-secrets.ts';
import { placeName, stepName } from './job-names.ts';
import { cacheMount, folderMount, jobLabels } from './job-place.ts';
import { engineName, secretsName } from './names.ts';
import type { Creation, VendorMount } from './vendor.ts';
import { volumeLabels } from './volumes.ts';

/** Beside its folder, all that a step can write to but its caches; it counts as its memory. */
const temporaryBytes = 2 ** 30;

export const secretsMemberOf = (spec: JobStepSpec): Receiver => ({
  name: stepName(spec),
  owner: { kind: 'core', name: 'core' },
  slot: placeName(spec),
  image: spec.image,
  secrets: spec.secrets,
});

/** One for each time that it was made: a former one may still be held. */
export const secretsVolumeOf = (architecture: string, spec: JobStepSpec): string =>
  `${secretsName(architecture, stepName(spec))}.${spec.token}`;

/** The engine, and a volume whose name no cache can have. */
const builderMounts = (architecture: string, { socket, remote }: { socket: string; remote: boolean }): VendorMount[] => [
  { Type: 'bind', Source: socket, Target: defaultSocket },
  cacheMount(architecture, '.builder', builderFolder),
  ...(remote ? [remoteMount(architecture)] : []),
];

const remoteMount = (architecture: string): VendorMount => ({
  Type: 'volume',
  Source: engineName(architecture, gitVolume),
  Target: gitFolder,
  ReadOnly: true,
  VolumeOptions: { NoCopy: true, Labels: volumeLabels(architecture, { name: gitVolume, owner: { kind: 'app', name: 'gateway' } }) },
});

/** `place`: whose network it has; `socket`: the engine's, for a builder. What the engine is asked for: the image, the place's network, mounts and limits, and nothing else. */
export function jobStepCreation(architecture: string, spec: JobStepSpec, { place, socket }: { place: string; socket: string }): Creation {
  const { memoryBytes, processes, cpus } = spec.limits;
  const creation: Creation = {
    Image: spec.image,
    Labels: {
      ...jobLabels(architecture, spec, 'job-step'),
      [labels.name]: stepName(spec),
      [labels.token]: String(spec.token),
      [labels.environment]: spec.origin.environment,
      [labels.release]: spec.origin.release,
      [labels.commit]: spec.origin.commit,
    },
    HostConfig: {
      ...hardenedHost(),
      NetworkMode: `container:${place}`,
      Memory: memoryBytes,
      MemorySwap: memoryBytes,
      PidsLimit: processes,
      ...(cpus !== undefined && { NanoCpus: Math.round(cpus * 1e9) }),
      // Tools put libraries there and load them; as a mount it could not be told to let them.
      Tmpfs: { '/tmp': `rw,exec,nosuid,nodev,size=${temporaryBytes},mode=1777` },
      Mounts: [
        folderMount(architecture, spec),
        ...(spec.builder ? builderMounts(architecture, { socket, ...spec.builder }) : []),
        ...Object.entries(spec.caches).map(([name, path]) => cacheMount(architecture, name, path)),
        ...(spec.secrets.length === 0 ? [] : [secretsMount(architecture, secretsMemberOf(spec), secretsVolumeOf(architecture, spec))]),
      ],
    },
  };
  return sealed(creation, digestOf({ ...spec, secrets: spec.secrets.map(({ file, secret, version }) => ({ file, secret, version })) }));
}
