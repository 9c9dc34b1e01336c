import { beatMs, keepTrue } from '../drift/keep-true.ts';
import { Scaling } from '../drift/scaling.ts';
import type { Observation } from '../engine/engine.ts';
import type { RolloutEnded, UnitName } from '../events.ts';
import { unitName, type Hands } from '../rollout/carry-out.ts';
import type { Desired, DesiredUnit } from '../rollout/desired.ts';
import { outfit } from '../rollout/outfit.ts';
import type { Rollout } from '../rollout/roll-out.ts';
import { rollOutRelease } from '../rollout/roll-out-release.ts';
import { bakeOf } from './bake.ts';
import { holdOf } from './hold.ts';
import { heldOf, type Charge, type Post } from './post.ts';

/**
 * Carries this controller's rollout to its end: what the release is to be kept as, and how the rollout ended, which is not said
 * yet. Undefined when the release did not come to be live, which has been said.
 */
export async function carryRollout(
  post: Post,
  claim: Charge,
  hands: Hands,
): Promise<{ desired: Desired; ended: RolloutEnded } | undefined> {
  const { manifest, journal, ledger, desired } = post;
  const { release, inputs } = manifest;
  const began = hands.now();
  let cut = 0;
  const counted: Hands = {
    ...hands,
    report(event) {
      if (event.type === 'unit-retired') cut += event.cut ?? 0;
      hands.report(event);
    },
  };
  const hold = await holdOf(post, claim.token);
  const end = await rollOutRelease({
    ...(hold && { hold }),
    desired,
    token: claim.token,
    release,
    from: claim.from,
    hands: counted,
    wake: post.wake,
    begin: (observed) => announce(post, claim, observed),
    ...meanwhile(post, claim.token, counted),
    fallbacks: standingBy(post, claim.token),
  });
  if (end.outcome === 'overtaken') return undefined;
  const { asked } = await post.request;
  const rolledBack = end.outcome === 'live' && asked === 'rollback';
  const more = { ...(end.problem && { problem: end.problem }), ...(end.outcome === 'live' && heldOf(end.held)) };
  await journal.flush();
  if (!(await ledger.end(claim.token, { outcome: end.outcome, ...more }))) return undefined;
  const ended: RolloutEnded = {
    type: 'rollout-ended',
    release,
    commit: inputs.source.commit,
    outcome: end.outcome,
    durationMs: hands.now() - began,
    token: claim.token,
    ...(cut > 0 && { cut }),
    ...(rolledBack && { rolledBack }),
    ...more,
  };
  if (end.outcome === 'live') return { desired: end.desired, ended };
  journal.report(ended);
  return undefined;
}

/** What goes on while a release is rolled out, however long that takes: what it does not change is scaled, and restored. */
const meanwhile = ({ wake }: Post, token: number, hands: Hands): Required<Pick<Rollout, 'scaling' | 'keep'>> => ({
  scaling: (desired) => {
    const scaling = new Scaling(desired, hands);
    return (observed, free) => scaling.counts(observed, free);
  },
  keep: (desired, view, signal) =>
    keepTrue({
      desired,
      view,
      signal,
      token,
      hands,
      wake: wake.fork(signal),
      tend: async () => undefined,
      fallbacks: () => [],
      isWanted: async () => false,
      nextMs: () => beatMs,
    }),
});

/** Found while there is other work. Whoever cannot read what was before goes on without: going back is only slower then. */
const standingBy = (post: Post, token: number): Promise<readonly DesiredUnit[]> =>
  bakeOf(post, post.desired, token).then(
    (bake) => (bake?.fallbacks ?? []).map(({ unit }) => unit),
    () => [],
  );

/** What this rollout replaces and keeps, seen from what serves as it begins. */
function announce({ desired, journal, manifest, environment }: Post, { token, from }: Charge, observed: Observation): void {
  const outfits = desired.units.map((unit) => outfit(unit, observed, token));
  const names = (live: boolean): UnitName[] =>
    outfits.filter((one) => (one.live !== undefined) === live).map(({ unit }) => unitName(unit.owner));
  journal.report({
    type: 'rollout-started',
    release: manifest.release,
    commit: manifest.inputs.source.commit,
    environment,
    ...(from && { from }),
    token,
    replace: names(false),
    keep: names(true),
  });
}
