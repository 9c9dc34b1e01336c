import type { ReleaseId } from '../digest.ts';
import type { Observation, Owner } from '../engine/engine.ts';
import type { ChangelessEvent } from '../events.ts';
import type { Problem } from '../problem.ts';
import { heldBack, nextStart, recordDeath, type Deaths } from './backoff.ts';
import { carryOut, unitName, type Hands, type StageOutcome, type Unhealthy } from './carry-out.ts';
import { missingUpgrade } from './data-generation.ts';
import type { Desired, DesiredUnit } from './desired.ts';
import { crashed, failingChecks, stepFailed, unhealthy, undone } from './failure.ts';
import { outfit, type Outfit } from './outfit.ts';
import { planRollout } from './plan-rollout.ts';
import { trialNames } from './plan-trial.ts';
import { planUndo, type FailedRollout } from './plan-undo.ts';
import type { Outlook } from './situation.ts';
import { sizedTo, type Counts } from './size.ts';
import { StepWatch } from './step-watch.ts';
import { describeStep, type Stage } from './step.ts';
import { isUnit } from './unit-state.ts';
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
  /** Where it is to be looked at before it is let live. */
  hold?: Hold;
  /** What stays ready once it is live; asked for no sooner. */
  fallbacks?: Promise<readonly DesiredUnit[]>;
  /** What of the engine it is about: all unless given. */
  view?: (observed: Observation) => Observation;
  /** Who knows how many instances the elastic services of some units are to have. */
  scaling?: (desired: Desired) => ScaleNow;
  /** Keeps units true that nothing is rolled out of, until the signal is aborted. Needed where apps are independent. */
  keep?: (desired: Desired, view: (observed: Observation) => Observation, signal: AbortSignal) => Promise<void>;
};

/** `free`: the units that may be scaled just now. */
export type ScaleNow = (observed: Observation, free: readonly Owner[]) => Promise<Counts>;

/** What becomes of a release that is held; asked again at each look. A problem: it is dropped. */
export type Hold = (observed: Observation) => Promise<'wait' | 'let-live' | { dropped: Problem }>;

/** `problem` of one that is live: a step after the switch failed. */
export type RolloutEnd = { outcome: 'live'; problem?: Problem } | { outcome: 'failed'; problem: Problem } | { outcome: 'overtaken' };

/** An instance that ended this often before it was ever healthy fails the rollout at once. */
const deathsAllowed = 2;

const engineTries = 5;

/** Places may still be in the hands of the controller that was overtaken; so often they are tried again. */
const groundTries = 3;

/** A predecessor that has no time to hand its sockets over (a busy host) ends the successor; nothing is lost, and another is tried. */
const promoteTries = 2;

/**
 * Carries a release from wherever the engine stands to live, and its predecessor away. On failure before the release is
 * live, what was begun is undone; afterwards a step that fails is tried again, for there is nothing to go back to.
 */
export async function rollOut(rollout: Rollout): Promise<RolloutEnd> {
  const progress = begin(rollout);
  for (;;) {
    const observed = await observe(rollout, progress);
    if (observed === 'overtaken') return { outcome: 'overtaken' };
    if ('problem' in observed) return undo(rollout, observed.problem);
    const outfits = outfitsOf(rollout, observed);
    const refused = await announce(rollout, observed, { progress, outfits });
    if (refused) return { outcome: 'failed', problem: refused };
    const fault = faultIn(observed, outfits, { rollout, progress });
    const held = await heldAt(rollout, observed, progress);
    if (held) return undo(rollout, held.dropped);
    const stage = await planFor(observed, outfits, { rollout, progress });
    if (stage.live) sayLive(rollout, progress);
    if (stage.live && (await isOver(stage, observed, rollout))) return liveEnd(rollout, progress, outfits);
    if (fault && !stage.live) return undo(rollout, await fault());
    if (stage.name === 'wait') sayDraining(observed, rollout, progress);
    if (stage.name === 'held') sayHeld(outfits, rollout, progress);
    const outcome = await advance(stage, rollout, progress);
    if (outcome.overtaken) return { outcome: 'overtaken' };
    const problem = stage.live ? undefined : await failureOf(stage, outcome, { rollout, progress });
    if (problem) return undo(rollout, problem);
  }
}

/** Before anything is done: what speaks against it from the start, or else that it begins. */
async function announce(
  rollout: Rollout,
  observed: Observation,
  { progress, outfits }: { progress: Progress; outfits: readonly Outfit[] },
): Promise<Problem | undefined> {
  if (progress.announced) return undefined;
  const refused = missingUpgrade(outfits, observed) ?? (await unopened(rollout));
  if (refused) return refused;
  rollout.begin(observed);
  progress.announced = true;
  return undefined;
}

/** A secret that cannot be opened: known before anybody is to start with it. */
async function unopened({ desired, hands }: Rollout): Promise<Problem | undefined> {
  const seats = desired.units.flatMap(({ seats: { blue } }) => [
    ...blue.instances,
    ...blue.steps.map(({ instance }) => instance),
    blue.path,
  ]);
  const deliveries = seats.flatMap(({ secrets = [] }) => secrets);
  const distinct = new Map(deliveries.map((each) => [`${each.secret} ${each.version}`, each]));
  for (const delivery of distinct.values()) {
    const opened = await hands.openSecret(delivery);
    if (!opened.ok) return { ...opened.problem, safe: 'nothing was changed' };
  }
  return undefined;
}

async function heldAt({ hold }: Rollout, observed: Observation, progress: Progress) {
  if (!hold || progress.letLive) return undefined;
  const decision = await hold(observed);
  progress.letLive = decision === 'let-live';
  return typeof decision === 'string' ? undefined : decision;
}

/** Once: where it can be looked at. */
function sayHeld(outfits: readonly Outfit[], { release, hands }: Rollout, progress: Progress): void {
  if (progress.held) return;
  progress.held = true;
  const changed = outfits.filter(({ live, unit }) => !live && unit.owner.kind === 'app');
  const apps = changed.map(({ unit: { owner, generation } }) => ({ name: owner.name, generation }));
  hands.report({ type: 'rollout-held', release, apps });
}

async function planFor(observed: Observation, outfits: readonly Outfit[], { rollout, progress }: Course): Promise<Stage> {
  const { desired, token, hands, fallbacks } = rollout;
  const { deaths, letLive, steps, scale } = progress;
  const hold = rollout.hold !== undefined && !letLive;
  const counts = await scale?.(observed, freeToScale(outfits, token));
  const common = { token, hurry: false, hold, overdue: steps.overdue, ...(counts && { counts }) };
  const outlook: Outlook = { ...common, heldBack: heldBack(deaths, hands.now()) };
  const stage = planRollout(desired, observed, outlook);
  const standingBy = stage.live && fallbacks ? await fallbacks : [];
  return standingBy.length > 0 ? planRollout(desired, observed, { ...outlook, fallbacks: standingBy }) : stage;
}

/** What this rollout does not change, and once all is live, everything: nothing of that is taken back any more. */
function freeToScale(outfits: readonly Outfit[], token: number): Owner[] {
  const isLive = outfits.every(({ live }) => live);
  return outfits.filter(({ live }) => isLive || (live && !live.name.endsWith(`.${token}`))).map(({ unit }) => unit.owner);
}

/** Where something stands by, nobody waits for what still drains: going back, or the next release, may be wanted sooner. */
async function isOver({ name }: Stage, { instances }: Observation, { fallbacks }: Rollout): Promise<boolean> {
  if (name !== 'wait') return name === 'tidy' || name === 'settled';
  const steps = instances.some(({ role, state }) => role === 'step' && state === 'running');
  return !steps && ((await fallbacks)?.length ?? 0) > 0;
}

async function liveEnd(rollout: Rollout, { steps }: Progress, outfits: readonly Outfit[]): Promise<RolloutEnd> {
  const failed = steps.failedAfter(outfits);
  return { outcome: 'live', ...(failed && { problem: await stepFailed(failed, rollout) }) };
}

type Progress = {
  began: number;
  steps: StepWatch;
  scale: ScaleNow | undefined;
  announced: boolean;
  groundFailures: number;
  promoteFailures: number;
  live: boolean;
  held: boolean;
  letLive: boolean;
  deaths: Deaths;
  seen: Set<string>;
  said: string;
  /** When each waiter was first found not to be healthy. */
  waited: Map<string, number>;
  /** When the clients of each store that is swapped began to wait. */
  holding: Map<string, number>;
};

const begin = ({ began, hands, release, desired, scaling }: Rollout): Progress => ({
  began: began ?? hands.now(),
  steps: new StepWatch(hands, release),
  scale: scaling?.(desired),
  announced: false,
  groundFailures: 0,
  promoteFailures: 0,
  live: false,
  held: false,
  letLive: false,
  deaths: new Map(),
  seen: new Set(),
  said: '',
  waited: new Map(),
  holding: new Map(),
});

/** Once the release is live, there is nothing to go back to and the engine is asked until it answers. */
async function observe({ hands, wake, view }: Rollout, { live }: Progress): Promise<Observation | 'overtaken' | { problem: Problem }> {
  for (let tried = 1; ; tried += 1) {
    const observed = await hands.observe();
    if (observed.ok) return view ? view(observed.value) : observed.value;
    if (!(await hands.mayAct())) return 'overtaken';
    if (tried >= engineTries && !live) return { problem: observed.problem };
    await wake.next(hands.pauseMs);
  }
}

async function advance(stage: Stage, { hands, wake }: Rollout, { deaths, holding }: Progress): Promise<StageOutcome> {
  if (stage.name === 'wait' || stage.name === 'held') {
    await wake.next(1000);
    if (!(await hands.mayAct())) return { problems: [], unhealthy: [], overtaken: true };
  }
  const outcome = await carryOut(stage, { ...hands, report: (event) => reportSwap(event, hands, holding) });
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

/** What ended and should not have: the problem, once it is wanted, for it reads the log. */
function faultIn(observed: Observation, outfits: readonly Outfit[], { rollout, progress }: Course): (() => Promise<Problem>) | undefined {
  progress.steps.look(outfits);
  const failed = progress.steps.failedBefore(outfits);
  const death = countDeaths(observed, outfits, { rollout, progress });
  if (failed) return () => stepFailed(failed, rollout);
  return death && (() => crashed(death, rollout));
}

/** Counts each ended instance of the new release once; gives the one that ended too often. */
function countDeaths({ instances }: Observation, outfits: readonly Outfit[], { rollout: { token, hands }, progress }: Course) {
  const { deaths, seen } = progress;
  const wanted = new Set(outfits.flatMap((each) => wantedNames(each, token)));
  for (const instance of instances) {
    if (instance.state !== 'exited' || !wanted.has(instance.name) || seen.has(instance.container)) continue;
    seen.add(instance.container);
    if (recordDeath(deaths, instance.name, hands.now()) > deathsAllowed) return instance;
  }
  return undefined;
}

const outfitsOf = ({ desired, token }: Rollout, observed: Observation): Outfit[] =>
  sizedTo(desired, observed).units.map((unit) => outfit(unit, observed, token));

const wantedNames = (of: Outfit, token: number): string[] => [
  ...of.seat.instances.map(({ name }) => name),
  of.path.name,
  ...trialNames(of, token),
];

type Course = { rollout: Rollout; progress: Progress };

async function failureOf(stage: Stage, outcome: StageOutcome, { rollout, progress }: Course): Promise<Problem | undefined> {
  const [first] = outcome.problems;
  if (first && !(await mayTryAgain(stage, first, { rollout, progress }))) return first.problem;
  const now = rollout.hands.now();
  const elapsed = ({ path }: Unhealthy): number => now - (progress.waited.get(path.name) ?? now);
  for (const { path } of outcome.unhealthy) if (!progress.waited.has(path.name)) progress.waited.set(path.name, now);
  const late = outcome.unhealthy.find((each) => each.ended || elapsed(each) > limitOf(rollout.desired, each.path.owner));
  if (late) return unhealthy(late, rollout, elapsed(late));
  sayWaiting(outcome, rollout, progress);
  return undefined;
}

async function mayTryAgain(
  { name }: Stage,
  { step, problem }: StageOutcome['problems'][number],
  { rollout, progress }: Course,
): Promise<boolean> {
  if (problem.code !== 'ENGINE_REFUSED') return false;
  if (step.do === 'promote-path') progress.promoteFailures += 1;
  else if (name === 'ground' || step.do === 'ensure-slot') progress.groundFailures += 1;
  else return false;
  if (progress.promoteFailures > promoteTries || progress.groundFailures > groundTries) return false;
  await rollout.wake.next(rollout.hands.pauseMs);
  return true;
}

const limitOf = ({ units }: Desired, owner: Owner): number => units.find((unit) => isUnit(unit.owner, owner))?.healthLimitMs ?? 0;

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

/** Takes a rollout back that failed with this problem. */
export async function undo(rollout: Rollout, problem: Problem): Promise<RolloutEnd & { outcome: 'failed' | 'overtaken' }> {
  const taken = await takeBack(rollout);
  return taken === 'overtaken' ? { outcome: 'overtaken' } : { outcome: 'failed', problem: undone(problem, rollout) };
}

/** What cannot be taken back is not tried for ever. */
export async function takeBack(rollout: Rollout): Promise<'done' | 'overtaken'> {
  const { hands, wake, view = (all) => all } = rollout;
  const failed: FailedRollout = { token: rollout.token, release: rollout.release, first: rollout.from === undefined };
  for (let round = 0; round < 100; round += 1) {
    const observed = await hands.observe();
    if (!observed.ok) {
      await wake.next(hands.pauseMs);
      continue;
    }
    const stage = planUndo(view(observed.value), failed);
    if (stage.name === 'settled') break;
    if (stage.name === 'wait') await wake.next(1000);
    const outcome = await carryOut(stage, hands);
    if (outcome.overtaken) return 'overtaken';
    if (outcome.problems.length > 0) await wake.next(hands.pauseMs);
  }
  return 'done';
}
