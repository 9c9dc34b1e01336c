import type { Engine, ObservedController } from '../engine/engine.ts';
import type { Session } from './command.ts';
import { lastEvent } from './controller-log.ts';

export type Question = { session: Session; engine: Engine; architecture: string; controllers: readonly ObservedController[] };

/**
 * The live release's controller. With only one there is nothing to ask, and one that says that its release bakes is in charge;
 * else the manifests decide.
 */
export async function liveController({ session, engine, architecture, controllers }: Question): Promise<ObservedController | undefined> {
  const [youngest] = controllers.toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
  if (controllers.length <= 1 || !youngest) return youngest;
  if (youngest.state === 'running' && (await bakes(engine, architecture, youngest))) return youngest;
  const { findLive } = await import('./live.ts');
  const live = await findLive(session.world, engine, architecture);
  return live.ok ? live.value.live?.controller : undefined;
}

const turns: ReadonlySet<string> = new Set(['rollout-started', 'bake-started', 'going-back', 'rollout-ended', 'controller-standing-by']);

async function bakes(engine: Engine, architecture: string, { name }: ObservedController): Promise<boolean> {
  return (await lastEvent(engine, { architecture, name }, turns))?.type === 'bake-started';
}
