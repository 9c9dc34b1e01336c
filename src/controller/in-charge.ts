import type { AlarmChange, Alarms } from '../alarms/alarms.ts';
import { short } from '../digest.ts';
import { beatMs, keepTrue } from '../drift/keep-true.ts';
import type { Observation, ObservedRequest, Owner } from '../engine/engine.ts';
import type { RolloutRecord } from '../ledger/ledger.ts';
import type { Problem } from '../problem.ts';
import { isJobRequest } from '../request.ts';
import { unitName, type Hands } from '../rollout/carry-out.ts';
import type { Desired, DesiredUnit } from '../rollout/desired.ts';
import { goBackTo } from '../rollout/go-back.ts';
import { withHeldBack } from '../rollout/kept-unit.ts';
import { isUnit } from '../rollout/unit-state.ts';
import { beginJobs } from './begin-jobs.ts';
import { beginTelling } from './begin-telling.ts';
import { bakeOf, beforeOf, type Bake, type Before } from './bake.ts';
import { carryRollout } from './carry-rollout.ts';
import { forgetImages } from './forget-images.ts';
import { keepSchedules } from './keep-schedules.ts';
import { removeLeftovers } from './leftover-controllers.ts';
import { handsOf, heldOf, holdLease, recordOf, sayEnded, successionOf, type Charge, type Post } from './post.ts';
import { runsOfDelivery } from './runs-of-delivery.ts';
import { removePredecessors } from './predecessors.ts';
import { nothingToDo, nothingStandsBy, rolledBack } from './refusal.ts';
import { takeInbox } from './take-inbox.ts';
import { alarmBeatMs, alarmFired, hasAlarms, openAlarms, watchAlarms } from './watch-alarms.ts';

/**
 * A release that is live, with its controller in charge. `sayEnded`: what is to be told of its rollout once nothing stands by
 * any more. `back`: why it is to be left, and for what. `aside`: apps that are to be held back, as they were before, and why.
 */
type Tenure = {
  post: Post;
  token: number;
  hands: Hands;
  desired: Desired;
  sayEnded: (() => void | Promise<void>) | undefined;
  bake?: Bake | undefined;
  alarms: Alarms;
  /** Whether images of long ago were looked for. */
  hasForgotten?: boolean;
  aside?: { units: readonly DesiredUnit[]; why: Problem } | undefined;
  back?: { why: Problem; to: Before; request?: string } | undefined;
};

/** Carries the rollout of a claim through, or takes it up where it stands, and keeps its release true until another is in charge. */
export async function takeCharge(post: Post, claim: Charge): Promise<void> {
  const lease = holdLease(post, claim.token);
  // First, so that what comes next is told whom it is told for the first time.
  const telling = await beginTelling(post, claim.token);
  const jobs = beginJobs(post, claim.token);
  const taking = takeInbox({ ...post, runsOf: runsOfDelivery(post) }, claim.token);
  const schedules = keepSchedules(post, claim.token);
  try {
    const alarms = await openAlarms(post.ledger);
    const hands = counting(handsOf(post, claim.token), alarms);
    const tenure = claim.outcome === 'live' ? await resume(post, claim.token, hands) : await begin(post, claim, hands);
    if (tenure) await serve({ ...tenure, alarms });
  } finally {
    // A message that is being sent may take a moment, for which nobody waits.
    const told = telling.stop();
    await schedules.stop();
    await taking.stop();
    lease.stop();
    await jobs.stop();
    await told;
  }
}

/** Whose instances end by themselves is noted, for that may be watched. */
const counting = (hands: Hands, alarms: Alarms): Hands => ({
  ...hands,
  report(event) {
    alarms.note(event, hands.now());
    hands.report(event);
  },
});

async function begin(post: Post, claim: Charge, hands: Hands): Promise<Omit<Tenure, 'alarms'> | undefined> {
  const { token } = claim;
  const rolled = await carryRollout(post, claim, hands);
  if (!rolled) return undefined;
  const { desired, ended } = rolled;
  const bake = await bakeOf(post, desired, token);
  const { release } = post.manifest;
  const units = bake?.fallbacks.map(({ unit }) => unitName(unit.owner));
  if (bake && units) post.journal.report({ type: 'bake-started', release, units, until: new Date(bake.untilMs).toISOString() });
  const say = async (): Promise<void> => {
    const record = await recordOf(post, token);
    const held = record?.held && { ...heldOf(record.held), ...(record.problem && { problem: record.problem }) };
    post.journal.report({ ...ended, ...held });
  };
  return { post, token, hands, desired, bake, sayEnded: say };
}

/** Its controller was killed, or stood by. */
async function resume(post: Post, token: number, hands: Hands): Promise<Omit<Tenure, 'alarms'>> {
  const records = await post.ledger.rollouts(50);
  const record = records.find((each) => each.token === token);
  const desired = await asHeldBack(post, records, token);
  const bake = await bakeOf(post, desired, token);
  const to = record?.goingBack && (await beforeOf(post, records, token));
  const back = record?.goingBack && to && { why: record.goingBack, to };
  return { post, token, hands, desired, bake, back, sayEnded: record && (() => sayEnded(post, record)) };
}

/** An app that was to be held back when its controller was killed may still serve as this release says: then it is to go back. */
async function asHeldBack(post: Post, records: readonly RolloutRecord[], token: number): Promise<Desired> {
  const held = records.find((each) => each.token === token)?.held ?? [];
  const desired = await withHeldBack(post.engine, post.desired, held);
  const isOwn = (unit: DesiredUnit): boolean =>
    held.some((each) => isUnit(each, unit.owner)) && post.desired.units.some(({ generation }) => generation === unit.generation);
  if (!desired.units.some(isOwn)) return desired;
  const before = await beforeOf(post, records, token);
  return instead(
    desired,
    before?.desired.units.filter(({ owner }) => desired.units.some((unit) => isOwn(unit) && isUnit(unit.owner, owner))) ?? [],
  );
}

/** The same with some units as they were before. */
const instead = (desired: Desired, units: readonly DesiredUnit[]): Desired => ({
  ...desired,
  units: desired.units.map((unit) => units.find(({ owner }) => isUnit(owner, unit.owner)) ?? unit),
});

async function serve(tenure: Tenure): Promise<void> {
  const { post, token } = tenure;
  post.journal.report({ type: 'controller-in-charge', release: post.manifest.release, token });
  do {
    if (tenure.back && (await leave(tenure, tenure.back)) === 'left') return;
    if (tenure.aside) await setAside(tenure, tenure.aside);
    if (!isBaking(tenure)) await endBake(tenure);
    await keepTrue({
      desired: tenure.desired,
      token,
      hands: tenure.hands,
      wake: post.wake,
      signal: post.signal,
      tend: () => tend(tenure),
      fallbacks: () => standingBy(tenure),
      isWanted: (observed) => isWanted(tenure, observed),
      nextMs: () => nextLookMs(tenure),
    });
  } while (tenure.back || tenure.aside || (tenure.bake && !isBaking(tenure)));
  // Another release came while this one baked; it was live all the same.
  if (!post.signal.aborted) await tenure.sayEnded?.();
}

/** Done when there is nothing else to do. */
async function tend(tenure: Tenure): Promise<void> {
  const { post, hands, bake } = tenure;
  await removeLeftovers({ ...successionOf(post, hands), now: hands.now(), spared: bake?.before.controller });
  if (tenure.hasForgotten || bake) return;
  tenure.hasForgotten = true;
  await forgetImages(post, hands);
}

function nextLookMs({ desired, bake, hands }: Tenure): number {
  const leftMs = (bake?.untilMs ?? Infinity) - hands.now();
  return Math.max(1, Math.min(hasAlarms(desired) ? alarmBeatMs : beatMs, leftMs));
}

const isBaking = ({ bake, hands }: Tenure): boolean => bake !== undefined && hands.now() < bake.untilMs;

const standingBy = ({ bake, hands }: Tenure) =>
  (bake?.fallbacks ?? []).filter(({ untilMs }) => hands.now() < untilMs).map(({ unit }) => unit);

/** Nobody stands by any more: the controllers before this one go, and how the rollout ended is said. */
async function endBake(tenure: Tenure): Promise<void> {
  tenure.bake = undefined;
  const { sayEnded: say } = tenure;
  if (!say) return;
  tenure.sayEnded = undefined;
  await removePredecessors(successionOf(tenure.post, tenure.hands));
  await say();
}

/** Serves what was asked; whether something else is wanted than that all stays as it is. */
async function isWanted(tenure: Tenure, observed: Observation): Promise<boolean> {
  for (const asked of observed.requests) {
    // How many instances there are is part of keeping the release true; jobs go on beside it.
    if (asked.request?.ask === 'scale' || isJobRequest(asked.request)) continue;
    const { post, hands } = tenure;
    const refused = consider(tenure, asked, observed);
    if (!refused) break;
    if (!(await hands.mayAct())) return false;
    hands.report({ type: 'request-refused', request: asked.name, problem: refused });
    await post.engine.takeRequest(hands.architecture, asked.name);
  }
  for (const change of await watchAlarms(tenure, observed)) if (change.state === 'fired') considerAlarm(tenure, change, observed);
  return tenure.back !== undefined || tenure.aside !== undefined || (tenure.bake !== undefined && !isBaking(tenure));
}

/** An alarm that fires while its app bakes takes it back: alone where apps are independent, else the whole release. */
function considerAlarm(tenure: Tenure, change: AlarmChange, observed: Observation): void {
  const { bake, post, desired } = tenure;
  if (!bake || tenure.back || !isBaking(tenure)) return;
  const why = alarmFired(post.manifest, change);
  const { independent } = desired;
  if (!independent) {
    if (standsBy(bake, observed)) tenure.back = { why, to: bake.before };
    return;
  }
  const uses = ({ name }: Owner): boolean => change.unit.kind === 'store' && independent.stores[name]?.includes(change.unit.name) === true;
  const units = bake.fallbacks
    .filter(({ untilMs, unit: { owner } }) => tenure.hands.now() < untilMs && (isUnit(owner, change.unit) || uses(owner)))
    .map(({ unit }) => unit);
  if (units.length > 0) tenure.aside = { units: [...(tenure.aside?.units ?? []), ...units], why };
}

const standsBy = ({ before }: Bake, { controllers }: Observation): boolean =>
  controllers.some(({ container, state }) => container === before.controller && state === 'running');

/** Why nothing comes of a request, or what is to come of it in `tenure`. */
function consider(tenure: Tenure, { name, request }: ObservedRequest, observed: Observation): Problem | undefined {
  const { bake, post } = tenure;
  if (request?.ask !== 'go-back') return nothingToDo(name);
  if (!bake || !standsBy(bake, observed) || !isBaking(tenure) || request.release !== post.manifest.release)
    return nothingStandsBy(post.manifest);
  tenure.back = { why: rolledBack(post.manifest, bake.before.release), to: bake.before, request: name };
  return undefined;
}

/** The apps stay as they were before; the rest of the release goes on. */
async function setAside(tenure: Tenure, { units, why }: NonNullable<Tenure['aside']>): Promise<void> {
  const { post, token, hands } = tenure;
  tenure.aside = undefined;
  const held = units.map(({ owner }) => unitName(owner));
  if (!(await post.ledger.holdBack(token, held, why))) return;
  for (const unit of held) {
    hands.report({ type: 'unit-held-back', unit, problem: why });
    tenure.alarms.forget(unit);
  }
  tenure.desired = instead(tenure.desired, units);
  if (!tenure.bake) return;
  const fallbacks = tenure.bake.fallbacks.filter(({ unit }) => !units.includes(unit));
  tenure.bake = { ...tenure.bake, fallbacks, untilMs: Math.max(0, ...fallbacks.map(({ untilMs }) => untilMs)) };
}

/**
 * Goes back to the release before, whose controller is in charge as soon as that is recorded. `stays`: what was before did not
 * become healthy, and this release is kept.
 */
async function leave(tenure: Tenure, { why, to, request }: NonNullable<Tenure['back']>): Promise<'left' | 'stays'> {
  const { post, token, hands } = tenure;
  const { journal, ledger, manifest } = post;
  tenure.back = undefined;
  if (!(await ledger.goBack(token, why))) return 'left';
  const began = hands.now();
  journal.report({
    type: 'going-back',
    release: manifest.release,
    to: to.release,
    problem: why,
    ...(request !== undefined && { request }),
  });
  const end = await goBackTo({ desired: to.desired, token, release: manifest.release, hands, wake: post.wake });
  if (request !== undefined) await post.engine.takeRequest(hands.architecture, request);
  if (end.outcome === 'overtaken') return 'left';
  if (end.outcome === 'stays') {
    await ledger.wentBack(token, 'live');
    journal.report({
      type: 'going-back-failed',
      release: manifest.release,
      to: to.release,
      problem: { ...end.problem, safe: `release ${short(manifest.release)} serves on` },
    });
    return 'stays';
  }
  await journal.flush();
  if (!(await ledger.wentBack(token, 'failed'))) return 'left';
  const { commit } = manifest.inputs.source;
  journal.report({
    type: 'rollout-ended',
    release: manifest.release,
    commit,
    outcome: 'failed',
    durationMs: hands.now() - began,
    token,
    problem: why,
  });
  return 'left';
}
