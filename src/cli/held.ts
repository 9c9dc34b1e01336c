import type { App } from '../architecture/model.ts';
import { short } from '../digest.ts';
import type { Engine, ObservedController } from '../engine/engine.ts';
import { resolveEnvironment } from '../release/resolve-environment.ts';
import { done, failed, type Result } from '../result.ts';
import { addressesOf } from '../release/addresses.ts';
import { addressLines } from './addresses.ts';
import { askController } from './ask-controller.ts';
import { answer, type Session } from './command.ts';
import { lastEvent } from './controller-log.ts';
import { followRollout, type RolloutEnd, type RolloutHeld } from './follow-rollout.ts';
import { manifestOf } from './live.ts';
import type { RolloutStream } from './rollout-stream.ts';
import type { World } from './world.ts';

/** A release that is held for a look, and the controller that holds it. */
export type Held = { controller: ObservedController; event: RolloutHeld };

const turns: ReadonlySet<string> = new Set(['rollout-held', 'release-live', 'rollout-ended', 'controller-standing-by']);

/** The release that is held now, if one is: a controller that was told to hold, whose last word is that it does. */
export async function heldNow(engine: Engine, architecture: string, controllers: readonly ObservedController[]): Promise<Held | undefined> {
  for (const controller of controllers.filter(({ holds, state }) => holds && state === 'running')) {
    const event = await lastEvent(engine, { architecture, name: controller.name }, turns);
    if (event?.type === 'rollout-held') return { controller, event };
  }
  return undefined;
}

/** Where each app of it can be looked at: its generation before its host names. */
export async function previewAddresses(world: World, engine: Engine, { controller, event }: Held): Promise<Record<string, string[]>> {
  const manifest = await manifestOf(world, engine, controller.image);
  const resolved = manifest && resolveEnvironment(manifest.inputs.architecture, controller.environment);
  if (!resolved?.ok) return {};
  const generations = new Map<string, string>(event.apps.map(({ name, generation }) => [name, generation]));
  const apps = Object.entries(resolved.value.apps).flatMap(([name, app]) => {
    const generation = generations.get(name);
    // What passes its stages comes back to the generation that serves, so that one cannot be looked at beside it.
    return generation === undefined || app.stages
      ? []
      : [[name, { ...plainly(app), hosts: app.hosts.map((host) => `${generation.slice(0, 12)}.${host}`) }] as const];
  });
  return addressesOf({ ...resolved.value, apps: Object.fromEntries(apps) });
}

/** No certificate is for where it is looked at. */
const plainly = ({ tls: _, ...app }: App): App => app;

/** Says where a release that is held can be looked at, and what can be done with it. Undefined: it was decided meanwhile. */
export async function tellHeld({ session, engine, stream }: Telling, held: Held | undefined): Promise<Result<number>> {
  stream.end();
  if (session.input.json || !held) return done(0);
  const lines = addressLines(await previewAddresses(session.world, engine, held));
  const next = ['Next:', '  changeless up      lets it live', '  changeless drop    takes it away'];
  const { release } = held.controller;
  answer(session, [`held  release ${short(release)} is ready; look at it before it is let live`, ...lines, '', ...next].join('\n'));
  return done(0);
}

export type Telling = { session: Session; engine: Engine; stream: RolloutStream };

/** Asks the controller that holds a release to let it live, or to drop it, and follows what comes of it to the end. */
export async function decideHeld(deciding: Deciding, decision: 'let-live' | 'drop'): Promise<Result<RolloutEnd>> {
  const { session, engine, architecture, held, stream } = deciding;
  const { controller, event } = held;
  const { name, release, commit } = controller;
  const asked = await askController({ session, engine, architecture, controller }, { ask: decision, release });
  if (!asked.ok) return asked;
  const { signal } = session.world;
  const ended = await followRollout({
    engine,
    architecture,
    controller: name,
    release,
    commit,
    signal,
    onEvent: stream.report,
    since: event.at,
  });
  if (!ended.ok) return ended;
  return ended.value.type === 'rollout-ended' ? done(ended.value) : failed({ code: 'INTERNAL', what: 'a release was held twice' });
}

export type Deciding = Telling & { architecture: string; held: Held };
