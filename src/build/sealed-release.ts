import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { ImageId } from '../digest.ts';
import type { Images } from '../engine/image.ts';
import { decodeManifest, encodeManifest, parseManifest } from '../release/manifest-codec.ts';
import { generationImages, sealedGenerations } from '../release/images-of.ts';
import { manifestPath, type Manifest } from '../release/manifest.ts';
import { writeCached } from './cache-file.ts';
import type { ExistingImages } from './existing-images.ts';

/** The manifest in a release image, kept on disk by the image's id; undefined when it holds none that can be used. */
export async function readManifest(images: Images, image: ImageId, cacheFolder: string): Promise<Manifest | undefined> {
  const file = fileOf(image, cacheFolder);
  const kept = await readFile(file).catch(() => undefined);
  const bytes = kept ?? (await images.readFile(image, manifestPath));
  const decode = kept === undefined ? decodeManifest : parseManifest;
  const manifest = bytes === undefined ? undefined : decode(bytes);
  if (bytes === undefined || manifest?.ok !== true) return undefined;
  if (kept === undefined) await writeCached(file, bytes);
  return manifest.value;
}

/** Keeps a manifest on disk as what its images hold. */
export async function keepManifest(manifest: Manifest, images: readonly ImageId[], cacheFolder: string): Promise<void> {
  const bytes = encodeManifest(manifest);
  await Promise.all(images.map(async (image) => await writeCached(fileOf(image, cacheFolder), bytes)));
}

/** Whether the engine still has every image a release runs from. */
export const isWhole = (manifest: Manifest, existing: ExistingImages): boolean =>
  [manifest.outputs.sandbox, ...builderOf(manifest), ...sealedGenerations(manifest).flatMap(generationImages)].every((id) =>
    existing.has(id),
  );

const builderOf = ({ outputs }: Manifest): ImageId[] => (outputs.builder ? [outputs.builder] : []);

const fileOf = (image: ImageId, cacheFolder: string): string => path.join(cacheFolder, 'manifests', `${image.replace('sha256:', '')}.json`);
