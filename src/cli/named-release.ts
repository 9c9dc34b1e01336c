import { failed, type Result } from '../result.ts';
import type { Engine } from '../engine/engine.ts';
import { type Session, textOption } from './command.ts';
import { findLive } from './live.ts';
import { notRunning } from './not-running.ts';
import { findRelease, releaseById, type ReleaseImage } from './releases.ts';

export type Naming = { session: Session; engine: Engine; architecture: string };

/** A release by the first characters of its id, or by the word `live`. */
export async function namedRelease({ session, engine, architecture }: Naming, word: string): Promise<Result<ReleaseImage>> {
  const environment = textOption(session.input, 'environment');
  if (word !== 'live') return findRelease(engine, { architecture, release: word, environment: environment ?? 'local' });
  const live = await findLive(session.world, engine, architecture);
  if (!live.ok) return live;
  const controller = live.value.live?.controller;
  if (controller === undefined) return failed(notRunning(architecture));
  return releaseById(engine, architecture, { release: controller.release, environment: environment ?? controller.environment });
}
