import { execFile } from 'node:child_process';
import http from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import { promisify } from 'node:util';
import { everyImage } from '../src/build/image-names.ts';
import { run } from '../src/cli/run.ts';
import { openDockerEngine } from '../src/engine/docker/docker-engine.ts';
import { compare, inTurns, type Row, summarise, timeOf } from './measure.ts';
import { commandWorld, makeScaleWorld } from './scale-world.ts';
import type { Ground, World } from './world.ts';

const exec = promisify(execFile);
const SIZES = [10, 100, 1000];
const ROUNDS = 15;

/**
 * (a) The command `plan` inside this process, everything built and live, evaluation cached, against what it cannot do
 * without: the commit's tree listed by git, and one listing of the engine's images.
 */
export async function plan(ground: Ground): Promise<{ rows: Row[] }> {
  const rows: Row[] = [];
  for (const size of SIZES) rows.push(...(await planOf(ground, size)));
  return { rows };
}

async function planOf(ground: Ground, size: number): Promise<Row[]> {
  const world = await makeScaleWorld(ground, { components: size, port: 18082 });
  await world.settled();
  const calls = countChanges();
  const pairs = await inTurns(
    { rounds: ROUNDS, warmUps: 3 },
    { measured: () => timeOf(() => planOnce(ground, world)), floor: () => timeOf(() => floorOnce(world)) },
  );
  const changes = calls.stop();
  await world.changeless('down');
  const what = `nothing to do, ${size} components; floor: git ls-tree -r, then one listing of images`;
  return [
    compare({ bench: 'plan', what }, pairs, size === 1000 ? 1.5 : undefined),
    {
      bench: 'plan',
      what: `calls that change the engine, ${size} components`,
      unit: 'count',
      measured: summarise([changes]),
      bar: { says: '0', hit: changes === 0 },
    },
  ];
}

async function planOnce(ground: Ground, world: World): Promise<void> {
  const within = commandWorld(ground, world);
  const code = await run(['plan', '-C', world.folder, '--json'], within);
  const told = JSON.parse(within.said()) as { build: { reused: boolean }[]; replace: unknown[]; remove: unknown[] };
  const nothing = told.build.every(({ reused }) => reused) && told.replace.length === 0 && told.remove.length === 0;
  if (code !== 0 || !nothing) throw new Error(`there was something to do: ${within.said().slice(0, 2_000)}`);
}

async function floorOnce(world: World): Promise<void> {
  await exec('git', ['-C', world.folder, 'ls-tree', '-r', 'HEAD'], { maxBuffer: 2 ** 28 });
  await openDockerEngine().images.list({ reference: everyImage });
}

/** Counts this process's calls over HTTP that are no questions. */
function countChanges(): { stop: () => number } {
  let changes = 0;
  const original = http.request;
  http.request = ((...words: Parameters<typeof http.request>) => {
    const [options] = words;
    const method = typeof options === 'object' && 'method' in options ? options.method : 'GET';
    if (method !== 'GET' && method !== 'HEAD') changes += 1;
    return original(...words);
  }) as typeof http.request;
  syncBuiltinESMExports();
  return {
    stop: () => {
      http.request = original;
      syncBuiltinESMExports();
      return changes;
    },
  };
}
