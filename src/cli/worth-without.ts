import type { GoesOn } from '../build/set-aside.ts';
import type { PlannedRelease } from '../build/plan-release.ts';
import { independenceOf } from '../release/independence.ts';
import { resolveEnvironment } from '../release/resolve-environment.ts';
import type { LiveUnit } from './live-state.ts';

type Outlook = { planned: PlannedRelease; environment: string; units: readonly LiveUnit[] };

/**
 * Whether a release that does without some independent apps is worth having in an environment: it has other apps, and something
 * else of it differs from what runs. Pure.
 */
export const worthWithout =
  ({ planned, environment, units }: Outlook): GoesOn =>
  (unbuilt) => {
    const resolved = resolveEnvironment(planned.inputs.architecture, environment);
    const wanted = planned.environments[environment];
    if (!resolved.ok || !wanted || !resolved.value.rollout) return false;
    const { groups } = independenceOf(resolved.value.rollout, resolved.value.apps);
    const withheld = new Set(groups.filter((names) => names.some((name) => unbuilt[name])).flat());
    const others = Object.keys(wanted.apps).filter((name) => !withheld.has(name));
    if (others.length === 0) return false;
    const running = new Map(units.map(({ kind, name, generation }) => [`${kind}/${name}`, generation]));
    const asked = new Map([
      ['core/core', wanted.core.id],
      ...Object.entries(wanted.stores).map(([name, { id }]) => [`store/${name}`, id] as const),
      ...others.map((name) => [`app/${name}`, wanted.apps[name]?.id] as const),
    ]);
    const isGone = (key: string): boolean => !asked.has(key) && ![...withheld].some((name) => key === `app/${name}`);
    return [...asked].some(([key, id]) => running.get(key) !== id) || [...running.keys()].some(isGone);
  };
