import { beatMs, keepTrue } from '../drift/keep-true.ts';
import type { Observation, ObservedRequest } from '../engine/engine.ts';
import type { Problem } from '../problem.ts';
import { short } from '../digest.ts';
import { unitName, type Hands } from '../rollout/carry-out.ts';
import type { Desired } from '../rollout/desired.ts';
import { goBackTo } from '../rollout/go-back.ts';
import { withHeldBack } from '../rollout/kept-unit.ts';
import { bakeOf, beforeOf, type Bake, type Before } from './bake.ts';
import { carryRollout } from './carry-rollout.ts';
import { removeLeftovers } from './leftover-controllers.ts';
import { handsOf, holdLease, sayEnded, successionOf, type Charge, type Post } from './post.ts';
import { removePredecessors } from './predecessors.ts';
import { nothingHeld, nothingStandsBy, rolledBack } from './refusal.ts';

/**
 * A release that is live, with its controller in charge. `sayEnded`: what is to be told of its rollout once nothing stands by
 * any more. `back`: why it is to be left, and for what.
 */
type Tenure = {
  post: Post;
  token: number;
  hands: Hands;
  desired: Desired;
  sayEnded: (() => void | Promise<void>) | undefined;
  bake?: Bake | undefined;
  back?: { why: Problem; to: Before; request?: string } | undefined;
};

/** Carries the rollout of a claim through, or takes it up where it stands, and keeps its release true until another is in charge. */
export async function takeCharge(post: Post, claim: Charge): Promise<void> {
  const lease = holdLease(post, claim.token);
  try {
    const hands = handsOf(post, claim.token);
    const tenure = claim.outcome === 'live' ? await resume(post, claim.token, hands) : await begin(post, claim, hands);
    if (tenure) await serve(tenure);
  } finally {
    lease.stop();
  }
}

async function begin(post: Post, claim: Charge, hands: Hands): Promise<Tenure | undefined> {
  const { token } = claim;
  const rolled = await carryRollout(post, claim, hands);
  if (!rolled) return undefined;
  const { desired, ended } = rolled;
  const bake = await bakeOf(post, desired, token);
  const { release } = post.manifest;
  const units = bake?.fallbacks.map(({ unit }) => unitName(unit.owner));
  if (bake && units) post.journal.report({ type: 'bake-started', release, units, until: new Date(bake.untilMs).toISOString() });
  return { post, token, hands, desired, bake, sayEnded: () => post.journal.report(ended) };
}

/** Its controller was killed, or stood by. */
async function resume(post: Post, token: number, hands: Hands): Promise<Tenure> {
  const records = await post.ledger.rollouts(50);
  const record = records.find((each) => each.token === token);
  const desired = await withHeldBack(post.engine, post.desired, record?.held ?? []);
  const bake = await bakeOf(post, desired, token);
  const to = record?.goingBack && (await beforeOf(post, records, token));
  const back = record?.goingBack && to && { why: record.goingBack, to };
  return { post, token, hands, desired, bake, back, sayEnded: record && (() => sayEnded(post, record)) };
}

async function serve(tenure: Tenure): Promise<void> {
  const { post, token } = tenure;
  post.journal.report({ type: 'controller-in-charge', release: post.manifest.release, token });
  do {
    if (tenure.back && (await leave(tenure, tenure.back)) === 'left') return;
    if (!isBaking(tenure)) await endBake(tenure);
    await keepTrue({
      desired: tenure.desired,
      token,
      hands: tenure.hands,
      wake: post.wake,
      signal: post.signal,
      tend: () => removeLeftovers({ ...successionOf(post, tenure.hands), now: tenure.hands.now(), spared: tenure.bake?.before.controller }),
      fallbacks: () => standingBy(tenure),
      isWanted: (observed) => isWanted(tenure, observed),
      nextMs: () => Math.min(beatMs, Math.max(1, (tenure.bake?.untilMs ?? Infinity) - tenure.hands.now())),
    });
  } while (tenure.back || (tenure.bake && !isBaking(tenure)));
  // Another release came while this one baked; it was live all the same.
  if (!post.signal.aborted) await tenure.sayEnded?.();
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
    // How many instances there are is part of keeping the release true.
    if (asked.request?.ask === 'scale') continue;
    const { post, hands } = tenure;
    const refused = consider(tenure, asked, observed);
    if (!refused) break;
    if (!(await hands.mayAct())) return false;
    hands.report({ type: 'request-refused', request: asked.name, problem: refused });
    await post.engine.takeRequest(hands.architecture, asked.name);
  }
  return tenure.back !== undefined || (tenure.bake !== undefined && !isBaking(tenure));
}

/** Why nothing comes of a request, or what is to come of it in `tenure`. */
function consider(tenure: Tenure, { name, request }: ObservedRequest, { controllers }: Observation): Problem | undefined {
  const { bake, post } = tenure;
  if (request?.ask !== 'go-back') return nothingHeld(name);
  const standsBy = controllers.some(({ container, state }) => container === bake?.before.controller && state === 'running');
  if (!bake || !standsBy || !isBaking(tenure) || request.release !== post.manifest.release) return nothingStandsBy(post.manifest);
  tenure.back = { why: rolledBack(post.manifest, bake.before.release), to: bake.before, request: name };
  return undefined;
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
