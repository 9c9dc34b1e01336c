import { releaseTag } from '../build/image-names.ts';
import type { CommitId, ImageId, ReleaseId } from '../digest.ts';
import { short } from '../digest.ts';
import type { Engine } from '../engine/engine.ts';
import type { ListedImage } from '../engine/image.ts';
import { labels } from '../engine/labels.ts';
import type { Problem } from '../problem.ts';
import { done, failed, type Result } from '../result.ts';

/** A release image on the engine, as its labels tell. */
export type ReleaseImage = { release: ReleaseId; commit: CommitId | 'uncommitted'; environment: string; image: ImageId; tag: string };

export const releaseRepository = (architecture: string): string => `changeless/${architecture}/release`;

/** All release images of an architecture. */
export async function releaseImages(engine: Engine, architecture: string): Promise<ReleaseImage[]> {
  const listed = await engine.images.list({ reference: releaseRepository(architecture) });
  return listed.flatMap((image) => releaseImageOf(image) ?? []);
}

export function releaseImageOf(image: ListedImage): ReleaseImage | undefined {
  const release = image.labels[labels.release];
  if (release === undefined) return undefined;
  return {
    release: release as ReleaseId,
    commit: (image.labels[labels.commit] ?? 'uncommitted') as CommitId,
    environment: image.labels[labels.environment] ?? 'local',
    image: image.id,
    tag: image.tags[0] ?? image.id,
  };
}

export type Wanted = { architecture: string; release: string; environment: string };

/** The image of a release named by its first characters (6 or more), in an environment. */
export async function findRelease(engine: Engine, { architecture, release, environment }: Wanted): Promise<Result<ReleaseImage>> {
  const images = await releaseImages(engine, architecture);
  const named = images.filter((image) => image.release.startsWith(release.toLowerCase()));
  const ids = new Set(named.map((image) => image.release));
  if (ids.size > 1) return failed(ambiguous(release, [...ids]));
  const found = named.find((image) => image.environment === environment);
  return found === undefined ? failed(unknownRelease({ architecture, release, environment }, images)) : done(found);
}

/** A whole id goes straight to its tag: one call that does not grow with the number of images. */
export async function releaseById(
  engine: Engine,
  architecture: string,
  target: { release: ReleaseId; environment: string },
): Promise<Result<ReleaseImage>> {
  const detail = await engine.images.inspect(releaseTag(architecture, target.release, target.environment));
  const found = detail === undefined ? undefined : releaseImageOf(detail);
  return found === undefined ? failed(unknownRelease({ architecture, ...target }, [])) : done(found);
}

/** Something that can only be the beginning of a release's id. */
export const looksLikeRelease = (word: string): boolean => /^[0-9a-f]{6,64}$/i.test(word);

export const ambiguous = (release: string, ids: readonly string[]): Problem => ({
  code: 'UNKNOWN_RELEASE',
  what: `${release} names ${ids.length} releases`,
  why: ids.map((id) => short(id)).join(', '),
  safe: 'nothing was changed',
  next: 'name more of its characters',
});

function unknownRelease({ architecture, release, environment }: Wanted, images: readonly ReleaseImage[]): Problem {
  const there = [...new Set(images.filter((image) => image.environment === environment).map((image) => short(image.release)))];
  return {
    code: 'UNKNOWN_RELEASE',
    what: `the engine has no release ${short(release)} of ${architecture}${environment === 'local' ? '' : ` for ${environment}`}`,
    ...(there.length > 0 && { why: `it has ${there.slice(0, 8).join(', ')}` }),
    safe: 'nothing was changed',
    next: 'changeless log    lists what was rolled out; changeless build makes a release again from its commit',
  };
}
