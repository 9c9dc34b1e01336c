import { digestOfBytes, type ImageId } from '../../digest.ts';
import type { Secret } from '../../secret.ts';
import { identityFolder, identityVolume } from '../engine.ts';
import { labels } from '../labels.ts';
import type { DockerClient } from './client.ts';
import { createContainer, putArchive, removeContainer } from './containers.ts';
import { neverStarted } from './creation.ts';
import { engineName } from './names.ts';
import { tar } from './tar.ts';
import type { VendorMount, VendorVolume } from './vendor.ts';
import { ensureVolume, volumeLabels } from './volumes.ts';

const volume = { name: identityVolume, owner: { kind: 'controller', name: 'controller' } } as const;

/** Copies the keys into their volume through a container that never starts. Of the engine's host only root may read them. */
export async function keepKeys(
  client: DockerClient,
  architecture: string,
  { keys, image }: { keys: readonly Secret[]; image: ImageId },
): Promise<void> {
  await ensureVolume(client, architecture, volume);
  const archive = await tar(keys.map((key) => ({ path: `${digestOfBytes(key.reveal())}.txt`, mode: 0o400, contents: key.reveal() })));
  const mount = { ...identityMount(architecture), ReadOnly: false };
  const filler = await createContainer(client, '', neverStarted(image, { [labels.architecture]: architecture }, [mount]));
  try {
    await putArchive(client, filler, { folder: identityFolder, archive });
  } finally {
    await removeContainer(client, filler);
  }
}

export const isIdentityKept = async (client: DockerClient, architecture: string): Promise<boolean> =>
  (await client.find<VendorVolume>({ path: `/volumes/${engineName(architecture, identityVolume)}` })) !== undefined;

/** The labels are for when the volume does not exist yet. */
export const identityMount = (architecture: string): VendorMount => ({
  Type: 'volume',
  Source: engineName(architecture, identityVolume),
  Target: identityFolder,
  ReadOnly: true,
  VolumeOptions: { NoCopy: true, Labels: volumeLabels(architecture, volume) },
});
