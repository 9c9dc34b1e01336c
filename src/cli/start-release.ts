import type { Asked } from '../asked.ts';
import { short, type ReleaseId } from '../digest.ts';
import type { Engine } from '../engine/engine.ts';
import type { ChangelessEvent, UnitName } from '../events.ts';
import type { Problem } from '../problem.ts';
import { done, failed, type Result } from '../result.ts';
import type { Session } from './command.ts';
import { followRollout, type RolloutEnd, type RolloutHeld } from './follow-rollout.ts';
import { manifestOf } from './live.ts';
import type { ReleaseImage } from './releases.ts';
import { takesInbox } from '../release/takes-inbox.ts';

export type Start = {
  session: Session;
  engine: Engine;
  architecture: string;
  target: ReleaseImage;
  history: readonly ReleaseId[];
  asked: Asked;
  waits: boolean;
  holds: boolean;
  /** What serves meanwhile; undefined when nothing does. */
  serving: ReleaseId | undefined;
  report: (event: ChangelessEvent) => void;
};

/**
 * Runs the release's controller and follows its rollout to the end, or until it is held. A controller whose rollout failed is
 * removed, so that the engine does not restart it; one that went live stays, and has removed its predecessors itself.
 */
export async function startRelease(start: Start): Promise<Result<RolloutEnd | RolloutHeld>> {
  const name = await startController(start);
  if (!name.ok) return name;
  const { engine, architecture, target, session, report } = start;
  const ended = await followRollout({
    engine,
    architecture,
    controller: name.value,
    release: target.release,
    commit: target.commit,
    signal: session.world.signal,
    onEvent: report,
  });
  if (!ended.ok) return ended;
  if (ended.value.type === 'rollout-ended' && ended.value.outcome === 'failed') await engine.removeController(architecture, name.value);
  return ended;
}

/** Starts the controller without following it; the name it was given. */
export async function startController({
  session,
  engine,
  architecture,
  target,
  history,
  asked,
  waits,
  holds,
  serving,
}: Start): Promise<Result<string>> {
  const { image, release, commit, environment } = target;
  const name = `controller.${release.slice(0, 8)}.${session.world.random(4)}`;
  const manifest = await manifestOf(session.world, engine, image);
  const started = await engine.startController(architecture, {
    name,
    image,
    release,
    commit,
    environment,
    history,
    asked,
    ...(waits && { waits }),
    ...(holds && { holds }),
    ...(manifest && takesInbox(manifest) && { takesInbox: true }),
  });
  if (!started.ok) return started;
  session.interruption.safe = `the rollout of release ${short(release)} goes on without being watched; ${serving === undefined ? 'nothing served before it' : `release ${short(serving)} serves until it is healthy`}`;
  session.interruption.next = 'changeless status';
  return done(name);
}

/** What a rollout's end means for the exit: 0 when it is live, the problem it ended with otherwise. */
export function outcomeOf(end: RolloutEnd, serving: ReleaseId | undefined): Result<number> {
  if (end.held?.length) return failed(heldBack(end, end.held));
  if (end.problem !== undefined) return failed(end.problem);
  if (end.outcome === 'live') return done(0);
  const safe = serving === undefined ? 'nothing was switched' : `release ${short(serving)} serves`;
  if (end.outcome === 'superseded')
    return failed({
      code: 'ROLLOUT_HELD',
      what: `a younger rollout came instead of release ${short(end.release)}`,
      safe,
      next: 'changeless status',
    });
  return failed({
    code: 'ROLLOUT_FAILED',
    what: `release ${short(end.release)} did not become live`,
    safe,
    next: 'changeless logs controller',
  });
}

const heldBack = ({ release, problem }: RolloutEnd, held: readonly UnitName[]): Problem => ({
  code: 'APPS_HELD_BACK',
  what: `${held.map(({ name }) => name).join(', ')} failed in release ${short(release)} and stayed as ${held.length === 1 ? 'it was' : 'they were'}`,
  ...(problem?.why !== undefined && { why: problem.why }),
  safe: `the rest of release ${short(release)} is live; the last good generation of ${held.length === 1 ? 'it' : 'each'} serves on`,
  next: 'commit a correction; or changeless up again, which tries once more',
  ...(problem?.lines !== undefined && { lines: problem.lines }),
  ...(problem?.findings !== undefined && { findings: problem.findings }),
});
