import { mapBounded } from '../bounded.ts';
import type { ImageId, ReleaseId } from '../digest.ts';
import type { Images, ListedImage } from '../engine/image.ts';
import { labels } from '../engine/labels.ts';
import { ownImagesOf } from '../release/images-of.ts';
import type { Manifest } from '../release/manifest.ts';
import type { Hands } from '../rollout/carry-out.ts';
import { neededBy } from '../rollout/needed-releases.ts';
import { manifestIn } from '../rollout/release-on-engine.ts';
import type { Post } from './post.ts';

/** So many releases stay besides what runs and what it can go back to. */
const keptReleases = 10;

/**
 * Forgets the images of releases that ran long ago and that nothing needs any more, so that an engine does not fill up. What was
 * built and never ran stays, and so does every image that a release that stays refers to. May be repeated; what cannot be read
 * or removed stays as well.
 */
export async function forgetImages({ engine, ledger, desired, manifest }: Post, { mayAct, report }: Hands): Promise<void> {
  const { architecture } = desired;
  const [observed, rollouts] = await Promise.all([engine.observe(architecture), ledger.rollouts(1000)]);
  if (!observed.ok) return;
  const rolledOut = [...new Set(rollouts.map(({ release }) => release))];
  const needed = neededBy(observed.value).add(manifest.release);
  const old = new Set(rolledOut.filter((release) => !needed.has(release)).slice(keptReleases));
  if (old.size === 0) return;
  const releases = await engine.images.list({ labels: { [labels.architecture]: architecture, [labels.role]: 'controller' } });
  const goes = releases.filter((image) => old.has(image.labels[labels.release] as ReleaseId));
  if (goes.length === 0) return;
  const stays = releases.filter((image) => !goes.includes(image));
  const stay = await manifestsOf(engine.images, stays);
  if (stay.includes(undefined)) return;
  const gone = await manifestsOf(engine.images, goes);
  if (!(await mayAct())) return;
  const used = new Set<ImageId>(stay.flatMap((each) => (each ? ownImagesOf(each) : [])));
  const unused = [...goes.map(({ id }) => id), ...gone.flatMap((each) => (each ? ownImagesOf(each) : []))].filter((id) => !used.has(id));
  for (const id of new Set(unused)) await forget(engine.images, architecture, id);
  report({ type: 'releases-forgotten', releases: [...new Set(goes.map((image) => image.labels[labels.release] as ReleaseId))] });
}

const manifestsOf = (images: Images, releases: readonly ListedImage[]): Promise<(Manifest | undefined)[]> =>
  mapBounded(releases, 4, ({ id }) => manifestIn(images, id));

/** Its names in this architecture go; with the last of them the image. */
async function forget(images: Images, architecture: string, id: ImageId): Promise<void> {
  const detail = await images.inspect(id);
  const own = detail?.tags.filter((tag) => tag.startsWith(`changeless/${architecture}/`)) ?? [];
  for (const tag of own) await images.remove(tag);
}
