import type { Problem } from '../../problem.ts';
import { done, failed, type Result } from '../../result.ts';
import type { Verb, MemoryWorld } from './world.ts';

export const engineAbsent: Problem = { code: 'ENGINE_ABSENT', what: 'no container engine answers', next: 'start the engine' };

type Stage = () => Result<void> | void;

/**
 * Carries out one numbered effect: hooks around it and between its stages (one of a single stage has its middle where it begins),
 * a failure that was ordered instead of it, and the eye on availability after every stage. Stages are what a real engine could be
 * interrupted between.
 */
export async function carryOut(
  world: MemoryWorld,
  subject: { verb: Verb; architecture: string; name: string },
  stages: readonly Stage[],
): Promise<Result<void>> {
  const number = (world.availability.effect += 1);
  const effect = { number, ...subject };
  await world.beforeEffect?.(effect);
  if (!world.machine.running) return failed(engineAbsent);
  const ordered = world.takeFailure(subject.verb);
  if (ordered) return failed(ordered);
  for (const [index, stage] of stages.entries()) {
    if (index > 0 || stages.length === 1) await world.midEffect?.(effect);
    const result = stage();
    world.availability.look(`${subject.verb} ${subject.name}`);
    if (result && !result.ok) return result;
  }
  await world.afterEffect?.(effect);
  return done(undefined);
}
