import { readManifest } from '../build/sealed-release.ts';
import type { ImageId } from '../digest.ts';
import type { Engine, Observation, ObservedController } from '../engine/engine.ts';
import type { Manifest } from '../release/manifest.ts';
import { done, type Result } from '../result.ts';
import { type ChosenRelease, chooseLive, type Claimant } from './live-state.ts';
import { lastEvent } from './controller-log.ts';
import type { World } from './world.ts';

export type Live = ChosenRelease & { observation: Observation; rollout: boolean };

/** What is live on the engine: one listing, the manifests (kept on disk by image), a controller's log where that is not plain. */
export async function findLive(world: World, engine: Engine, architecture: string): Promise<Result<Live>> {
  const observed = await engine.observe(architecture);
  if (!observed.ok) return observed;
  const observation = observed.value;
  const claimants = await Promise.all(observation.controllers.map((controller) => claimantOf(world, engine, controller)));
  const chosen = chooseLive(observation, claimants);
  return done({ ...chosen, observation, rollout: await rolloutUnderWay(engine, architecture, chosen) });
}

/** The manifest baked into a release image; undefined when the engine does not have the image or it holds none. */
export const manifestOf = (world: World, engine: Engine, image: ImageId): Promise<Manifest | undefined> =>
  readManifest(engine.images, image, world.cacheFolder);

async function claimantOf(world: World, engine: Engine, controller: ObservedController): Promise<Claimant> {
  const manifest = await manifestOf(world, engine, controller.image);
  return manifest === undefined ? { controller } : { controller, manifest };
}

const turns: ReadonlySet<string> = new Set(['rollout-started', 'rollout-ended', 'controller-in-charge']);

/** Only a controller whose last word is not the end of its rollout is still at it. */
async function rolloutUnderWay(engine: Engine, architecture: string, chosen: ChosenRelease): Promise<boolean> {
  const busy = chosen.newer ?? (chosen.whole ? undefined : chosen.live);
  if (busy === undefined || busy.controller.state === 'exited') return false;
  const last = await lastEvent(engine, { architecture, name: busy.controller.name }, turns);
  return last === undefined || last.type === 'rollout-started';
}
