import { short } from '../digest.ts';
import type { ObservedController } from '../engine/engine.ts';
import type { RecordedEvent } from '../events.ts';
import { done, failed, type Result } from '../result.ts';
import { askController, followRequest } from './ask-controller.ts';
import { checkWrites } from './leave-writes.ts';
import { type RunRelease, tellLive, writeLiveRef } from './run-release.ts';

/**
 * Goes back to a release whose controller is still there: while the live one bakes that is a handover, done by the controller
 * in charge. Undefined when nothing stands by after all, and the release has to be run.
 */
export async function takeBack(request: RunRelease, live: ObservedController): Promise<Result<number> | undefined> {
  const { session, engine, architecture, target, stream } = request;
  const confirmed = await checkWrites(request);
  if (!confirmed.ok) return confirmed;
  const began = performance.now();
  session.interruption.safe = `the controller goes on without being watched; ${short(live.release)} or ${short(target.release)} serves`;
  const back = await goBack(request, live);
  if (!back.ok) return back.problem.code === 'REQUEST_REFUSED' ? undefined : back;
  const { release, commit } = target;
  const durationMs = Math.round(performance.now() - began);
  stream.report({ type: 'rollout-ended', release, commit, outcome: 'live', durationMs, at: session.world.clock() });
  session.interruption.safe = `release ${short(release)} is live`;
  stream.end();
  await Promise.all([
    writeLiveRef(session, target),
    // Its rollout has failed, and whoever was told so removes it.
    engine.removeController(architecture, live.name),
    session.input.json ? undefined : tellLive(request, { durationMs, git: undefined }),
  ]);
  return done(0);
}

/** As much of its log as may have come between the request and its being followed. */
const recentLines = 50;

/** Asks the controller in charge to go back, and follows it to the end. REQUEST_REFUSED: nothing stands by any more. */
async function goBack({ session, engine, architecture, stream }: RunRelease, live: ObservedController): Promise<Result<void>> {
  const asking = { session, engine, architecture, controller: live };
  const request = await askController(asking, { ask: 'go-back', release: live.release });
  if (!request.ok) return request;
  let isOurs = false;
  const read = (event: RecordedEvent): Result<void> | undefined => {
    if (event.type === 'going-back' && event.request === request.value) isOurs = true;
    if (!isOurs) return undefined;
    // How the release that is left ended is not what is told: how the one that was asked for did.
    if (event.type === 'rollout-ended') return done(undefined);
    stream.report(event);
    return event.type === 'going-back-failed' ? failed(event.problem) : undefined;
  };
  return followRequest({ ...asking, request: request.value, from: { tail: recentLines }, read });
}
