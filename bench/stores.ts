import { cpSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { boundOf } from './arm.ts';
import { type BareServer, makeBareServer } from './bare-swap.ts';
import { addressOf, containersOf } from './engine-calls.ts';
import { compare, inTurns, type Row, roundsOr, summarise } from './measure.ts';
import { postgres, redis, type StoreKind } from './store-protocols.ts';
import { gapOf, startWriters, type Where, type Writes } from './store-writers.ts';
import { type Ground, makeWorld, type Ran, type World } from './world.ts';

/** Each kind has one of its own, for both architectures are there until the end. */
const PORTS: Readonly<Record<string, number>> = { redis: 18101, postgres: 18102 };
const ROUNDS = roundsOr(3);
const BYTES = Number(process.env['BENCH_STORE_BYTES'] ?? 1e9);
/** The load before a swap and after it. */
const AROUND_MS = 1_000;
/** Where the examples' servers keep their data. */
const DATA = '/data';
const LIMIT_MS = 300_000;
const examples = path.resolve(import.meta.dirname, '../examples');

/** (h) the server of a store with 1 GB of data replaced under writes, beside a stop, a copy and a start of the same. */
export async function stores(ground: Ground): Promise<{ rows: Row[]; timelines: object }> {
  const [ofRedis, ofPostgres] = [await measured(ground, redis), await measured(ground, postgres)];
  return { rows: [...ofRedis.rows, ...ofPostgres.rows], timelines: { redis: ofRedis.timelines, postgres: ofPostgres.timelines } };
}

/** What a rollout said from when it let the store's clients wait until it let them on, and when. */
type Timeline = { ms: number; type: string; instance?: unknown }[];

type Swapped = { writes: Writes; gapMs: number };

async function measured(ground: Ground, kind: StoreKind): Promise<{ rows: Row[]; timelines: Timeline[] }> {
  const world = await makeWorld(ground, { label: kind.name, port: PORTS[kind.name] ?? 18103, fill: (made) => fillWorld(made, kind) });
  await world.changeless('up');
  const where = await pathOf(world, kind);
  await kind.fill(where, BYTES);
  const bare = await makeBareServer(ground, world, { ...kind, data: DATA });
  await answers(bare, kind);
  await kind.fill(bare.where(), BYTES);
  const ours: Swapped[] = [];
  const theirs: Swapped[] = [];
  const timelines: Timeline[] = [];
  const replace = replacing(world, kind, timelines);
  const pairs = await inTurns(
    { rounds: ROUNDS },
    {
      measured: () => gap(ours, kind, { where: () => where, swap: replace }),
      floor: () => gap(theirs, kind, bare),
    },
  );
  const lost = await lostOf(where, kind, ours);
  const row = compare(
    { bench: 'stores', what: `${kind.name}, ${BYTES / 1e9} GB: longest wait for a write; floor: stop, copy, start` },
    pairs,
    1.3,
  );
  return { rows: [{ ...row, note: noteOf(ours, theirs) }, ...countRows(kind, ours, lost)], timelines };
}

function fillWorld({ name, folder, port }: Pick<World, 'name' | 'folder' | 'port'>, kind: StoreKind): void {
  cpSync(path.join(examples, kind.from), path.join(folder, kind.name), { recursive: true });
  const format = `build: '${kind.name}', port: ${kind.port}, data: '${DATA}', stopMs: 60_000, limits: { memory: '6g' }, health: ${kind.health}`;
  const text = `import { architecture, store } from 'changeless';

export default architecture({
  name: '${name}',
  core: { publish: [{ address: '127.0.0.1', port: ${port} }] },
  stores: { ${kind.name}: store({ ${format} }) },
});
`;
  writeFileSync(path.join(folder, 'architecture.ts'), text);
}

/** Where clients reach the store: the place of its path, which stays whatever is replaced. */
async function pathOf(world: World, { name, port }: StoreKind): Promise<Where> {
  const slot = (await containersOf(world.name)).find(({ Names }) => Names.includes(`/${world.name}.${name}.path.slot`));
  return { address: await addressOf(slot?.Id ?? ''), port };
}

/** Resolves when a write is acknowledged. */
async function answers({ where }: BareServer, { protocol, name }: StoreKind): Promise<void> {
  const load = startWriters(where, { ...protocol, write: () => protocol.nothing });
  await untilMore(load.writes, 1, name);
  await load.stop();
}

async function untilMore({ acknowledgedAt, errors }: Writes, more: number, name: string): Promise<void> {
  const [before, deadline] = [acknowledgedAt.length, performance.now() + LIMIT_MS];
  while (acknowledgedAt.length < before + more) {
    if (performance.now() > deadline) throw new Error(`${name} does not answer; the last error: ${errors.at(-1) ?? 'none'}`);
    await pause(10);
  }
}

/** Its settings go to and fro; each commit is built and made live. */
function replacing(world: World, { name, file, change: [from, to] }: StoreKind, timelines: Timeline[]): () => Promise<void> {
  let isChanged = false;
  return async () => {
    world.edit(`${name}/${file}`, isChanged ? to : from, isChanged ? from : to);
    isChanged = !isChanged;
    await world.commit();
    const { events } = await world.changeless('up');
    timelines.push(timelineOf(events));
  };
}

function timelineOf(events: Ran['events']): Timeline {
  const [held, swapped] = ['store-holding', 'store-swapped'].map((type) => events.findIndex((event) => event.type === type));
  const began = Date.parse(events[held ?? 0]?.at ?? '');
  return events
    .slice(held, (swapped ?? 0) + 1)
    .map(({ at, type, instance }) => ({ ms: Date.parse(at) - began, type, ...(instance !== undefined && { instance }) }));
}

async function gap(swaps: Swapped[], { protocol, name }: StoreKind, { where, swap }: BareServer): Promise<number> {
  const load = startWriters(where, protocol);
  await pause(AROUND_MS);
  const from = performance.now();
  await swap();
  await untilMore(load.writes, 100, name);
  await pause(AROUND_MS);
  const writes = await load.stop();
  const gapMs = gapOf(writes, from);
  swaps.push({ writes, gapMs });
  console.error(
    `    ${name}: ${Math.round(gapMs)} ms, ${writes.acknowledged.size} writes, ${writes.refused} refused, ${writes.errors.length} errors`,
  );
  return gapMs;
}

/** Every write that was acknowledged in any round is looked for in the end. */
async function lostOf(where: Where, kind: StoreKind, swaps: readonly Swapped[]): Promise<number> {
  const there = await kind.has(where);
  return swaps.flatMap(({ writes }) => [...writes.acknowledged]).filter((id) => !there.has(id)).length;
}

function countRows({ name }: StoreKind, swaps: readonly Swapped[], lost: number): Row[] {
  const all = swaps.map(({ writes }) => writes);
  const acknowledged = all.reduce((sum, writes) => sum + writes.acknowledged.size, 0);
  const refused = all.flatMap((writes) => [...Array.from({ length: writes.refused }, () => 'refused'), ...writes.errors]);
  const count = (what: string, value: number, note?: string): Row => ({
    bench: 'stores',
    what: `${name}: ${what}, ${swaps.length} replacements`,
    unit: 'count',
    measured: summarise([value]),
    bar: { says: '0', hit: value === 0 },
    ...(note !== undefined && { note }),
  });
  return [
    count(`lost of ${acknowledged} acknowledged writes`, lost, boundOf(lost, acknowledged)),
    count('connections refused, reset, or answered by a server that is not ready', refused.length, refused[0]),
  ];
}

function noteOf(ours: readonly Swapped[], theirs: readonly Swapped[]): string {
  const longest = Math.round(Math.max(...ours.flatMap(({ writes }) => writes.waits)));
  const refused = theirs.reduce((sum, { writes }) => sum + writes.refused + writes.errors.length, 0);
  return `a new connection waited ${longest} ms at most; by hand ${refused} connections were refused or answered that it is not ready`;
}
