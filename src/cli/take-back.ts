import { short } from '../digest.ts';
import type { ObservedController } from '../engine/engine.ts';
import { done, type Result } from '../result.ts';
import { goBack } from './go-back.ts';
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
  const back = await goBack({
    engine,
    architecture,
    live,
    request: `request.${session.world.random(4)}`,
    signal: session.world.signal,
    onEvent: (event) => (event.type === 'rollout-ended' ? undefined : stream.report(event)),
  });
  if (!back.ok) return back;
  if (back.value === 'refused') return undefined;
  const { release, commit } = target;
  const durationMs = Math.round(performance.now() - began);
  stream.report({ type: 'rollout-ended', release, commit, outcome: 'live', durationMs, at: session.world.clock() });
  session.interruption.safe = `release ${short(release)} is live`;
  stream.end();
  await Promise.all([
    writeLiveRef(session, target),
    // Its rollout has failed, and whoever was told so removes it.
    engine.removeController(architecture, live.name),
    session.input.json ? undefined : tellLive(request, durationMs),
  ]);
  return done(0);
}
