import type { GoesOn } from '../build/set-aside.ts';
import type { PlannedRelease } from '../build/plan-release.ts';
import type { UnitName } from '../events.ts';
import { independenceOf } from '../release/independence.ts';
import { resolveEnvironment } from '../release/resolve-environment.ts';
import type { LiveUnit } from './live-state.ts';
import { wantedUnits } from './plan-changes.ts';

type Outlook = { planned: PlannedRelease; environment: string; units: readonly LiveUnit[] };

/**
 * Whether a release that does without some independent apps is worth having in an environment: it has other apps, and something
 * else of it differs from what runs. Pure.
 */
export const worthWithout =
  ({ planned, environment, units }: Outlook): GoesOn =>
  (unbuilt) => {
    const resolved = resolveEnvironment(planned.inputs.architecture, environment);
    const generations = planned.environments[environment];
    if (!resolved.ok || !generations || !resolved.value.rollout) return false;
    const { groups } = independenceOf(resolved.value.rollout, resolved.value.apps);
    const withheld = new Set(groups.filter((names) => names.some((name) => unbuilt[name])).flat());
    const isLeft = ({ kind, name }: UnitName): boolean => kind !== 'app' || !withheld.has(name);
    const wanted = wantedUnits(generations).filter(isLeft);
    if (!wanted.some(({ kind }) => kind === 'app')) return false;
    const asked = new Map(wanted.map((unit) => [keyOf(unit), unit.generation]));
    const running = new Map(units.filter(isLeft).map((unit) => [keyOf(unit), unit.generation]));
    return [...new Set([...asked.keys(), ...running.keys()])].some((key) => !asked.has(key) || running.get(key) !== asked.get(key));
  };

const keyOf = ({ kind, name }: UnitName): string => `${kind}/${name}`;
