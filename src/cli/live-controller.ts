import type { Engine, ObservedController } from '../engine/engine.ts';
import type { Session } from './command.ts';

export type Question = { session: Session; engine: Engine; architecture: string; controllers: readonly ObservedController[] };

/** The live release's controller. With only one there is nothing to ask; else the manifests decide. */
export async function liveController({ session, engine, architecture, controllers }: Question): Promise<ObservedController | undefined> {
  if (controllers.length <= 1) return controllers[0];
  const { findLive } = await import('./live.ts');
  const live = await findLive(session.world, engine, architecture);
  return live.ok ? live.value.live?.controller : undefined;
}
