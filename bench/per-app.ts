import { setTimeout as pause } from 'node:timers/promises';
import { containersOf } from './engine-calls.ts';
import { compare, roundsOr, summarise, type Pair, type Row } from './measure.ts';
import { startProbe, switchedAt } from './probe.ts';
import { type Ground, makeWorld, type World } from './world.ts';

const ROUNDS = roundsOr(5);
const PORT = 18091;
const PROBED = { port: PORT, host: 'accounts.localhost', pattern: /"generation":"([^"]+)"/ };

/**
 * Apps that are independent: a commit breaks the catalog, and while its rollout still waits for it the next commit corrects the
 * accounts. Command → every fresh request answered by the correction; beside it the same correction with nothing broken.
 */
export async function perApp(ground: Ground): Promise<{ rows: Row[] }> {
  const world = await makeWorld(ground, { label: 'perapp', port: PORT });
  world.edit('architecture.ts', "name: '", "rollout: 'per-app',\n  name: '");
  await world.commit();
  await world.changeless('up');
  const pairs: Pair[] = [];
  let failed = 0;
  for (let round = -1; round < ROUNDS; round += 1) {
    const floor = await correction(world);
    await world.settled();
    world.edit('architecture.ts', "PROVIDERS_URL: 'http://providers:8080'", "PROVIDERS_URL: 'http://providers:9'");
    world.edit('architecture.ts', "health: { path: '/healthz' },\n          settings", "health: { path: '/broken' },\n          settings");
    await world.commit();
    await world.changeless('up', '--detach');
    await isChecked(world);
    const measured = await correction(world);
    world.edit('architecture.ts', "PROVIDERS_URL: 'http://providers:9'", "PROVIDERS_URL: 'http://providers:8080'");
    world.edit('architecture.ts', "health: { path: '/broken' },\n          settings", "health: { path: '/healthz' },\n          settings");
    await world.commit();
    await world.changeless('up');
    await world.settled();
    if (round < 0) continue;
    pairs.push({ measured: measured.ms, floor: floor.ms });
    failed += floor.failed + measured.failed;
  }
  return {
    rows: [
      compare(
        { bench: 'per-app', what: 'another app is broken and waited for: command → the correction of this one; floor: nothing is broken' },
        pairs,
        1.2,
      ),
      {
        bench: 'per-app',
        what: 'fresh requests that failed meanwhile',
        unit: 'count',
        measured: summarise([failed]),
        bar: { says: '0', hit: failed === 0 },
      },
    ],
  };
}

let corrections = 0;

async function correction(world: World): Promise<{ ms: number; failed: number }> {
  corrections += 1;
  world.edit('accounts/api/server.mjs', /^(\/\/ Correction \d+\n)?/, `// Correction ${corrections}\n`);
  await world.commit();
  await world.changeless('build');
  const probe = startProbe(PROBED);
  const ran = world.changeless('up', '--detach');
  const before = performance.now();
  await ran;
  await pause(3000);
  const asked = await probe.stop();
  const switched = switchedAt(asked);
  if (switched === undefined) throw new Error('the correction did not become live');
  return { ms: switched - before, failed: asked.filter(({ said }) => said === undefined).length };
}

/** Until the broken catalog's waiter runs beside the path that serves. */
async function isChecked({ name }: World): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const paths = (await containersOf(name)).filter(
      ({ State, Labels }) => State === 'running' && Labels['dev.changeless.app'] === 'catalog' && Labels['dev.changeless.role'] === 'path',
    );
    if (paths.length === 2) return;
    if (performance.now() > deadline) throw new Error('the broken catalog was never checked');
    await pause(50);
  }
}
