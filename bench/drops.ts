import { appendFileSync, cpSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { dropRow, failedRequests, latencyRows, runArm, type Arm, boundOf, type Subject } from './arm.ts';
import { call, imageTags } from './engine-calls.ts';
import { type Row, summarise } from './measure.ts';
import { peers } from './peers.ts';
import { table } from './table.ts';
import { asked, failuresOf } from './traffic.ts';
import { changeless, type Ground, makeWorld, type World } from './world.ts';

const PORT = 18089;
/** Of Changeless, over all its arms; the bars are for 200 and for a million requests. */
const REPLACEMENTS = Number(process.env['BENCH_REPLACEMENTS'] ?? 10);
/** How long the load runs undisturbed before each replacement: the steady state its switch is compared with. */
const QUIET_MS = { ours: 1_500, peers: 500 };
const PEER_PAUSE_MS = 500;
const PEER_REPLACEMENTS = 20;

/** What is replaced by an edit of the example, and whose requests go through it. */
type Change = { name: string; host: string; part: number; file: string; from: string; to: string };

/** Parts of all replacements. A store's path drains for 30 s, as its clients keep their connections: there are fewer of it. */
const PART = { common: 0.32, rare: 0.025 };

const CATALOG = 'catalog.localhost';
const ACCOUNTS = 'accounts.localhost';
const ARCHITECTURE = 'architecture.ts';
const CATALOG_HOSTS = `hosts: ['${CATALOG}'],`;
const STORE = "store({ build: { folder: 'sessions', tests: { target: 'test' } },";

const changes: readonly Change[] = [
  {
    name: 'an app',
    host: CATALOG,
    part: PART.common,
    file: 'catalog/api/server.mjs',
    from: '// The catalog',
    to: '// Changed: the catalog',
  },
  {
    name: "an app's path alone",
    host: CATALOG,
    part: PART.common,
    file: ARCHITECTURE,
    from: CATALOG_HOSTS,
    to: `${CATALOG_HOSTS} drain: { limitMs: 20_000 },`,
  },
  {
    name: 'the core alone',
    host: CATALOG,
    part: PART.common,
    file: ARCHITECTURE,
    from: CATALOG_HOSTS,
    to: `hosts: ['${CATALOG}', 'films.localhost'],`,
  },
  {
    name: "a store's server and path",
    host: ACCOUNTS,
    part: PART.rare,
    file: ARCHITECTURE,
    from: STORE,
    to: `${STORE} settings: { REVISION: '2' },`,
  },
];

/** Nothing in the architecture belongs to a store's path alone, so the proxy's own image stands for it. */
const EVERY_PATH = "every path alone: the core's, the apps', the store's";

/**
 * (f) Requests that are lost while things are replaced, again and again, and how much slower they are around a switch; the same
 * clients against what others do, so that the counter is seen to be able to fail.
 */
export async function drops(ground: Ground): Promise<{ rows: Row[]; timelines: object }> {
  const world = await withOtherProxies(ground, () => makeWorld(ground, { label: 'drops', port: PORT }));
  const subjects = await subjectsOf(ground, world);
  const ours: Arm[] = [];
  for (const { subject, part, begin } of subjects) {
    await begin();
    ours.push(told(await runArm(subject, { replacements: Math.max(1, Math.round(REPLACEMENTS * part)), quietMs: QUIET_MS.ours })));
  }
  await world.changeless('down');
  const others: Arm[] = [];
  const skipped: Row[] = [];
  for (const peer of peers) {
    const started = await peer.start(ground);
    if ('skipped' in started) skipped.push(skippedRow(peer.name, started.skipped));
    else others.push(told(await runPeer(started, Math.min(REPLACEMENTS, PEER_REPLACEMENTS, peer.most))));
  }
  return {
    rows: [
      totalRow(ours),
      ...ours.map((arm) => dropRow(arm, 'drops')),
      ...ours.flatMap((arm) => latencyRows(arm, 'drops')),
      ...others.map((arm) => dropRow(arm, 'drops, others')),
      ...others.flatMap((arm) => latencyRows(arm, 'drops, others').map(withoutBar)),
      ...skipped,
    ],
    timelines: Object.fromEntries([...ours, ...others].map((arm) => [arm.name, failedRequests(arm)])),
  };
}

/** A full run takes long: what an arm came to is said when it ends. */
function told(arm: Arm): Arm {
  console.error(table([dropRow(arm, 'drops'), ...latencyRows(arm, 'drops')]));
  return arm;
}

type Prepared = { subject: Subject; part: number; begin: () => Promise<unknown> };

/** Makes a release of each change; an arm goes to and fro between it and the one without, by `up <release>`. */
async function subjectsOf(ground: Ground, world: World): Promise<Prepared[]> {
  const base = await upOf(() => world.changeless('up'));
  const prepared: Prepared[] = [];
  for (const { name, host, part, file, from, to } of changes) {
    world.edit(file, from, to);
    await world.commit();
    const release = await upOf(() => world.changeless('up'));
    world.edit(file, to, from);
    prepared.push(between(world, { name, host, part, releases: [base, release] }));
  }
  await world.commit();
  const other = { ...ground, package: await packageWithOtherProxy(ground) };
  const release = await upOf(() => changeless(other, world, ['up']));
  return [...prepared, between(world, { name: EVERY_PATH, host: ACCOUNTS, part: PART.rare, releases: [base, release] })];
}

async function upOf(up: () => ReturnType<World['changeless']>): Promise<string> {
  const { events } = await up();
  const release = events.findLast(({ type }) => type === 'rollout-ended')?.['release'];
  if (typeof release !== 'string') throw new Error('up did not say which release it ended with');
  return release;
}

type Between = { name: string; host: string; part: number; releases: readonly [base: string, changed: string] };

function between(world: World, { name, host, part, releases: [base, changed] }: Between): Prepared {
  let next = changed;
  const replace = async (): Promise<number[]> => {
    const ran = await world.changeless('up', next);
    next = next === changed ? base : changed;
    const switched = ran.events.filter(({ type }) => type === 'unit-switched');
    if (switched.length === 0) throw new Error(`${name}: up switched nothing`);
    return switched.map(({ at }) => Date.parse(at) - performance.timeOrigin);
  };
  const begin = async (): Promise<void> => {
    await world.changeless('up', base);
    await world.settled();
  };
  return { subject: { name, target: { address: '127.0.0.1', port: world.port, host }, replace }, part, begin };
}

/** A copy of the package whose proxy image has one comment more. */
async function packageWithOtherProxy(ground: Ground): Promise<string> {
  const copy = path.join(ground.folder, 'package-2');
  cpSync(ground.package, copy, { recursive: true, verbatimSymlinks: true });
  appendFileSync(path.join(copy, 'images/proxy/report.lua'), '-- Another version of the same.\n');
  return copy;
}

/** Proxy images belong to no architecture: the ones that come during the bench go with it, after what was made from them. */
async function withOtherProxies<T>(ground: Ground, make: () => Promise<T>): Promise<T> {
  const there = new Set(await imageTags('changeless/system/proxy:'));
  ground.onCleanUp(async () => {
    for (const tag of await imageTags('changeless/system/proxy:'))
      if (!there.has(tag)) await call('DELETE', `/images/${tag}`, { expected: [404, 409] });
  });
  return make();
}

async function runPeer({ stop, ...subject }: Subject & { stop: () => Promise<void> }, replacements: number): Promise<Arm> {
  const replace = async (): Promise<number[]> => {
    const moments = await subject.replace();
    await pause(PEER_PAUSE_MS);
    return moments;
  };
  try {
    return await runArm({ ...subject, replace }, { replacements, quietMs: QUIET_MS.peers });
  } finally {
    await stop();
  }
}

function totalRow(arms: readonly Arm[]): Row {
  const failed = arms.reduce((sum, { traffic }) => sum + failuresOf(traffic).length, 0);
  const requests = arms.reduce((sum, { traffic }) => sum + asked(traffic), 0);
  const rounds = arms.reduce((sum, arm) => sum + arm.rounds.length, 0);
  const switches = arms.reduce((sum, arm) => sum + arm.rounds.flatMap((round) => round.switches).length, 0);
  return {
    bench: 'drops',
    what: `failed of ${requests} requests over ${rounds} replacements, all of Changeless`,
    unit: 'count',
    measured: summarise([failed]),
    bar: { says: '0', hit: failed === 0 },
    note: `${switches} units switched; ${boundOf(failed, requests)}`,
  };
}

const withoutBar = ({ bar: _, ...row }: Row): Row => row;

const skippedRow = (name: string, note: string): Row => ({
  bench: 'drops, others',
  what: `skipped: ${name}`,
  unit: 'count',
  measured: summarise([0]),
  note,
});
