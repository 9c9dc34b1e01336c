import type { Observation, ObservedRequest, Owner } from '../engine/engine.ts';
import type { Independence } from '../release/independence.ts';
import type { Desired, DesiredUnit } from './desired.ts';
import { outfit } from './outfit.ts';
import { isUnit } from './unit-state.ts';

/** Units that switch together, in the order of the release. */
export type Group = readonly DesiredUnit[];

/**
 * What of a release is to be rolled out, sorted into what switches together: the groups its apps were declared in, joined
 * where they use a store that changes. The core is none of them: it follows the apps. Units that serve already are left out
 * with their whole group when nothing of it changes. Pure.
 */
export function groupsOf({ independent, units }: Grouped, observed: Observation): Group[] {
  const changed = changedIn(units, observed);
  const unitsOf = (names: ReadonlySet<string>): Group => units.filter(({ owner }) => names.has(keyOf(owner)));
  return joined(independent, changedStores(units, changed))
    .map(unitsOf)
    .filter((group) => group.some((unit) => changed.has(unit)));
}

type Grouped = Pick<Required<Desired>, 'independent' | 'units'>;

/** What cannot be rolled out, for it goes together with an app that could not be built; that app is among it. Pure. */
export function withheldOf({ independent, units, unbuilt }: Grouped & Pick<Required<Desired>, 'unbuilt'>, observed: Observation): Owner[] {
  const sets = joined(independent, changedStores(units, changedIn(units, observed))).filter((set) =>
    unbuilt.some(({ owner }) => set.has(keyOf(owner))),
  );
  const beside = units.filter(({ owner }) => sets.some((set) => set.has(keyOf(owner))));
  return [...unbuilt, ...beside].map(({ owner }) => owner);
}

const changedIn = (units: Group, observed: Observation): ReadonlySet<DesiredUnit> =>
  new Set(units.filter((unit) => outfit(unit, observed, 0).live === undefined));

const changedStores = (units: Group, changed: ReadonlySet<DesiredUnit>): Group =>
  units.filter((unit) => unit.owner.kind === 'store' && changed.has(unit));

/** Sets of keys of units: groups that share a changed store become one, which the store is in. */
function joined({ groups, stores }: Independence, changed: readonly DesiredUnit[]): ReadonlySet<string>[] {
  let sets: ReadonlySet<string>[] = groups.map((names) => new Set(names.map((name) => `app/${name}`)));
  for (const { owner } of changed) {
    const uses = (set: ReadonlySet<string>): boolean => [...set].some((key) => stores[key.replace(/^app\//, '')]?.includes(owner.name));
    const users = sets.filter(uses);
    sets = [...sets.filter((set) => !users.includes(set)), new Set([keyOf(owner), ...users.flatMap((set) => [...set])])];
  }
  return sets;
}

const keyOf = ({ kind, name }: Owner): string => `${kind}/${name}`;

/** A release reduced to some of its units; networks, which are everyone's, are left out. */
export const only = ({ architecture }: Desired, units: Group): Desired => ({ architecture, networks: [], volumes: [], units });

/** What the engine holds of those units, and what is asked for of them, as if there were no others. */
export function viewOf(observed: Observation, units: Group): Observation {
  const isAskedOf = ({ request }: ObservedRequest): boolean =>
    request?.ask === 'scale' && units.some(({ owner }) => isUnit(owner, { kind: 'app', name: request.app }));
  const isOurs = ({ owner }: { owner: Owner }): boolean => units.some((unit) => isUnit(unit.owner, owner));
  return {
    ...observed,
    networks: observed.networks.filter(isOurs),
    volumes: observed.volumes.filter(isOurs),
    slots: observed.slots.filter(isOurs),
    instances: observed.instances.filter(isOurs),
    requests: observed.requests.filter(isAskedOf),
  };
}
