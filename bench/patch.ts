import http from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { containersOf } from './engine-calls.ts';
import { type Bar, roundsOr, type Row, summarise } from './measure.ts';
import { type Ground, makeWorld, type World } from './world.ts';

const PORT = 18100;
const ROUNDS = roundsOr(6);
const HOST = 'catalog.localhost';
const BAR_MS = 5_000;

/** (j) An emergency: a virtual patch is written and committed; from then until every fresh request that it is against is refused. */
export async function patch(ground: Ground): Promise<{ rows: Row[] }> {
  const world = await makeWorld(ground, { label: 'patch', port: PORT });
  world.edit('architecture.ts', 'import { app, architecture,', 'import { app, architecture, deny,');
  world.edit('architecture.ts', 'policy({ headers:', 'policy({ patches: {}, headers:');
  await world.commit();
  await world.changeless('up');
  await world.settled();
  const took: number[] = [];
  let others = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = await runningBut(world.name);
    took.push(await inForce(world, round));
    await world.settled();
    const after = new Set(await runningBut(world.name));
    others += before.filter((id) => !after.has(id)).length;
  }
  const measured = summarise(took);
  const bar: Bar = { says: '≤ 5 s, 0 other containers replaced', hit: measured.median <= BAR_MS && others === 0 };
  const what = 'a virtual patch: commit → every fresh request it is against is refused';
  return {
    rows: [{ bench: 'patch', what, unit: 'ms', measured, bar, note: `${others} containers replaced but for that app's data path` }],
  };
}

/** Commits another patch and rolls it out; how long it took until it refused. */
async function inForce(world: World, round: number): Promise<number> {
  const word = `evil${round}`;
  if ((await statusOf(word)) === 403) throw new Error('refused before it was patched');
  const began = performance.now();
  world.edit('architecture.ts', 'patches: {', `patches: { 'CVE-${round}': deny({ query: { q: { contains: '${word}' } } }),`);
  await world.commit();
  const up = world.changeless('up');
  while ((await statusOf(word)) !== 403) await pause(5);
  const took = performance.now() - began;
  await up;
  return took;
}

/** Containers that run and are neither the patched app's data path nor the controller nor places, which are made when there is time. */
async function runningBut(architecture: string): Promise<string[]> {
  const all = await containersOf(architecture);
  const isPatched = (of: Record<string, string>): boolean => of['dev.changeless.app'] === 'catalog' && of['dev.changeless.role'] === 'path';
  const counts = ({ Labels, State }: (typeof all)[number]): boolean =>
    State === 'running' && !isPatched(Labels) && !['controller', 'sandbox'].includes(Labels['dev.changeless.role'] ?? '');
  return all.filter(counts).map(({ Id }) => Id);
}

function statusOf(word: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = http.get({ host: '127.0.0.1', port: PORT, path: `/?q=${word}`, headers: { host: HOST }, agent: false }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode));
    });
    asked.on('error', reject);
  });
}
