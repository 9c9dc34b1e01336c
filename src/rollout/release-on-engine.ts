import type { ReleaseId } from '../digest.ts';
import type { Engine } from '../engine/engine.ts';
import { labels } from '../engine/labels.ts';
import { parseManifest } from '../release/manifest-codec.ts';
import { manifestPath } from '../release/manifest.ts';
import { desiredOf, type Desired } from './desired.ts';

export type ReleaseSought = { architecture: string; release: ReleaseId; environment: string };

/** What a release says, read from its image on the engine; undefined where that is gone or cannot be read. */
export async function releaseOnEngine(engine: Engine, { architecture, release, environment }: ReleaseSought): Promise<Desired | undefined> {
  const wanted = { [labels.architecture]: architecture, [labels.release]: release, [labels.environment]: environment };
  const [image] = await engine.images.list({ labels: { ...wanted, [labels.role]: 'controller' } });
  const bytes = image && (await engine.images.readFile(image.id, manifestPath));
  const manifest = bytes && parseManifest(bytes);
  const said = manifest?.ok ? desiredOf(manifest.value, environment) : undefined;
  return said?.ok ? said.value : undefined;
}
