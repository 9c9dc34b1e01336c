import type { ReleaseId } from '../digest.ts';
import type { Problem } from '../problem.ts';
import { carryOut, type Hands } from './carry-out.ts';
import type { Desired } from './desired.ts';
import { unhealthy } from './failure.ts';
import { planRollout } from './plan-rollout.ts';
import type { Wake } from './wake.ts';

/** `desired`: what was live before, and is to be again. `token`, `release`: of the rollout that is left. */
export type GoingBack = { desired: Desired; token: number; release: ReleaseId; hands: Hands; wake: Wake };

export type BackEnd = { outcome: 'back' } | { outcome: 'stays'; problem: Problem } | { outcome: 'overtaken' };

/**
 * Lets what was live before serve again, through the same health gates as any rollout; what is left is cleared away by whoever
 * is in charge then. Where it stands by still, that is a handover. `stays`: it did not become healthy, and nothing was let in.
 */
export async function goBackTo({ desired, token, release, hands, wake }: GoingBack): Promise<BackEnd> {
  const began = hands.now();
  const limitMs = Math.max(...desired.units.map(({ healthLimitMs }) => healthLimitMs));
  for (;;) {
    const elapsedMs = hands.now() - began;
    const observed = await hands.observe();
    if (!(await hands.mayAct())) return { outcome: 'overtaken' };
    if (!observed.ok && elapsedMs > limitMs) return { outcome: 'stays', problem: observed.problem };
    if (!observed.ok) {
      await wake.next(hands.pauseMs);
      continue;
    }
    const stage = planRollout(desired, observed.value, { token, heldBack: new Set(), hurry: false });
    if (stage.live) return { outcome: 'back' };
    const { overtaken, problems, unhealthy: waiting } = await carryOut(stage, hands);
    if (overtaken) return { outcome: 'overtaken' };
    const [first] = waiting;
    if (first && (first.ended || elapsedMs > limitMs))
      return { outcome: 'stays', problem: await unhealthy(first, { desired, release, from: undefined, hands }, elapsedMs) };
    if (problems[0] && elapsedMs > limitMs) return { outcome: 'stays', problem: problems[0].problem };
    if (stage.name === 'wait' && elapsedMs > limitMs) return { outcome: 'stays', problem: notReady(elapsedMs) };
    if (problems.length > 0 || stage.name === 'wait') await wake.next(hands.pauseMs);
  }
}

const notReady = (elapsedMs: number): Problem => ({
  code: 'ROLLOUT_UNHEALTHY',
  what: `what was live before could not be made ready again in ${Math.round(elapsedMs / 1000)} s`,
  next: 'changeless status',
});
