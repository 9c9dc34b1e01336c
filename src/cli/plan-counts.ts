import { isElastic } from '../architecture/model.ts';
import type { BodyId } from '../digest.ts';
import type { Observation } from '../engine/engine.ts';
import type { ResolvedArchitecture } from '../release/resolve-environment.ts';
import { countOf } from '../rollout/size.ts';

/** A service whose instances come and go. `count`: how many a release begins with, where `now` run; 0 where none do. */
export type PlannedCount = { app: string; service: string; min: number; max: number; now: number; count: number };

type Counting = { apps: ResolvedArchitecture['apps']; generations: Readonly<Record<string, { body: BodyId }>>; observation: Observation };

const anyRange = { min: 0, max: Infinity };

/** How many instances each elastic service of a release would have. Pure. */
export function planCounts({ apps, generations, observation }: Counting): PlannedCount[] {
  return Object.entries(apps).flatMap(([app, { services }]) =>
    Object.entries(services).flatMap(([service, { replicas }]) => {
      const body = generations[app]?.body;
      if (!isElastic(replicas) || body === undefined) return [];
      const unit = { owner: { kind: 'app' as const, name: app }, body };
      const { count } = countOf({ unit, service, range: replicas }, observation);
      const { count: now } = countOf({ unit, service, range: anyRange }, observation);
      return [{ app, service, min: replicas.min, max: replicas.max, now, count }];
    }),
  );
}

/** `web.api  2 of 1 to 2 instances; 3 run now`. */
export const countWords = ({ app, service, min, max, now, count }: PlannedCount): string =>
  `${app}.${service}  ${count} of ${min} to ${max} instances${now === count || now === 0 ? '' : `; ${now} run now`}`;
