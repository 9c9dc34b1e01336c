import type { Asked } from '../asked.ts';
import { short } from '../digest.ts';
import type { ReleaseId } from '../digest.ts';
import type { Engine, ObservedController } from '../engine/engine.ts';
import { done, type Result } from '../result.ts';
import { answer, type Session } from './command.ts';
import type { RolloutEnd } from './follow-rollout.ts';
import { handOverKeys } from './hand-over-keys.ts';
import { checkWrites } from './leave-writes.ts';
import type { ReleaseImage } from './releases.ts';
import { duration } from './report/duration.ts';
import { commitWords } from './report/words.ts';
import type { RolloutStream } from './rollout-stream.ts';
import { outcomeOf, type Start, startController, startRelease } from './start-release.ts';

export type RunRelease = {
  session: Session;
  engine: Engine;
  architecture: string;
  target: ReleaseImage;
  history: readonly ReleaseId[];
  asked: Asked;
  waits: boolean;
  /** Whether to stop when all can be looked at. */
  holds: boolean;
  live: ObservedController | undefined;
  stream: RolloutStream;
  detach: boolean;
};

/**
 * Runs a release image and watches it become live; then writes the live ref and says where the apps are. Used by `up` and
 * `rollback`: what is not needed before the start is loaded after it.
 */
export async function runRelease(request: RunRelease): Promise<Result<number>> {
  const { session, engine, architecture, target, stream, live } = request;
  const confirmed = await checkWrites(request);
  if (!confirmed.ok) return confirmed;
  const handed = await handOverKeys(session, engine, target);
  if (!handed.ok) return handed;
  const serving = live?.release;
  const start: Start = {
    session,
    engine,
    architecture,
    target,
    history: request.history,
    asked: request.asked,
    waits: request.waits,
    holds: request.holds,
    serving,
    report: stream.report,
  };
  if (request.detach) return detached(start);
  const ended = await startRelease(start);
  if (!ended.ok) return ended;
  if (ended.value.type === 'rollout-ended') return concluded(request, ended.value);
  const { heldNow, tellHeld } = await import('./held.ts');
  const controllers = await engine.controllers(architecture);
  const held = controllers.ok ? await heldNow(engine, architecture, controllers.value) : undefined;
  return tellHeld(request, held);
}

/** What is to be done when a rollout has ended, and what it means for the exit. */
export async function concluded(request: Concluded, end: RolloutEnd): Promise<Result<number>> {
  const { session, target, stream, live } = request;
  const outcome = outcomeOf(end, live?.release);
  if (end.outcome !== 'live') return outcome;
  session.interruption.safe = `release ${short(target.release)} is live`;
  stream.end();
  const { addGitRemote } = await import('./add-git-remote.ts');
  const [git] = await Promise.all([addGitRemote(request), writeLiveRef(session, target)]);
  if (!session.input.json) await tellLive(request, { durationMs: end.durationMs, git });
  return outcome;
}

export type Concluded = Pick<RunRelease, 'session' | 'engine' | 'target' | 'stream' | 'live'>;

async function detached(start: Start): Promise<Result<number>> {
  const name = await startController(start);
  if (!name.ok) return name;
  if (!start.session.input.json)
    answer(start.session, `release ${short(start.target.release)} is being rolled out by ${name.value}\n  changeless status`);
  return done(0);
}

export async function tellLive(
  { session, engine, target }: Pick<RunRelease, 'session' | 'engine' | 'target'>,
  { durationMs, git }: { durationMs: number; git: string | undefined },
): Promise<void> {
  const { tellAddresses } = await import('./tell-addresses.ts');
  await tellAddresses({
    session,
    engine,
    target,
    git,
    headline: `live  release ${short(target.release)} from ${commitWords(target.commit)} in ${duration(durationMs)}`,
  });
}

// What is live is also written back to the source; the release is live whether or not that succeeds.
export async function writeLiveRef({ world, input }: Session, { commit, environment }: ReleaseImage): Promise<void> {
  if (commit === 'uncommitted') return;
  const { execFile } = await import('node:child_process');
  const { promisify } = await import('node:util');
  const update = ['-C', input.folder, 'update-ref', '--create-reflog', '--end-of-options', `refs/changeless/${environment}/live`, commit];
  const env = { ...world.env, GIT_TERMINAL_PROMPT: '0' };
  await promisify(execFile)('git', ['-c', 'core.hooksPath=/dev/null', ...update], { env }).catch(() => undefined);
}
