import type { Observation, Owner } from '../engine/engine.ts';
import type { Report, UnitName } from '../events.ts';
import type { Problem } from '../problem.ts';
import { carryOut, unitName } from './carry-out.ts';
import type { Desired, DesiredUnit, Seat, UnbuiltUnit } from './desired.ts';
import { groupsOf, only, viewOf, withheldOf, type Group } from './groups.ts';
import { withHeldBack } from './kept-unit.ts';
import { outfit } from './outfit.ts';
import { planGround } from './plan-rollout.ts';
import { rollOut, takeBack, undo, type Rollout } from './roll-out.ts';
import { isUnit, unitState } from './unit-state.ts';

/** `desired`: what is to be kept from now on: what was held back stays as it was. `held` is empty unless apps are independent. */
export type ReleaseEnd =
  | { outcome: 'live'; desired: Desired; held: readonly UnitName[]; problem?: Problem }
  | { outcome: 'failed'; problem: Problem }
  | { outcome: 'overtaken'; problem?: never };

/**
 * Rolls a release out: all of it together, or where its apps are independent, each group for itself and at once. A group that
 * fails is undone and stays as it was, and the others go on; the core follows when all are decided. Failed only when
 * nothing of it came to be live. What was held for a look is let live together: all of it was healthy then. What could not be
 * built stays as it is from the beginning, as what is held back later does.
 */
export async function rollOutRelease(rollout: Rollout): Promise<ReleaseEnd> {
  const { hands, desired } = rollout;
  const { independent, units, unbuilt } = desired;
  if (!independent || !unbuilt) return rollOutBuilt(rollout);
  const observed = await hands.observe();
  const held = (observed.ok ? withheldOf({ independent, units, unbuilt }, observed.value) : unbuilt.map(({ owner }) => owner)).map(
    unitName,
  );
  for (const unit of held) hands.report({ type: 'unit-held-back', unit, problem: problemOf(unbuilt, unit) });
  const end = await rollOutBuilt({ ...rollout, desired: await withHeldBack(hands.engine, desired, held) });
  return end.outcome === 'live' ? { ...end, held: [...held, ...end.held], problem: problemOf(unbuilt, held[0]) } : end;
}

/** Why it is held back: it could not be built, or what goes together with it. */
function problemOf(unbuilt: readonly UnbuiltUnit[], unit: UnitName | undefined): Problem {
  const own = unbuilt.find(({ owner }) => unit && isUnit(unit, owner)) ?? unbuilt[0];
  if (!own) throw new Error('held back without a reason');
  return own.problem;
}

async function rollOutBuilt(rollout: Rollout): Promise<ReleaseEnd> {
  const { hands, desired } = rollout;
  const { independent, units } = desired;
  if (!independent || rollout.hold) return together(rollout);
  const observed = await hands.observe();
  const groups = observed.ok ? groupsOf({ independent, units }, observed.value) : [];
  const begun = observed.ok && hasSwitched(observed.value, rollout.token);
  if (!observed.ok || groups.length + Number(begun) < 2) return together(rollout);
  rollout.begin(observed.value);
  const course: Rollout = { ...rollout, begin: () => undefined, began: hands.now() };
  const ground = await carryOut({ name: 'ground', lanes: planGround(desired, observed.value), live: false }, hands);
  const [refused] = ground.problems;
  if (refused) return undo(course, refused.problem);
  const core = units.filter(({ owner }) => owner.kind === 'core');
  const rest = units.filter((unit) => ![...groups, core].flat().includes(unit));
  const over = new AbortController();
  const [decided] = await Promise.all([
    Promise.all(groups.map((group) => rollOutGroup(course, group, observed.value))).finally(() => over.abort()),
    keepRest(course, rest, over.signal),
  ]);
  const isLive = begun || !decided.every(isFailed);
  const ends = isLive ? [...decided, await rollOutGroup(course, core, observed.value)] : decided;
  return finish(course, { ends, isLive });
}

/** What nothing is rolled out of must not wait for what is: it may be long until all others are decided. */
async function keepRest({ desired, keep }: Rollout, rest: Group, over: AbortSignal): Promise<void> {
  const networks = desired.networks.filter(({ owner }) => isOf(owner, rest));
  if (rest.length > 0) await keep?.({ ...only(desired, rest), networks }, (observed) => viewOf(observed, rest), over);
}

/** Whether something of this rollout serves already: a controller that was killed in the midst of it goes on. */
const hasSwitched = ({ instances }: Observation, token: number): boolean =>
  instances.some(({ name, state, path }) => state === 'running' && path?.phase === 'serving' && name.endsWith(`.${token}`));

async function together(rollout: Rollout): Promise<ReleaseEnd> {
  const end = await rollOut(rollout);
  return end.outcome === 'live' ? { ...end, desired: rollout.desired, held: [] } : end;
}

type GroupEnd = { group: Group; end: Awaited<ReturnType<typeof rollOut>> };

const isFailed = ({ end }: GroupEnd): boolean => end.outcome === 'failed';

/** One group as if it were all there is. */
async function rollOutGroup(rollout: Rollout, group: Group, before: Observation): Promise<GroupEnd> {
  const { hands, desired, from, wake } = rollout;
  const isNew = group.every(({ owner }) => unitState(before, owner).serving.length === 0);
  const end = await rollOut({
    ...rollout,
    desired: only(desired, group.map(withoutAfterSteps)),
    ...(rollout.fallbacks && { fallbacks: rollout.fallbacks.then((all) => all.filter(({ owner }) => isOf(owner, group))) }),
    from: isNew ? undefined : from,
    hands: { ...hands, report: withoutTheWhole(hands.report) },
    wake: wake.fork(),
    view: (observed) => viewOf(observed, group),
  });
  if (end.outcome === 'failed')
    for (const { owner } of changedIn(group, before)) hands.report({ type: 'unit-held-back', unit: unitName(owner), problem: end.problem });
  return { group, end };
}

const isOf = (owner: Owner, group: Group): boolean => group.some((unit) => isUnit(unit.owner, owner));

/** They wait for the whole release: the core must not wait for them. */
function withoutAfterSteps(unit: DesiredUnit): DesiredUnit {
  const { blue, green } = unit.seats;
  const without = (seat: Seat): Seat => ({ ...seat, steps: seat.steps.filter(({ when }) => when === 'before') });
  return { ...unit, seats: { blue: without(blue), green: without(green) } };
}

/** What is said of a group must not be taken for the release. */
const withoutTheWhole =
  (report: Report): Report =>
  (event) =>
    event.type === 'release-live' ? undefined : report(event);

const changedIn = (group: Group, before: Observation): Group => group.filter((unit) => outfit(unit, before, 0).live === undefined);

/** What was replaced is cleared away, and what was held back is taken into charge as it was. */
async function finish(rollout: Rollout, { ends, isLive }: { ends: readonly GroupEnd[]; isLive: boolean }): Promise<ReleaseEnd> {
  if (ends.some(({ end }) => end.outcome === 'overtaken')) return { outcome: 'overtaken' };
  const failures = ends.flatMap(({ group, end }) => (end.outcome === 'failed' ? [{ group, problem: end.problem }] : []));
  const problem = failures[0] && { problem: failures[0].problem };
  // Each group has taken back what is its own; what all share is nobody's.
  if (problem && !isLive) return (await takeBack(rollout)) === 'overtaken' ? { outcome: 'overtaken' } : { outcome: 'failed', ...problem };
  const { hands } = rollout;
  const held = failures.flatMap(({ group }) => group.map(({ owner }) => unitName(owner)));
  const desired = await withHeldBack(hands.engine, rollout.desired, held);
  const end = await rollOut({ ...rollout, desired });
  return end.outcome === 'live' ? { ...end, desired, held, ...problem } : end;
}
