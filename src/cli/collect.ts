import type { ReleaseId } from '../digest.ts';
import { isJobImage } from '../engine/job-images.ts';
import type { ListedImage } from '../engine/image.ts';
import { ownImagesOf } from '../release/images-of.ts';
import type { Manifest } from '../release/manifest.ts';
import type { ReleaseImage } from './releases.ts';

export type Keeping = {
  images: readonly ReleaseImage[];
  /** The live release and those it can go back to. */
  needed: ReadonlySet<ReleaseId>;
  /** Releases in the order they were last rolled out, newest first. */
  rolledOut: readonly ReleaseId[];
  keep: number;
};

/**
 * Which releases stay: all that are needed, and of the others the newest `keep`. Those that were never rolled out count as
 * newest, for they may be about to be. Pure.
 */
export function releasesToKeep({ images, needed, rolledOut, keep }: Keeping): Set<ReleaseId> {
  const rank = new Map(rolledOut.toReversed().map((release, index) => [release, index]));
  const others = [...new Set(images.map(({ release }) => release))].filter((release) => !needed.has(release));
  const newestFirst = others.toSorted((a, b) => (rank.get(b) ?? Number.MAX_SAFE_INTEGER) - (rank.get(a) ?? Number.MAX_SAFE_INTEGER));
  return new Set([...needed, ...newestFirst.slice(0, keep)]);
}

/** Images of an architecture that no kept release refers to. Release images are judged by their release; those of jobs are let be, for they go with their run. Pure. */
export function imagesToForget(
  all: readonly ListedImage[],
  releases: readonly ReleaseImage[],
  kept: { releases: ReadonlySet<ReleaseId>; manifests: readonly Manifest[] },
): ListedImage[] {
  const releaseOf = new Map(releases.map(({ image, release }) => [image, release]));
  const used = new Set<string>(kept.manifests.flatMap((manifest) => [...systemImagesOf(manifest), ...ownImagesOf(manifest)]));
  return all.filter((image) => {
    const { id } = image;
    if (isJobImage(image)) return false;
    const release = releaseOf.get(id);
    return release === undefined ? !used.has(id) : !kept.releases.has(release);
  });
}

const systemImagesOf = ({ outputs }: Manifest): string[] =>
  [outputs.controller, outputs.sandbox, outputs.builder].filter((image) => image !== undefined);
