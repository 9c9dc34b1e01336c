import type { ObservedController } from '../engine/engine.ts';
import type { Succession } from './predecessors.ts';

/** Whoever started one has had the time to read how it ended. */
const readMs = 5000;

/** A controller that never came to claim a rollout is somebody's that went away. */
const unclaimedMs = 60_000;

/**
 * Removes controllers of rollouts that failed and whose caller did not remove them, and predecessors that could not be
 * removed when this one's release came live, so that the engine does not start them again for ever. Safe to repeat.
 */
export async function removeLeftovers({ engine, ledger, architecture, self, now, mayAct, spared }: Tending): Promise<void> {
  const controllers = await engine.controllers(architecture);
  if (!controllers.ok || controllers.value.length < 2) return;
  const rollouts = new Map((await ledger.rollouts(50)).map((rollout) => [rollout.controller, rollout]));
  const own = rollouts.get(self);
  const isLeftOver = ({ container, createdAt }: ObservedController): boolean => {
    const rollout = rollouts.get(container);
    if (container === self || container === spared) return false;
    if (!rollout) return now - Date.parse(createdAt) > unclaimedMs;
    if (rollout.outcome === 'live') return own !== undefined && rollout.token < own.token;
    return rollout.outcome !== undefined && now - Date.parse(rollout.endedAt ?? '') > readMs;
  };
  const leftOver = controllers.value.filter(isLeftOver);
  if (leftOver.length === 0 || !(await mayAct())) return;
  await Promise.all(leftOver.map(({ name }) => engine.removeController(architecture, name)));
}

/** `spared`: one that stands by to take over again. */
export type Tending = Succession & { now: number; spared?: string | undefined };
