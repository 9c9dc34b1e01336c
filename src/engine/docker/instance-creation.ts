import type { InstanceSpec, Mount, Origin } from '../engine.ts';
import { labels } from '../labels.ts';
import { instanceDigest, referencesOf } from '../spec-digest.ts';
import { hardenedHost, sealed } from './creation.ts';
import { definedLabels, engineName, ownerLabels } from './names.ts';
import { secretsMount } from './instance-secrets.ts';
import { memoryMount, memoryOf } from './slot-creation.ts';
import type { Creation, InspectedContainer, Labels, VendorMount } from './vendor.ts';

/** The sandbox of its slot, and the name of the volume in memory that its secrets will be in, where it has any. */
type Surroundings = { sandbox: InspectedContainer; secrets: string | undefined };

/** What the engine is asked for: the image, the slot, mounts and limits, and nothing else. */
export function instanceCreation(architecture: string, spec: InstanceSpec, { sandbox, secrets }: Surroundings): Creation {
  const { memoryBytes, processes, cpus } = spec.limits;
  const creation: Creation = {
    Image: spec.image,
    Labels: instanceLabels(architecture, spec),
    StopTimeout: Math.ceil(spec.stopMs / 1000),
    HostConfig: {
      ...hardenedHost(),
      NetworkMode: `container:${sandbox.Id}`,
      Memory: memoryBytes,
      MemorySwap: memoryBytes,
      PidsLimit: processes,
      ...(cpus !== undefined && { NanoCpus: Math.round(cpus * 1e9) }),
      // Only a path writes there: its socket, for its successor.
      Mounts: [
        memoryMount(memoryOf(sandbox), spec.role !== 'path'),
        ...spec.mounts.map((mount) => vendorMount(architecture, mount)),
        ...(secrets === undefined ? [] : [secretsMount(architecture, spec, secrets)]),
      ],
    },
  };
  return sealed(creation, instanceDigest(spec));
}

function vendorMount(architecture: string, mount: Mount): VendorMount {
  if (mount.kind === 'volume') return volumeMount(architecture, mount);
  // Docker's API gives memory to root; the sticky bit lets the image's user write, whoever that is.
  return { Type: 'tmpfs', Target: mount.path, TmpfsOptions: { SizeBytes: mount.sizeBytes, Mode: 0o1777 } };
}

function volumeMount(architecture: string, { volume, path, readOnly }: Mount & { kind: 'volume' }): VendorMount {
  const mount = { Type: 'volume', Source: engineName(architecture, volume), Target: path } as const;
  // Who only reads it must not give it the owner of the folder in its image.
  return readOnly ? { ...mount, ReadOnly: true, VolumeOptions: { NoCopy: true } } : mount;
}

function instanceLabels(architecture: string, spec: InstanceSpec): Labels {
  return definedLabels({
    ...ownerLabels(architecture, spec.owner),
    [labels.environment]: spec.origin.environment,
    [labels.release]: spec.origin.release,
    [labels.commit]: spec.origin.commit,
    [labels.key]: spec.origin.key,
    // Always said, because the image's labels would shine through.
    [labels.tests]: spec.origin.tests ?? '',
    [labels.generation]: spec.generation,
    [labels.body]: spec.body,
    [labels.colour]: spec.colour ?? '',
    ...(spec.drainSignal && { [labels.drainSignal]: spec.drainSignal }),
    ...(spec.secrets && { [labels.secrets]: JSON.stringify(referencesOf(spec.secrets)) }),
    [labels.role]: spec.role,
    [labels.slot]: spec.slot,
    [labels.name]: spec.name,
  });
}

/** Where an instance says it comes from. */
export function originOf(from: Labels): Origin {
  const tests = from[labels.tests];
  return {
    environment: from[labels.environment] ?? '',
    release: (from[labels.release] ?? '') as Origin['release'],
    commit: (from[labels.commit] ?? '') as Origin['commit'],
    key: from[labels.key] ?? '',
    ...(tests && { tests }),
  };
}
