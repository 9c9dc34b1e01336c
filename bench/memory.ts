import { setTimeout as pause } from 'node:timers/promises';
import { ask, containersOf } from './engine-calls.ts';
import { summarise, type Summary } from './measure.ts';
import type { World } from './world.ts';

const LOOKS = 9;
const APART_MS = 500;

/** What the controller holds when nothing happens any more. */
export async function settledMemory(world: World): Promise<Summary> {
  await world.settled();
  return controllerMemory(world.name);
}

/**
 * What the one controller's processes hold, in megabytes: several looks. Cached pages of files are left out, for the engine counts
 * them with whichever container read them first.
 */
async function controllerMemory(architecture: string): Promise<Summary> {
  const controllers = (await containersOf(architecture)).filter(({ Labels }) => Labels['dev.changeless.role'] === 'controller');
  const [controller, ...more] = controllers;
  if (!controller || more.length > 0) throw new Error(`${architecture} has ${controllers.length} controllers`);
  const looks: number[] = [];
  for (let look = 0; look < LOOKS; look += 1) {
    looks.push(await memoryOf(controller.Id));
    await pause(APART_MS);
  }
  return summarise(looks);
}

type Stats = { memory_stats: { stats?: { anon?: number; total_rss?: number } } };

async function memoryOf(container: string): Promise<number> {
  const { memory_stats: memory } = await ask<Stats>(`/containers/${container}/stats?stream=false&one-shot=true`);
  const bytes = memory.stats?.anon ?? memory.stats?.total_rss;
  if (bytes === undefined) throw new Error(`the engine does not say what ${container} holds`);
  return bytes / 2 ** 20;
}
