import type { Engine, ObservedController } from '../../engine/engine.ts';
import { failed, type Result } from '../../result.ts';
import { type CommandResult, flag, type Session, textOption } from '../command.ts';
import { historyBefore } from '../../rollout/release-history.ts';
import { releaseById, type ReleaseImage } from '../releases.ts';
import { liveController } from '../live-controller.ts';
import { type RolloutStream, withStream } from '../rollout-stream.ts';
import { type RunRelease, runRelease } from '../run-release.ts';
import { subjectOf } from '../subject.ts';
import { notRunning } from '../not-running.ts';

/** `rollback [release]`: runs a release image that is there. Nothing is evaluated or built. */
export const run = (session: Session): CommandResult => withStream(session, (stream) => rollback(session, stream));

async function rollback(session: Session, stream: RolloutStream): CommandResult {
  const subject = await subjectOf(session);
  if (!subject.ok) return subject;
  const { engine, architecture } = subject.value;
  const controllers = await engine.controllers(architecture);
  if (!controllers.ok) return controllers;
  const live = await liveController({ session, engine, architecture, controllers: controllers.value });
  if (live === undefined) return failed(notRunning(architecture));
  const target = await targetOf({ session, engine, architecture, live });
  if (!target.ok) return target;
  const request: RunRelease = {
    session,
    engine,
    architecture,
    target: target.value,
    history: historyBefore(live, target.value.release),
    asked: 'rollback',
    waits: false,
    holds: false,
    live,
    stream,
    detach: flag(session.input, 'detach'),
  };
  if (!controllers.value.some((each) => each.release === target.value.release && each.container !== live.container))
    return runRelease(request);
  const { takeBack } = await import('../take-back.ts');
  return (await takeBack(request, live)) ?? runRelease(request);
}

type Asked = { session: Session; engine: Engine; architecture: string; live: ObservedController };

async function targetOf({ session, engine, architecture, live }: Asked): Promise<Result<ReleaseImage>> {
  const environment = textOption(session.input, 'environment') ?? live.environment;
  const [named] = session.input.arguments;
  if (named !== undefined)
    return (await import('../named-release.ts')).byIdOrCommit(
      { session, engine, architecture },
      { architecture, release: named, environment },
    );
  const [previous] = live.history;
  if (previous === undefined) return failed(nothingBefore(architecture, live.release));
  return releaseById(engine, architecture, { release: previous, environment });
}

const nothingBefore = (architecture: string, release: string) => ({
  code: 'NOTHING_BEFORE' as const,
  what: `${architecture} has no earlier release to go back to`,
  why: `release ${release.slice(0, 12)} is the first that became live here`,
  safe: 'it serves on; nothing was changed',
  next: 'changeless log    lists what was rolled out; changeless up <commit> runs an earlier commit',
});
