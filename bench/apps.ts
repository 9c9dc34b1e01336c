import { setTimeout as pause } from 'node:timers/promises';
import { addApp, appNames, breakCode, breakPolicy, changeCode, changePolicy, FLOODED, hostOf, makeAppsWorld } from './apps-world.ts';
import { bareApps, inventoryOf } from './bare-apps.ts';
import { boundOf } from './arm.ts';
import { flood, type Flooded } from './flood.ts';
import type { Peer } from './peers.ts';
import { disturb, type Disturbed } from './rest.ts';
import { sharedProxies } from './shared-proxies.ts';
import { containersOf, inspect, removeAllButImages } from './engine-calls.ts';
import { type Bar, compare, inTurns, type Row, roundsOr, summarise, timeOf } from './measure.ts';
import { table } from './table.ts';
import { idlePathBytes } from './path-memory.ts';
import type { Ground, World } from './world.ts';

const APPS = Number(process.env['BENCH_APPS'] ?? 123);
const PORT = 18097;
const ROUNDS = roundsOr(3);
const FROM_NOTHING_ROUNDS = roundsOr(2);
const SETTLE_MS = 3_000;

/** A commit that concerns some apps; all others are the rest. `fails`: `up` is to end with 1. */
type Change = { name: string; apps: readonly string[]; edit: (world: World, round: number) => void; fails?: true };

/** (h) Many apps on one machine: all of them from nothing, what one costs that nobody asks, and what a change of some is to the rest. */
export async function apps(ground: Ground): Promise<{ rows: Row[] }> {
  const world = await makeAppsWorld(ground, { apps: APPS, more: ROUNDS, port: PORT });
  await world.changeless('build');
  const rows: Row[] = [];
  const add = (more: Row[]): void => void rows.push(...told(more));
  add(await fromNothing(world));
  await world.changeless('up');
  await world.settled();
  add([await memoryRow(world)]);
  add(await floodRows(world));
  for (const change of changesOf(appNames(APPS))) add(await disturbanceRows(world, change));
  await removeAllButImages(world.name);
  for (const peer of sharedProxies(APPS)) add(await sharedRows(ground, peer));
  return { rows };
}

/** A full run takes long: what a part came to is said when it ends. */
function told(rows: Row[]): Row[] {
  console.error(table(rows));
  return rows;
}

async function fromNothing(world: World): Promise<Row[]> {
  await world.changeless('up');
  await world.settled();
  const inventory = await inventoryOf(world.name);
  const emptied = async (): Promise<void> => {
    await removeAllButImages(world.name);
    await pause(SETTLE_MS);
  };
  const pairs = await inTurns(
    { rounds: FROM_NOTHING_ROUNDS, warmUps: 0 },
    {
      measured: async () => {
        await emptied();
        const { startedAt, events } = await world.changeless('up');
        return (events.findLast(({ type }) => type === 'release-live')?.seenAt ?? Number.NaN) - startedAt;
      },
      floor: async () => {
        await emptied();
        return timeOf(() => bareApps(inventory));
      },
    },
  );
  await emptied();
  return [compare({ bench: 'apps', what: `${APPS} apps up from nothing, images built; floor: the bare calls of the same` }, pairs, 1.1)];
}

async function memoryRow(world: World): Promise<Row> {
  const bytes = await idlePathBytes(world.name);
  const measured = summarise(bytes.map((each) => each / 1e6));
  const what = 'MB of an idle data path: proxy, sandbox, and the shims of both';
  return { bench: 'apps', what, unit: 'count', measured, bar: { says: '≤ 10 MB', hit: measured.median <= 10 } };
}

/** One app is asked all the time by clients that its limit refuses. */
async function floodRows(world: World): Promise<Row[]> {
  const hosts = appNames(APPS)
    .filter((app) => app !== FLOODED)
    .map(hostOf);
  const [all, floods]: [Disturbed[], Flooded[]] = [[], []];
  for (let round = 0; round < ROUNDS; round += 1)
    all.push(await disturb({ port: world.port, hosts }, async () => floods.push(await flood(world.port, hostOf(FLOODED)))));
  const [drops, p99] = rowsOf(`one app flooded: rest of ${APPS} apps`, all);
  const perSecond = Math.round(summarise(floods.map((each) => each.perSecond)).median);
  const refused = floods.reduce((sum, each) => sum + each.refused, 0);
  if (refused === 0) throw new Error('the flood was not refused');
  return [
    {
      ...drops,
      note: `${perSecond} requests a second, ${refused} refused by the app's limit, ${drops.note}`,
      bar: { says: '0 failed, cut', hit: drops.measured.median === 0 },
    },
    { ...p99, bar: within5Percent(p99) },
  ];
}

function changesOf(names: readonly string[]): Change[] {
  const [first = '', second = ''] = names;
  let revision = 0;
  const revise =
    (apps: readonly string[]) =>
    (world: World): void => {
      revision += 1;
      for (const app of apps) changeCode(world, app, `r${revision}`);
    };
  const code = (name: string, apps: readonly string[]): Change => ({ name, apps, edit: revise(apps) });
  return [
    { name: "one app's policy", apps: [first], edit: (world, round) => changePolicy(world, first, 20_000 + round) },
    code("one app's code", names.slice(0, 1)),
    code("two apps' code", names.slice(0, 2)),
    code("ten apps' code", names.slice(0, 10)),
    { name: 'another app, added', apps: [], edit: (world, round) => addApp(world, appNames(APPS + 1 + round).at(-1) ?? '') },
    { name: "one app's policy, broken", apps: [first], edit: (world, round) => breakPolicy(world, first, round), fails: true },
    { name: "one app's code, broken", apps: [second], edit: (world) => breakCode(world, second), fails: true },
  ];
}

async function disturbanceRows(world: World, change: Change): Promise<Row[]> {
  const all: (Disturbed & { restarted: number })[] = [];
  for (let round = 0; round < ROUNDS; round += 1) all.push(await rollOut(world, change, round));
  const restarted = all.reduce((sum, one) => sum + one.restarted, 0);
  const [drops, p99] = rowsOf(`${change.name}: rest of ${APPS} apps`, all);
  const hit = drops.measured.median + restarted === 0;
  const note = `${restarted} of their containers were restarted or replaced, ${drops.note}`;
  return [
    { ...drops, note, bar: { says: '0 failed, restarted, cut', hit } },
    { ...p99, bar: within5Percent(p99) },
  ];
}

const within5Percent = ({ ratio }: Row): Bar => ({ says: '≤ 1.05 ×', hit: (ratio?.median ?? Infinity) <= 1.05 });

/** One rollout of the change, and what the apps it does not concern see of it. */
async function rollOut(world: World, { apps: concerned, edit, fails }: Change, round: number): Promise<Disturbed & { restarted: number }> {
  edit(world, round);
  await world.commit();
  await world.changeless('build');
  await world.settled();
  const rest = appNames(APPS).filter((app) => !concerned.includes(app));
  const before = await runsOf(world.name, rest);
  const disturbed = await disturb({ port: world.port, hosts: rest.map(hostOf) }, async () => {
    const live = await world.changeless('up').then(
      () => true,
      () => false,
    );
    if (live === (fails ?? false)) throw new Error(`up of ${concerned.join()} ${live ? 'did not fail' : 'failed'}`);
  });
  const after = new Set(await runsOf(world.name, rest));
  return { ...disturbed, restarted: before.filter((run) => !after.has(run)).length };
}

/** The same of proxies that are shared: one site of all is changed. */
async function sharedRows(ground: Ground, peer: Peer): Promise<Row[]> {
  const started = await peer.start(ground);
  if ('skipped' in started) return [];
  const hosts = appNames(APPS).slice(1).map(hostOf);
  const all: Disturbed[] = [];
  for (let round = 0; round < ROUNDS; round += 1) all.push(await disturb({ port: started.target.port, hosts }, () => started.replace()));
  await started.stop();
  return rowsOf(`others: ${peer.name}, one is changed`, all).map((row) => ({ ...row, bench: 'apps, others' }));
}

function rowsOf(what: string, all: readonly Disturbed[]): [drops: Row, p99: Row] {
  const [failed, cut, requests] = (['failed', 'cut', 'requests'] as const).map((key) => all.reduce((sum, one) => sum + one[key], 0));
  const note = `${cut} WebSockets cut; ${boundOf(failed ?? 0, requests ?? 0)}`;
  const drops: Row = {
    bench: 'apps',
    what: `${what}: requests failed and WebSockets cut in ${all.length} changes, of ${requests} requests`,
    unit: 'count',
    measured: summarise([(failed ?? 0) + (cut ?? 0)]),
    note: `${failed} failed, ${note}`,
  };
  const pairs = all.map(({ busyMs, quietMs }) => ({ measured: busyMs, floor: quietMs }));
  return [drops, compare({ bench: 'apps', what: `${what}: p99 meanwhile; floor: before` }, pairs)];
}

/** Which runs of which containers the apps have: ids and moments of starting. */
async function runsOf(architecture: string, of: readonly string[]): Promise<string[]> {
  const wanted = new Set(of);
  const theirs = (await containersOf(architecture)).filter(
    ({ Labels, State }) => State === 'running' && wanted.has(Labels['dev.changeless.app'] ?? ''),
  );
  const found = await Promise.all(theirs.map(({ Id }) => inspect(Id)));
  return found.map(({ Id, State }) => `${Id} ${State.StartedAt}`);
}
