import type { ImageId, ReleaseId } from '../digest.ts';
import type { Engine } from '../engine/engine.ts';
import type { Images, ListedImage } from '../engine/image.ts';
import { labels } from '../engine/labels.ts';
import { parseManifest } from '../release/manifest-codec.ts';
import { manifestPath, type Manifest } from '../release/manifest.ts';
import { desiredOf, type Desired } from './desired.ts';

export type ReleaseSought = { architecture: string; release: ReleaseId; environment: string };

/** What a release says, read from its image on the engine; undefined where that is gone or cannot be read. */
export async function releaseOnEngine(engine: Engine, sought: ReleaseSought): Promise<Desired | undefined> {
  const image = await releaseImage(engine, sought);
  const manifest = image && (await manifestIn(engine.images, image.id));
  const said = manifest && desiredOf(manifest, sought.environment);
  return said?.ok ? said.value : undefined;
}

/** The image of a release; undefined where the engine has none. */
export async function releaseImage(
  engine: Engine,
  { architecture, release, environment }: ReleaseSought,
): Promise<ListedImage | undefined> {
  const wanted = { [labels.architecture]: architecture, [labels.release]: release, [labels.environment]: environment };
  const [image] = await engine.images.list({ labels: { ...wanted, [labels.role]: 'controller' } });
  return image;
}

/** The same for releases that are asked for again and again: each is read once, unless it could not be. */
export function releaseReader(engine: Engine, of: Omit<ReleaseSought, 'release'>): (release: ReleaseId) => Promise<Desired | undefined> {
  const known = new Map<ReleaseId, Desired>();
  return async (release) => {
    const said = known.get(release) ?? (await releaseOnEngine(engine, { ...of, release }));
    if (said) known.set(release, said);
    return said;
  };
}

/** The manifest in a release's image; undefined where there is none that can be read. */
export async function manifestIn(images: Images, image: ImageId): Promise<Manifest | undefined> {
  const bytes = await images.readFile(image, manifestPath);
  const manifest = bytes && parseManifest(bytes);
  return manifest?.ok ? manifest.value : undefined;
}
