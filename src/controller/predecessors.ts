import type { Engine } from '../engine/engine.ts';

/**
 * Removes the controllers that were made before this one: its release is live, so that theirs have nothing to come back
 * for. Younger ones are somebody's next rollout. Safe to repeat.
 */
export async function removePredecessors(engine: Engine, architecture: string, self: string): Promise<void> {
  const observed = await engine.controllers(architecture);
  if (!observed.ok) return;
  const own = observed.value.find(({ container }) => container === self);
  if (!own) return;
  const older = observed.value.filter(({ container, createdAt }) => container !== self && createdAt <= own.createdAt);
  await Promise.all(older.map(({ name }) => engine.removeController(architecture, name)));
}
