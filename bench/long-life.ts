import { setTimeout as pause } from 'node:timers/promises';
import { call, containersOf } from './engine-calls.ts';
import { range } from './entropy-world.ts';
import type { Summary } from './measure.ts';
import { settledMemory } from './memory.ts';
import type { World } from './world.ts';

/** Turns that do not count. */
const WARM_UP = 3;
const RESTORED_MS = 120_000;

/** One controller that restores what is killed and lets instances come and go. What it holds after a warm-up, and in the end. */
export async function liveLong(
  world: World,
  turns: number,
): Promise<{ before: Summary; after: Summary; restored: number; scaled: number }> {
  for (let turn = 0; turn < WARM_UP; turn += 1) await oneTurn(world);
  const before = await settledMemory(world);
  let restored = 0;
  for (let turn = 0; turn < turns; turn += 1) restored += await oneTurn(world);
  return { before, after: await settledMemory(world), restored, scaled: 2 * turns };
}

async function oneTurn(world: World): Promise<number> {
  await world.changeless('scale', 'web.web', String(range.max));
  const killed = await killAll(world.name, () => true);
  await restored(world.name, killed);
  await world.changeless('scale', 'web.web', String(range.min));
  console.error(`    ${killed.length} killed and restored, ${range.min} -> ${range.max} -> ${range.min} instances`);
  return killed.length;
}

type Victim = { id: string; name: string; role: string };

async function instancesOf(architecture: string): Promise<Victim[]> {
  const running = (await containersOf(architecture)).filter(({ State }) => State === 'running');
  return running
    .map(({ Id, Names: [name = ''], Labels }) => ({ id: Id, name, role: Labels['dev.changeless.role'] ?? '' }))
    .filter(({ role }) => ['service', 'path', 'server'].includes(role))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Kills those that are chosen at once. */
export async function killAll(architecture: string, isChosen: (victim: Victim) => boolean): Promise<Victim[]> {
  const chosen = (await instancesOf(architecture)).filter(isChosen);
  await Promise.all(chosen.map(({ id }) => call('POST', `/containers/${id}/kill`, { expected: [404, 409] })));
  return chosen;
}

/** Until as many run as were killed, and none of them is one of those. */
async function restored(architecture: string, killed: readonly Victim[]): Promise<void> {
  const deadline = performance.now() + RESTORED_MS;
  for (;;) {
    const now = await instancesOf(architecture);
    if (now.length === killed.length && killed.every(({ id }) => now.every((each) => each.id !== id))) return;
    if (performance.now() > deadline) throw new Error(`what was killed of ${architecture} was not restored`);
    await pause(100);
  }
}
