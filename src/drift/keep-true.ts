import type { Observation } from '../engine/engine.ts';
import { heldBack } from '../rollout/backoff.ts';
import { carryOut, type Hands } from '../rollout/carry-out.ts';
import type { Desired, DesiredUnit } from '../rollout/desired.ts';
import { planRollout } from '../rollout/plan-rollout.ts';
import type { Outlook } from '../rollout/situation.ts';
import { describeStep } from '../rollout/step.ts';
import type { Wake } from '../rollout/wake.ts';
import { Losses } from './losses.ts';
import { Scaling } from './scaling.ts';

export type Keeping = {
  desired: Desired;
  token: number;
  hands: Hands;
  wake: Wake;
  signal: AbortSignal;
  /** What of the engine it is about: all unless given. */
  view?: (observed: Observation) => Observation;
  /** Done whenever there is nothing else to do. */
  tend: () => Promise<void>;
  /** What stays ready beside what is live. */
  fallbacks: () => readonly DesiredUnit[];
  /** Asked at each look; true: somebody wants something else than that all stays as it is. */
  isWanted: (observed: Observation) => Promise<boolean>;
  /** Milliseconds until it is worth a look even when nothing was heard, at most. */
  nextMs: () => number;
};

/** Everything is looked at this often even when nothing was heard. */
export const beatMs = 30_000;

/** How soon another controller's claim is noticed when nothing else happens. */
const noticeMs = 500;

const afterFailureMs = 1000;

/**
 * Keeps the engine as the release says: what died is started again in its place, what is missing is made, until the
 * signal is aborted, another controller is in charge, or something else is wanted. Never gives up; each failure is said, and tried
 * again later.
 */
export async function keepTrue(keeping: Keeping): Promise<void> {
  const losses = new Losses(keeping.desired, keeping.hands);
  const scaling = new Scaling(keeping.desired, keeping.hands);
  const hands = { ...keeping.hands, report: losses.watchReport };
  while (!keeping.signal.aborted && (await hands.mayAct())) {
    const restMs = await look({ ...keeping, hands }, losses, scaling);
    if (restMs === 'wanted') return;
    if (restMs > 0) await rest(keeping, Math.min(restMs, scaling.beatMs ?? restMs));
  }
}

/** One round; gives how long to rest when there is nothing (more) to do. */
async function look(keeping: Keeping, losses: Losses, scaling: Scaling): Promise<number | 'wanted'> {
  const { desired, token, hands, tend, fallbacks, isWanted, nextMs, view = (all) => all } = keeping;
  const looked = await hands.observe();
  if (!looked.ok) return afterFailureMs;
  const observed = view(looked.value);
  if (await isWanted(observed)) return 'wanted';
  losses.count(observed, token);
  const counts = await scaling.counts(observed);
  const notYet = heldBack(losses.deaths, hands.now());
  const outlook: Outlook = { token, heldBack: notYet, hurry: true, fallbacks: fallbacks(), counts };
  const stage = planRollout(desired, observed, outlook);
  if (stage.name === 'settled') await tend();
  // What was not to be started yet may be by now.
  const next = losses.nextStart() ?? (notYet.size > 0 ? 0 : undefined);
  if (stage.name === 'settled') return next ?? nextMs();
  if (stage.name === 'wait') return Math.min(next ?? afterFailureMs, afterFailureMs);
  const { problems } = await carryOut(stage, hands);
  for (const { step, problem } of problems) hands.report({ type: 'effect-failed', step: describeStep(step), problem });
  return problems.length > 0 ? afterFailureMs : 0;
}

/** Until something happens, the time has passed, or another controller is in charge. */
async function rest({ wake, hands, signal }: Keeping, ms: number): Promise<void> {
  const until = hands.now() + ms;
  for (let left = ms; left > 0 && !signal.aborted; left = until - hands.now()) {
    if (await wake.next(Math.min(noticeMs, left))) return;
    if (!(await hands.mayAct())) return;
  }
}
