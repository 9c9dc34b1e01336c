import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { COMPOSE, composeProject } from './compose.ts';
import { containersOf } from './engine-calls.ts';
import { compare, roundsOr, summarise, type Pair, type Row } from './measure.ts';
import { askOnce, startProbe, switchedAt, type Probed } from './probe.ts';
import { type Ground, makeWorld, type World } from './world.ts';

const exec = promisify(execFile);
const ROUNDS = roundsOr(8);
const PORTS = { changeless: 18089, compose: 18090 };
const HOST = 'catalog.localhost';
const GENERATION = /"generation":"([^"]+)"/;
const REVISION = /"revision":"([^"]+)"/;

/** `recordedMs`: from the record of the request to the moment from which all fresh requests are answered by the old one. */
type Back = { recordedMs: number; commandMs: number; failed: number };

/**
 * A rollback while the release bakes: request recorded → all fresh requests on the old generation; beside it docker-compose
 * going back to an image it has.
 */
export async function bake(ground: Ground): Promise<{ rows: Row[] }> {
  const world = await startBaking(ground);
  const theirs = existsSync(COMPOSE) ? await startCompose(ground) : undefined;
  const backs: Back[] = [];
  const pairs: { recorded: Pair[]; command: Pair[] } = { recorded: [], command: [] };
  for (let round = -1; round < ROUNDS; round += 1) {
    const floor = await theirs?.();
    const back = await goBack(world);
    if (round < 0) continue;
    backs.push(back);
    if (floor === undefined) continue;
    pairs.recorded.push({ measured: back.recordedMs, floor });
    pairs.command.push({ measured: back.commandMs, floor });
  }
  const recorded = summarise(backs.map(({ recordedMs }) => recordedMs));
  const failed = backs.reduce((sum, each) => sum + each.failed, 0);
  return {
    rows: [
      {
        bench: 'bake',
        what: 'rollback within the bake: recorded → all fresh requests on the old',
        unit: 'ms',
        measured: recorded,
        bar: { says: '≤ 300 ms', hit: recorded.median <= 300 },
      },
      compare({ bench: 'bake', what: 'the same; floor: docker-compose up with the image before' }, pairs.recorded, 0.25),
      compare({ bench: 'bake', what: 'from the command; the same floor' }, pairs.command),
      {
        bench: 'bake',
        what: 'fresh requests that failed meanwhile',
        unit: 'count',
        measured: summarise([failed]),
        bar: { says: '0', hit: failed === 0 },
      },
    ],
  };
}

async function startBaking(ground: Ground): Promise<World> {
  const world = await makeWorld(ground, { label: 'bake', port: PORTS.changeless });
  world.edit('architecture.ts', "hosts: ['catalog.localhost'],", "hosts: ['catalog.localhost'],\n      bake: { forMs: 3_600_000 },");
  await world.commit();
  await world.changeless('up');
  world.edit('catalog/api/server.mjs', '// The catalog', '// Changed: the catalog');
  await world.commit();
  return world;
}

async function goBack(world: World): Promise<Back> {
  await world.changeless('up', '--release-anyway', '--detach');
  await standsBy(world);
  const probe = startProbe({ port: PORTS.changeless, host: HOST, pattern: GENERATION });
  const ran = await world.changeless('rollback');
  const asked = await probe.stop();
  const switched = switchedAt(asked);
  const recorded = ran.events.find(({ type }) => type === 'going-back');
  if (switched === undefined || !recorded) throw new Error('the rollback was none within the bake');
  return {
    recordedMs: switched - (Date.parse(recorded.at) - performance.timeOrigin),
    commandMs: switched - ran.startedAt,
    failed: asked.filter(({ said }) => said === undefined).length,
  };
}

/** Until two controllers and two of the catalog's paths run, and nothing has changed for a second. */
async function standsBy({ name }: World): Promise<void> {
  const deadline = performance.now() + 60_000;
  let seen = '';
  for (let since = performance.now(); performance.now() - since < 1000; await pause(50)) {
    const running = (await containersOf(name)).filter(({ State }) => State === 'running');
    const count = (role: string, app?: string): number =>
      running.filter(({ Labels }) => Labels['dev.changeless.role'] === role && (!app || Labels['dev.changeless.app'] === app)).length;
    const now = running.map(({ Id }) => Id).join();
    if (now !== seen || count('controller') < 2 || count('path', 'catalog') < 2) since = performance.now();
    if (performance.now() > deadline) throw new Error(`nothing stood by in ${name} within a minute`);
    seen = now;
  }
}

/** Goes to and fro between two revisions whose images are there. */
async function startCompose(ground: Ground): Promise<() => Promise<number>> {
  const { folder, command } = composeProject(ground, { project: 'bench-back', port: PORTS.compose });
  const file = path.join(folder, 'catalog/api/server.mjs');
  const text = readFileSync(file, 'utf8').replace(
    'body: { ...identity(request), ...shown }',
    "body: { revision: 'r0', ...identity(request), ...shown }",
  );
  const tag = (revision: string): string => `bench-back:${revision}`;
  for (const revision of ['r1', 'r0']) {
    writeFileSync(file, text.replace("revision: 'r0'", `revision: '${revision}'`));
    await command('build', 'api');
    await exec('docker', ['tag', 'bench-back_api', tag(revision)]);
  }
  ground.onCleanUp(async () => void (await exec('docker', ['rmi', '--force', tag('r0'), tag('r1')])));
  await command('up', '-d');
  let revision = 'r0';
  const probed: Probed = { port: PORTS.compose, host: HOST, pattern: REVISION };
  return async () => {
    revision = revision === 'r0' ? 'r1' : 'r0';
    await exec('docker', ['tag', tag(revision), 'bench-back_api']);
    const probe = startProbe(probed);
    const began = performance.now();
    await command('up', '-d', 'api');
    const deadline = performance.now() + 60_000;
    while ((await askOnce(probed)).said !== revision) {
      if (performance.now() > deadline) throw new Error('docker-compose did not go back within a minute');
      await pause(5);
    }
    return (switchedAt(await probe.stop()) ?? Number.NaN) - began;
  };
}
