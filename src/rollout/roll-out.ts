import type { ChangelessEvent } from '../events.ts';
import type { ReleaseId } from '../digest.ts';
import type { Observation } from '../engine/engine.ts';
import type { Problem } from '../problem.ts';
import { heldBack, nextStart, recordDeath, type Deaths } from './backoff.ts';
import { carryOut, unitName, type Hands, type StageOutcome, type Unhealthy } from './carry-out.ts';
import type { Desired } from './desired.ts';
import { missingUpgrade } from './data-generation.ts';
import { crashed, failingChecks, unhealthy, undone } from './failure.ts';
import { outfit, type Outfit } from './outfit.ts';
import { planRollout } from './plan-rollout.ts';
import { trialNames } from './plan-trial.ts';
import { planUndo, type FailedRollout } from './plan-undo.ts';
import { describeStep, type Stage } from './step.ts';
import type { Wake } from './wake.ts';

export type Rollout = {
  desired: Desired;
  token: number;
  release: ReleaseId;
  from: ReleaseId | undefined;
  hands: Hands;
  wake: Wake;
  /** Told once what was there before anything is done. */
  begin: (observed: Observation) => void;
  /** When it began: now, unless given. Milliseconds as `hands.now` gives them. */
  began?: number;
  /** What of the engine it is about: all unless given. */
  view?: (observed: Observation) => Observation;
};

export type RolloutEnd = { outcome: 'live' } | { outcome: 'failed'; problem: Problem } | { outcome: 'overtaken' };

/** An instance that ended this often before it was ever healthy fails the rollout at once. */
const deathsAllowed = 2;

const engineTries = 5;

/** Places may still be in the hands of the controller that was overtaken; so often they are tried again. */
const groundTries = 3;

/**
 * Carries a release from wherever the engine stands to live, and its predecessor away. On failure before the release is
 * live, what was begun is undone; afterwards a step that fails is tried again, for there is nothing to go back to.
 */
export async function rollOut(rollout: Rollout): Promise<RolloutEnd> {
  const { hands } = rollout;
  const progress = begin(rollout.began ?? hands.now());
  for (;;) {
    const observed = await observe(rollout, progress);
    if (observed === 'overtaken') return { outcome: 'overtaken' };
    if ('problem' in observed) return undo(rollout, observed.problem);
    const refused = progress.announced ? undefined : missingUpgrade(outfitsOf(rollout, observed), observed);
    if (refused) return { outcome: 'failed', problem: refused };
    if (!progress.announced) rollout.begin(observed);
    progress.announced = true;
    const death = countDeaths(rollout, observed, progress);
    const stage = planRollout(rollout.desired, observed, {
      token: rollout.token,
      heldBack: heldBack(progress.deaths, hands.now()),
      hurry: false,
    });
    if (stage.live) sayLive(rollout, progress);
    if (stage.live && (stage.name === 'tidy' || stage.name === 'settled')) return { outcome: 'live' };
    if (death && !stage.live) return undo(rollout, await crashed(death, rollout));
    if (stage.name === 'wait') sayDraining(observed, rollout, progress);
    const outcome = await advance(stage, rollout, progress);
    if (outcome.overtaken) return { outcome: 'overtaken' };
    const problem = stage.live ? undefined : await failureOf(stage, outcome, { rollout, progress });
    if (problem) return undo(rollout, problem);
  }
}

type Progress = {
  began: number;
  announced: boolean;
  groundFailures: number;
  live: boolean;
  deaths: Deaths;
  seen: Set<string>;
  said: string;
  /** When each waiter was first found not to be healthy. */
  waited: Map<string, number>;
  /** When the clients of each store that is swapped began to wait. */
  held: Map<string, number>;
};

const begin = (now: number): Progress => ({
  began: now,
  announced: false,
  groundFailures: 0,
  live: false,
  deaths: new Map(),
  seen: new Set(),
  said: '',
  waited: new Map(),
  held: new Map(),
});

/** Once the release is live, there is nothing to go back to and the engine is asked until it answers. */
async function observe(
  { hands, desired, wake, view }: Rollout,
  { live }: Progress,
): Promise<Observation | 'overtaken' | { problem: Problem }> {
  for (let tried = 1; ; tried += 1) {
    const observed = await hands.engine.observe(desired.architecture);
    if (observed.ok) return view ? view(observed.value) : observed.value;
    if (!(await hands.mayAct())) return 'overtaken';
    if (tried >= engineTries && !live) return { problem: observed.problem };
    await wake.next(hands.pauseMs);
  }
}

async function advance(stage: Stage, { hands, wake }: Rollout, { deaths, held }: Progress): Promise<StageOutcome> {
  if (stage.name === 'wait') await wake.next(1000);
  const outcome = await carryOut(stage, { ...hands, report: (event) => reportSwap(event, hands, held) });
  if (!stage.live) return outcome;
  for (const { step, problem } of outcome.problems) hands.report({ type: 'effect-failed', step: describeStep(step), problem });
  if (outcome.problems.length > 0) await wake.next(nextStart(deaths, hands.now()) ?? hands.pauseMs);
  return outcome;
}

function sayLive({ hands, release }: Rollout, progress: Progress): void {
  if (progress.live) return;
  progress.live = true;
  hands.report({ type: 'release-live', release, durationMs: hands.now() - progress.began });
}

/** Passes events on, and says how long connections to a store waited: from when its new path held them until it let them on. */
function reportSwap(event: ChangelessEvent, { report, now }: Hands, held: Map<string, number>): void {
  report(event);
  if (event.type === 'store-holding') held.set(event.unit.name, now());
  const began = event.type === 'unit-switched' && event.unit.kind === 'store' ? held.get(event.unit.name) : undefined;
  if (event.type !== 'unit-switched' || began === undefined) return;
  held.delete(event.unit.name);
  report({ type: 'store-swapped', unit: event.unit, generation: event.generation, gapMs: now() - began });
}

/** Counts each ended instance of the new release once; gives the one that ended too often. */
function countDeaths({ desired, token, hands }: Rollout, observed: Observation, { deaths, seen }: Progress) {
  const wanted = new Set(outfitsOf({ desired, token }, observed).flatMap((each) => wantedNames(each, token)));
  for (const instance of observed.instances) {
    if (instance.state !== 'exited' || !wanted.has(instance.name) || seen.has(instance.container)) continue;
    seen.add(instance.container);
    if (recordDeath(deaths, instance.name, hands.now()) > deathsAllowed) return instance;
  }
  return undefined;
}

const outfitsOf = ({ desired, token }: Pick<Rollout, 'desired' | 'token'>, observed: Observation): Outfit[] =>
  desired.units.map((unit) => outfit(unit, observed, token));

const wantedNames = (of: Outfit, token: number): string[] => [
  ...of.seat.instances.map(({ name }) => name),
  of.path.name,
  ...trialNames(of, token),
];

type Course = { rollout: Rollout; progress: Progress };

async function failureOf(stage: Stage, outcome: StageOutcome, { rollout, progress }: Course): Promise<Problem | undefined> {
  const [first] = outcome.problems;
  if (first && !(await mayTryAgain(stage, first.problem, { rollout, progress }))) return first.problem;
  const now = rollout.hands.now();
  const elapsed = ({ path }: Unhealthy): number => now - (progress.waited.get(path.name) ?? now);
  for (const { path } of outcome.unhealthy) if (!progress.waited.has(path.name)) progress.waited.set(path.name, now);
  const late = outcome.unhealthy.find((each) => each.ended || elapsed(each) > limitOf(rollout.desired, each.path.owner));
  if (late) return unhealthy(late, rollout, elapsed(late));
  sayWaiting(outcome, rollout, progress);
  return undefined;
}

async function mayTryAgain({ name }: Stage, { code }: Problem, { rollout, progress }: Course): Promise<boolean> {
  if (name !== 'ground' || code !== 'ENGINE_REFUSED' || progress.groundFailures >= groundTries) return false;
  progress.groundFailures += 1;
  await rollout.wake.next(rollout.hands.pauseMs);
  return true;
}

const limitOf = ({ units }: Desired, owner: { kind: string; name: string }): number =>
  units.find((unit) => unit.owner.kind === owner.kind && unit.owner.name === owner.name)?.healthLimitMs ?? 0;

/** Says what holds the paths that drain, once for each change of it. */
function sayDraining({ instances }: Observation, rollout: Rollout, progress: Progress): void {
  const events = instances.flatMap(({ owner, state, path }) =>
    state === 'running' && path?.phase === 'draining' && path.connections
      ? [{ type: 'drain-waiting' as const, unit: unitName(owner), connections: path.connections }]
      : [],
  );
  sayChanged(events, rollout, progress);
}

/** Says what is waited for, once for each change of it. */
function sayWaiting({ unhealthy: waiting }: StageOutcome, rollout: Rollout, progress: Progress): void {
  const events = waiting.map(({ path, phase }) => ({
    type: 'health-waiting' as const,
    unit: unitName(path.owner),
    failing: failingChecks(phase),
  }));
  sayChanged(events, rollout, progress);
}

function sayChanged(events: readonly ChangelessEvent[], { hands }: Rollout, progress: Progress): void {
  const text = JSON.stringify(events);
  if (text === progress.said) return;
  progress.said = text;
  events.forEach(hands.report);
}

/** Takes the rollout back; what cannot be taken back is said, not tried for ever. */
async function undo(rollout: Rollout, problem: Problem): Promise<RolloutEnd> {
  const { hands, desired, wake, view = (all) => all } = rollout;
  const failed: FailedRollout = { token: rollout.token, release: rollout.release, first: rollout.from === undefined };
  for (let round = 0; round < 100; round += 1) {
    const observed = await hands.engine.observe(desired.architecture);
    if (!observed.ok) {
      await wake.next(hands.pauseMs);
      continue;
    }
    const stage = planUndo(view(observed.value), failed);
    if (stage.name === 'settled') break;
    if (stage.name === 'wait') await wake.next(1000);
    const outcome = await carryOut(stage, hands);
    if (outcome.overtaken) return { outcome: 'overtaken' };
    if (outcome.problems.length > 0) await wake.next(hands.pauseMs);
  }
  return { outcome: 'failed', problem: undone(problem, rollout) };
}
