import type { InstanceSpec, Observation, ObservedInstance, SlotSpec } from '../engine/engine.ts';
import { slotDigest } from '../engine/spec-digest.ts';
import type { Desired, DesiredUnit } from './desired.ts';
import { removeInstance, type Outfit } from './outfit.ts';
import type { Counts } from './size.ts';
import type { Lane } from './step.ts';

/**
 * How the planner is to see things. `token` goes into the names of paths, so that one rollout's never meets another's.
 * `heldBack`: instances that died too often just now and are not to be started yet. `hurry`: a path that nothing serves
 * beside is let in without waiting for its checks (after a reboot, a late answer is better than none), and no step is run.
 * `overdue`: steps that have run longer than they may. `counts`: how many instances services are to have from now on.
 */
export type Outlook = {
  token: number;
  heldBack: ReadonlySet<string>;
  hurry: boolean;
  overdue?: ReadonlySet<string>;
  counts?: Counts;
  /** Goes no further than that all can be looked at; what a store would change waits. */
  hold?: boolean;
  /** Of apps that bake, the generations that stay ready to take over again. */
  fallbacks?: readonly DesiredUnit[];
};

/** What is wanted beside what is there: all that a stage is planned from. */
export type Situation = { desired: Desired; observed: Observation; outfits: readonly Outfit[]; outlook: Outlook };

/** Empty when the place is there as wanted. `serves`: a place of another spec is left alone while it is needed. */
export function slotLane(slot: SlotSpec, observed: Observation, serves: boolean): Lane {
  const there = observed.slots.find(({ name }) => name === slot.name);
  const asWanted = there?.spec === slotDigest(slot);
  if (there?.ready && (asWanted || serves)) return [];
  // What was in a place that is gone has nobody left to say goodbye to: it ends with it, at once.
  if (!there?.ready) return [{ do: 'ensure-slot', slot }];
  return [...membersOf(observed, slot.name).map(removeInstance), { do: 'ensure-slot', slot }];
}

/** Whether a step has ended in the place, which may die then: made anew, it would take with it the record that the step ran. */
export const keepsRecord = (slot: string, observed: Observation): boolean =>
  membersOf(observed, slot).some(({ role, state }) => role === 'step' && state === 'exited');

/** Starts it in its place. Whatever is there goes first. */
export const startAlone = (instance: InstanceSpec, observed: Observation): Lane => [
  ...membersOf(observed, instance.slot).map(removeInstance),
  { do: 'start-instance', instance },
];

export const membersOf = (observed: Observation, slot: string): ObservedInstance[] =>
  observed.instances.filter((instance) => instance.slot === slot);
