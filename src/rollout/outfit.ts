import type { InstanceSpec, Observation, ObservedInstance } from '../engine/engine.ts';
import type { DesiredUnit, Seat } from './desired.ts';
import type { Named, Step } from './step.ts';
import { asideKindOf } from './trial.ts';
import { colourFor, unitState, type UnitState } from './unit-state.ts';

/** A unit as it is to be, beside what is there of it. */
export type Outfit = {
  unit: DesiredUnit;
  state: UnitState;
  /** The colour its body takes. */
  seat: Seat;
  /** The path to start where none of this generation serves. */
  path: InstanceSpec;
  /** The path of this generation that serves, if one does. */
  live: ObservedInstance | undefined;
};

export function outfit(unit: DesiredUnit, observed: Observation, token: number): Outfit {
  const state = unitState(observed, unit.owner);
  const seat = unit.seats[colourFor(state, unit.body)];
  const live = state.serving.findLast((path) => path.generation === unit.generation && path.colour === seat.path.colour);
  return { unit, state, seat, live, path: { ...seat.path, name: pathName(seat.path.name, state, token) } };
}

/**
 * `token` goes into the name of a path, so that one rollout's never meets another's. A rollout that was overtaken may meet
 * its own, which still drains, when it comes back: that one's name is not free.
 */
function pathName(base: string, { waiting, holding, draining, leaving }: UnitState, token: number): string {
  const taken = [...draining, ...leaving];
  const names = [base, ...taken.map((_, index) => `${base}.${index + 2}`)].map((name) => `${name}.${token}`);
  const isOf = (paths: readonly ObservedInstance[], name: string): boolean => paths.some((path) => path.name === name);
  return names.find((name) => isOf([...waiting, ...holding], name)) ?? names.find((name) => !isOf(taken, name)) ?? `${base}.${token}`;
}

/** How steps name an instance, observed or specified. */
export function named(instance: ObservedInstance | InstanceSpec): Named {
  const { owner, name, generation, role } = instance;
  const aside = asideKindOf(instance);
  return { owner, name, generation, role, ...('container' in instance && { container: instance.container }), ...(aside && { aside }) };
}

export function removeInstance(instance: ObservedInstance): Step {
  const cut = instance.path?.phase === 'draining' ? instance.path.cut : undefined;
  return { do: 'remove-instance', instance: named(instance), ...(cut && { cut }) };
}
