import { done, failed, type Result } from '../../result.ts';
import type { PathPhase } from '../engine.ts';
import { phaseOf } from './paths.ts';
import type { MemoryWorld } from './world.ts';

type Unhealthy = { phase: PathPhase; ended: boolean };

/** Waits for a change that decides, or for `timePasses` to resolve, whichever is first. */
export async function awaitPath(
  world: MemoryWorld,
  subject: { architecture: string; name: string },
  timePasses: (signal: AbortSignal) => Promise<void>,
): Promise<Result<void, Unhealthy>> {
  const over = new AbortController();
  let decide: (outcome: Result<void, Unhealthy>) => void = () => {};
  const decided = new Promise<Result<void, Unhealthy>>((resolve) => (decide = resolve));
  const look = (): void => {
    const outcome = lookAt(world, subject);
    if (outcome.ok || outcome.problem.ended) decide(outcome);
  };
  const forget = world.machine.onChange(look);
  look();
  void timePasses(over.signal).then(() => decide(lookAt(world, subject)));
  const outcome = await decided;
  forget();
  over.abort();
  return outcome;
}

function lookAt(world: MemoryWorld, { architecture, name }: { architecture: string; name: string }): Result<void, Unhealthy> {
  const state = world.machine.of(architecture);
  const instance = state.instances.get(name);
  const phase = instance && phaseOf(state, instance, world.judgement);
  if (!instance?.path || !phase) return failed({ phase: { phase: 'starting' }, ended: true });
  if (instance.state === 'exited') return failed({ phase, ended: true });
  const passed = phase.phase === 'healthy' || phase.phase === 'serving' || phase.phase === 'draining';
  if (!passed) return failed({ phase, ended: false });
  instance.path.wasHealthy = true;
  return done(undefined);
}
