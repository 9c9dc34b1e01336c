import { mapBounded } from '../../bounded.ts';
import type { ReleaseId } from '../../digest.ts';
import type { Engine } from '../../engine/engine.ts';
import { labels } from '../../engine/labels.ts';
import type { ListedImage } from '../../engine/image.ts';
import type { Manifest } from '../../release/manifest.ts';
import { done, failed, type Result } from '../../result.ts';
import { neededBy } from '../../rollout/needed-releases.ts';
import { isJobImage, jobImagesToForget } from '../../engine/job-images.ts';
import { askRollouts, askRuns } from '../ask-ledger.ts';
import { imagesToForget, releasesToKeep } from '../collect.ts';
import { answer, answerJson, type CommandResult, type Session } from '../command.ts';
import { manifestOf } from '../live.ts';
import { numberOption } from '../number-option.ts';
import { releaseImages, type ReleaseImage } from '../releases.ts';
import { counted, size } from '../report/duration.ts';
import { subjectOf } from '../subject.ts';
import { imageToAsk } from './log.ts';

/** `gc`: forgets images that no kept release needs. What runs, and what it can go back to, always stays. */
export async function run(session: Session): CommandResult {
  const keep = numberOption(session.input, 'keep', 5);
  if (!keep.ok) return keep;
  const subject = await subjectOf(session);
  if (!subject.ok) return subject;
  const { engine, architecture } = subject.value;
  const [observed, releases, named, labelled] = await Promise.all([
    engine.observe(architecture),
    releaseImages(engine, architecture),
    engine.images.list({ reference: `changeless/${architecture}/*` }),
    engine.images.list({ labels: { [labels.architecture]: architecture } }),
  ]);
  // Images without a name were sealed by a build that was killed before its tests had passed.
  const all = [...named, ...labelled.filter(({ tags }) => tags.length === 0)];
  if (!observed.ok) return observed;
  const rolledOut = await rolloutOrder(engine, architecture);
  if (!rolledOut.ok) return rolledOut;
  const kept = releasesToKeep({ images: releases, needed: neededBy(observed.value), rolledOut: rolledOut.value, keep: keep.value });
  const manifests = await manifestsOf(
    session,
    engine,
    releases.filter(({ release }) => kept.has(release)),
  );
  if (!manifests.ok) return manifests;
  session.interruption.safe = 'only images that no kept release needs were removed';
  // A release made before there were jobs does not understand the question.
  const ended = all.some(isJobImage) ? await endedRuns(engine, architecture) : done(new Set<string>());
  if (!ended.ok) return ended;
  const ofReleases = all.filter((image) => !isJobImage(image));
  const unused = imagesToForget(ofReleases, releases, { releases: kept, manifests: manifests.value });
  const forgotten = await forget(engine, [...unused, ...jobImagesToForget(all, ended.value)]);
  tell(session, { kept: [...kept], forgotten });
  return done(0);
}

/** Of others nobody knows whether they are about to begin. */
async function endedRuns(engine: Engine, architecture: string): Promise<Result<Set<string>>> {
  const image = await imageToAsk(engine, architecture);
  if (!image.ok || image.value === undefined) return done(new Set());
  const runs = await askRuns({ engine, architecture, image: image.value }, { limit: 10_000 });
  return runs.ok ? done(new Set(runs.value.filter(({ closedAt }) => closedAt !== undefined).map(({ id }) => id))) : runs;
}

async function rolloutOrder(engine: Engine, architecture: string): Promise<Result<ReleaseId[]>> {
  const image = await imageToAsk(engine, architecture);
  if (!image.ok || image.value === undefined) return done([]);
  const rollouts = await askRollouts({ engine, architecture, image: image.value }, 1000);
  return rollouts.ok ? done(rollouts.value.map(({ release }) => release)) : rollouts;
}

// Without the manifest of a kept release nobody knows which images it needs, so nothing is removed.
async function manifestsOf(session: Session, engine: Engine, kept: readonly ReleaseImage[]): Promise<Result<Manifest[]>> {
  const manifests = await mapBounded(kept, 8, ({ image }) => manifestOf(session.world, engine, image));
  const known = manifests.filter((manifest) => manifest !== undefined);
  if (known.length === manifests.length) return done(known);
  return failed({
    code: 'UNKNOWN_RELEASE',
    what: 'the manifest of a release that is kept cannot be read',
    safe: 'nothing was removed',
    next: 'changeless log    lists the releases',
  });
}

/** Every tag of an image goes; with the last one the image. What a container still uses stays. */
async function forget(engine: Engine, images: readonly ListedImage[]): Promise<ListedImage[]> {
  const gone = await mapBounded(images, 4, async (image) => {
    const tags = image.tags.length === 0 ? [image.id] : image.tags;
    const removed = await mapBounded(tags, 1, (tag) => engine.images.remove(tag));
    return removed.every(Boolean) ? [image] : [];
  });
  return gone.flat();
}

function tell(session: Session, { kept, forgotten }: { kept: readonly ReleaseId[]; forgotten: readonly ListedImage[] }): void {
  // Configured and release images add next to nothing to the component they are made from, whose size they repeat.
  const bytes = forgotten
    .filter(({ tags }) => !tags.some((tag) => /\.(configured|path):|\/release:/.test(tag)))
    .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const tags = forgotten.flatMap((image) => image.tags);
  if (session.input.json) answerJson(session, { kept, removed: tags, bytes });
  else if (forgotten.length === 0) answer(session, `nothing to forget: ${counted(kept.length, 'release')} kept`);
  else answer(session, `forgot  ${counted(forgotten.length, 'image')}, ${sizeWords(bytes)}; ${counted(kept.length, 'release')} kept`);
}

// Only the engine knows which layers an image has for itself, and it tells the size of a whole image only.
const sizeWords = (bytes: number): string =>
  bytes === 0
    ? '0 bytes: their layers are in images that stay'
    : `at most ${bytes} bytes (${size(bytes)}), less what images that stay share with them`;
