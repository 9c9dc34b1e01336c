import type { Desired, DesiredUnit } from './desired.ts';
import { isUnit } from './unit-state.ts';

/** A generation that was replaced and stays ready to take over again until `untilMs`. */
export type Fallback = { unit: DesiredUnit; untilMs: number };

/** A rollout that made a release live at `liveAtMs`, and what was live before it. */
export type Replaced = { liveAtMs: number; desired: Desired };

/**
 * What stays ready beside a release that is live: of each app that bakes, the generation it replaced. `replaced`: newest first.
 * Where apps are independent, one that a later release did not change goes on to bake; where all go together, only the last
 * rollout counts, for going back over it would not bring back what an earlier one replaced. Pure.
 */
export function fallbacksOf({ units, independent }: Desired, replaced: readonly Replaced[]): Fallback[] {
  const counted = independent ? replaced : replaced.slice(0, 1);
  return units.flatMap((unit) => {
    for (const { liveAtMs, desired } of unit.bakeMs === undefined ? [] : counted) {
      const before = desired.units.find((each) => isUnit(each.owner, unit.owner));
      if (!before) return [];
      if (before.generation !== unit.generation) return [{ unit: before, untilMs: liveAtMs + (unit.bakeMs ?? 0) }];
    }
    return [];
  });
}

/** The longest that any app of a release bakes. */
export const longestBakeMs = ({ units }: Desired): number => Math.max(0, ...units.map(({ bakeMs = 0 }) => bakeMs));
