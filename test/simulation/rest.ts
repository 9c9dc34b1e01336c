import type { Manifest } from '../../src/release/manifest.ts';
import { planRollout } from '../../src/rollout/plan-rollout.ts';
import type { Stage } from '../../src/rollout/step.ts';
import { desiredFor } from './check-model.ts';
import { architecture, type SimulatedWorld } from './simulated-world.ts';

/** The release that is to be served: that of the youngest rollout that came live. */
export async function liveManifest(world: SimulatedWorld): Promise<Manifest | undefined> {
  const live = (await world.rollouts()).find(({ outcome }) => outcome === 'live');
  return live && world.manifests.get(live.release);
}

async function planned({ engine }: SimulatedWorld, manifest: Manifest): Promise<Stage> {
  const observed = await engine.observe(architecture);
  if (!observed.ok) throw new Error(observed.problem.what);
  return planRollout(desiredFor(manifest), observed.value, { token: 0, heldBack: new Set(), hurry: true });
}

/** Whether no rollout is under way, the live release has nothing left to do, and its controller is the only one. */
export async function isAtRest(world: SimulatedWorld): Promise<boolean> {
  const [latest] = await world.rollouts();
  if (!latest?.outcome) return false;
  if ([...world.state.controllers.values()].some(({ state }) => state !== 'running')) return false;
  const live = await liveManifest(world);
  if (!live) return true;
  if (world.state.controllers.size !== 1 || world.state.requests.size > 0) return false;
  return (await planned(world, live)).name === 'settled';
}

/** Lets time pass until all is at rest, and stays so: a controller that has just started may still have something to say. */
export async function comesToRest(world: SimulatedWorld, condition = () => isAtRest(world)): Promise<boolean> {
  const patience = { limitMs: 10 * 60_000, everyMs: 1000 };
  await world.time.until(condition, patience);
  await world.time.pass(2000);
  return world.time.until(condition, patience);
}

/** What is still to be done, for a reader. */
export async function unrest(world: SimulatedWorld): Promise<string> {
  const live = await liveManifest(world);
  const stage = live && (await planned(world, live));
  const [latest] = await world.rollouts();
  return `${JSON.stringify(latest)} ${JSON.stringify(stage)} ${world.engine.world.inventory().join(' | ')}`;
}
