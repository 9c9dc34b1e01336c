import { done, failed, type Result } from '../result.ts';
import type { Engine } from '../engine/engine.ts';
import { type Session, textOption } from './command.ts';
import { findLive } from './live.ts';
import { notRunning } from './not-running.ts';
import { ambiguous, findRelease, releaseById, releaseImages, type ReleaseImage, type Wanted } from './releases.ts';

export type Naming = { session: Session; engine: Engine; architecture: string };

/** A release by the first characters of its id, by a commit it was made from (any name git knows), or by the word `live`. */
export async function namedRelease({ session, engine, architecture }: Naming, word: string): Promise<Result<ReleaseImage>> {
  const environment = textOption(session.input, 'environment');
  if (word !== 'live')
    return byIdOrCommit({ session, engine, architecture }, { architecture, release: word, environment: environment ?? 'local' });
  const live = await findLive(session.world, engine, architecture);
  if (!live.ok) return live;
  const controller = live.value.live?.controller;
  if (controller === undefined) return failed(notRunning(architecture));
  return releaseById(engine, architecture, { release: controller.release, environment: environment ?? controller.environment });
}

/** UNKNOWN_RELEASE when neither a release nor a commit with one is called so. */
export async function byIdOrCommit({ session, engine, architecture }: Naming, wanted: Wanted): Promise<Result<ReleaseImage>> {
  const byId = await findRelease(engine, wanted);
  if (byId.ok) return byId;
  const commit = await commitOf(session, wanted.release);
  if (commit === undefined) return byId;
  const images = await releaseImages(engine, architecture);
  const made = images.filter((image) => image.commit === commit && image.environment === wanted.environment);
  const [only] = made;
  if (only === undefined) return byId;
  return made.length === 1
    ? done(only)
    : failed(
        ambiguous(
          wanted.release,
          made.map(({ release }) => release),
        ),
      );
}

/** Undefined when the word names no commit, or there is no repository to ask. */
async function commitOf({ input }: Session, word: string): Promise<string | undefined> {
  const { openRepository } = await import('../architecture/repository.ts');
  const repository = await openRepository(input.folder);
  if (!repository.ok) return undefined;
  const commit = await repository.value.resolve(word);
  await repository.value.close();
  return commit.ok ? commit.value.id : undefined;
}
