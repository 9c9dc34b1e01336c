import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { startLoad, type Load } from '../test/engine/keep-alive-load.ts';
import { call, inspect } from './engine-calls.ts';
import { failedRow } from './load.ts';
import { compare, inTurns, type Row, summarise, roundsOr } from './measure.ts';
import { askOnce, type Probed, startProbe, switchedAt } from './probe.ts';
import { type Ground, makeWorld, type World } from './world.ts';

const exec = promisify(execFile);
/** Version 1, of Debian. */
export const COMPOSE = '/usr/bin/docker-compose';
const ROUNDS = roundsOr(4);
const PORTS = { changeless: 18087, compose: 18088 };
const HOST = 'catalog.localhost';
const CLIENTS = 10;
/** About 250 requests a second: a load that fills both cores would measure who gets less of it. */
const PAUSE_MS = 80;
const REVISION = /"revision":"([^"]+)"/;

/** (c) One line of source changed → live: `changeless up` against `docker-compose up --build -d` of the same service, both under load. */
export async function compose(ground: Ground): Promise<{ rows: Row[] }> {
  if (!existsSync(COMPOSE)) return { rows: [skipped()] };
  const ours = await startChangeless(ground);
  const theirs = await startCompose(ground);
  const loads = { ours: loadOf(PORTS.changeless), theirs: loadOf(PORTS.compose) };
  const pairs = await inTurns({ rounds: ROUNDS }, { measured: ours, floor: theirs });
  await Promise.all([loads.ours.stop(), loads.theirs.stop()]);
  const row = compare({ bench: 'compose', what: 'one line changed → live; beside it: docker-compose up --build -d' }, pairs);
  const faster = row.ratio !== undefined && row.ratio.median < 1;
  return {
    rows: [
      {
        ...row,
        bar: { says: '< 1 ×', hit: faster },
        note: 'Changeless also runs the tests of the component; docker-compose has none to run',
      },
      failedRow({ bench: 'compose', what: 'requests that failed under changeless up, keep-alive' }, loads.ours),
      withoutBar(failedRow({ bench: 'compose', what: 'the same under docker-compose' }, loads.theirs)),
    ],
  };
}

const loadOf = (port: number): Load => startLoad({ address: '127.0.0.1', port, host: HOST }, CLIENTS, PAUSE_MS);

const withoutBar = ({ bar: _, ...row }: Row): Row => row;

const skipped = (): Row => ({
  bench: 'compose',
  what: 'skipped',
  unit: 'count',
  measured: summarise([0]),
  note: `${COMPOSE} is not there: apt-get install docker-compose`,
});

let revision = 0;

/** The line that is changed: the answer says which revision it is of. */
function changeLine(file: string): void {
  revision += 1;
  const before = readFileSync(file, 'utf8');
  writeFileSync(file, before.replace(/revision: 'r\d+'/, `revision: 'r${revision}'`));
}

const SERVER = 'catalog/api/server.mjs';

function prepareLine(folder: string): void {
  const file = path.join(folder, SERVER);
  const before = readFileSync(file, 'utf8');
  writeFileSync(
    file,
    before.replace('body: { ...identity(request), ...shown }', "body: { revision: 'r0', ...identity(request), ...shown }"),
  );
}

/** From the command to the moment from which every fresh request is answered by the new revision. */
async function untilLive(port: number, command: () => Promise<unknown>): Promise<number> {
  const probe = startProbe({ port, host: HOST, pattern: REVISION });
  const began = performance.now();
  await command();
  await answers({ port, host: HOST, pattern: REVISION }, `r${revision}`);
  const switched = switchedAt(await probe.stop());
  if (switched === undefined) throw new Error('the change did not become live');
  return switched - began;
}

/** docker-compose ends before what it started listens. */
async function answers(probed: Probed, wanted: string): Promise<void> {
  const deadline = performance.now() + 60_000;
  while ((await askOnce(probed)).said !== wanted) {
    if (performance.now() > deadline) throw new Error(`nothing answered ${wanted} on port ${probed.port} within a minute`);
    await pause(5);
  }
}

async function startChangeless(ground: Ground): Promise<() => Promise<number>> {
  const world: World = await makeWorld(ground, { label: 'line', port: PORTS.changeless });
  prepareLine(world.folder);
  await world.commit();
  await world.changeless('up');
  return async () => {
    await world.settled();
    changeLine(path.join(world.folder, SERVER));
    await world.commit();
    return untilLive(PORTS.changeless, () => world.changeless('up'));
  };
}

const composeText = (port: number): string => `version: '3.7'
services:
  api:
    build: catalog/api
    environment: { PROVIDERS_URL: 'http://providers:8080' }
    ports: ['127.0.0.1:${port}:8080']
    depends_on: [providers]
  providers:
    build: catalog/providers
`;

type Project = { folder: string; command: (...words: string[]) => Promise<unknown> };

/** The example's catalog as a project of docker-compose, not yet up. It goes when the bench ends. */
export function composeProject(ground: Ground, { project, port }: { project: string; port: number }): Project {
  const folder = path.join(ground.folder, project);
  mkdirSync(folder);
  cpSync(path.join(ground.package, 'examples/streaming/catalog'), path.join(folder, 'catalog'), { recursive: true });
  writeFileSync(path.join(folder, 'docker-compose.yml'), composeText(port));
  const command = (...words: string[]): Promise<unknown> => exec(COMPOSE, ['--project-name', project, ...words], { cwd: folder });
  ground.onCleanUp(async () => void (await command('down', '--volumes', '--rmi', 'local')));
  return { folder, command };
}

async function startCompose(ground: Ground): Promise<() => Promise<number>> {
  const made = new Set<string>();
  // What it left behind can go only when its containers have: the project's own end comes first.
  ground.onCleanUp(async () => {
    for (const image of made) await call('DELETE', `/images/${image}?force=1`, { expected: [404, 409] });
  });
  const { folder, command } = composeProject(ground, { project: 'bench-compose', port: PORTS.compose });
  prepareLine(folder);
  await command('up', '--build', '-d');
  return async () => {
    made.add((await inspect('bench-compose_api_1')).Image);
    changeLine(path.join(folder, SERVER));
    return untilLive(PORTS.compose, () => command('up', '--build', '-d', 'api'));
  };
}
