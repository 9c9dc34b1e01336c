import { setTimeout as pause } from 'node:timers/promises';
import { boundOf } from './arm.ts';
import { containersOf, inspect } from './engine-calls.ts';
import { compare, type Row, roundsOr, summarise } from './measure.ts';
import { askOnce } from './probe.ts';
import { asked, failuresOf, gapOf, latencies, percentile, type Span, startTraffic, type Traffic } from './traffic.ts';
import { type Ground, makeWorld, type World } from './world.ts';

const PORT = 18096;
const ROUNDS = roundsOr(3);
const HOST = 'catalog.localhost';
/** The time before a kill that it is compared with, and the time after it in which it is felt. */
const QUIET_MS = 2_000;
const FELT_MS = 2_000;
const POLL_MS = 20;
const RESTORED_MS = 60_000;

/** What is killed, by the name of its container without the architecture's, and the requests that are under way. */
type Victim = { name: string; which: RegExp; method: 'GET' | 'POST' };

const replica: Victim = { name: 'one of two replicas', which: /^catalog\.api-[12]\.(blue|green)$/, method: 'GET' };

/** What one machine has only once; a replica's POSTs, which nobody may send again, stand beside it. */
const single: readonly Victim[] = [
  { ...replica, method: 'POST' },
  { name: "the core's proxy", which: /^core\.path\.[0-9a-f]+\./, method: 'POST' },
  { name: "an app's data path", which: /^catalog\.path\.[0-9a-f]+\./, method: 'POST' },
  { name: 'the sandbox of a replica', which: /^catalog\.api-[12]\.blue\.slot$/, method: 'POST' },
  { name: "the sandbox of an app's data path", which: /^catalog\.path\.slot$/, method: 'POST' },
  { name: 'the sandbox of the core', which: /^core\.path\.slot$/, method: 'POST' },
  { name: 'the controller', which: /^controller\./, method: 'POST' },
];

/** One kill under load. `restoredMs`: until its successor runs; `gapMs`: until requests are answered again. */
type Killed = { traffic: Traffic; quiet: Span; felt: Span; gapMs: number; restoredMs: number };

/** (g) kill -9 under load: one of two replicas, which is to be masked, and what cannot be, whose gap is printed. */
export async function kills(ground: Ground): Promise<{ rows: Row[]; timelines?: object }> {
  if (process.getuid?.() !== 0) return { rows: [skipped()] };
  const world = await makeWorld(ground, { label: 'kills', port: PORT });
  await world.changeless('up');
  const masked = await killed(world, replica);
  const rows = replicaRows(masked);
  const failures = [[replica.name, replica.method, failuresByRound(masked)]];
  for (const victim of single) {
    const rounds = await killed(world, victim);
    rows.push(gapRow(victim, rounds));
    failures.push([victim.name, victim.method, failuresByRound(rounds)]);
  }
  return { rows, timelines: failures };
}

async function killed(world: World, victim: Victim): Promise<Killed[]> {
  const rounds: Killed[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    await world.settled();
    rounds.push(await killOnce(world, victim, round));
  }
  const gaps = rounds.map(({ gapMs }) => Math.round(gapMs)).join(', ');
  console.error(`    kill -9 of ${victim.name}, ${victim.method}: gaps ${gaps} ms`);
  return rounds;
}

async function killOnce(world: World, victim: Victim, round: number): Promise<Killed> {
  const found = await pidsOf(world, victim);
  const pid = found.at(round % found.length);
  if (pid === undefined) throw new Error(`${world.name} has no running ${victim.which}`);
  const load = startTraffic({ address: '127.0.0.1', port: world.port, host: HOST }, victim.method);
  await pause(1_000);
  const quietFrom = performance.now();
  await pause(QUIET_MS);
  const killedAt = performance.now();
  // Not by the engine: what it ends itself it does not restart, and its own record would say that it was asked to.
  process.kill(pid, 'SIGKILL');
  await restored(world, victim, { pid, count: found.length });
  const restoredMs = performance.now() - killedAt;
  await answersAgain(world);
  const answeredMs = performance.now() - killedAt;
  await pause(Math.max(1_000, FELT_MS - (performance.now() - killedAt)));
  const traffic = await load.stop();
  return {
    traffic,
    quiet: [quietFrom, killedAt],
    felt: [killedAt, killedAt + FELT_MS],
    // Clients that all wait for an answer that never comes send nothing that could be answered again.
    gapMs: Math.min(gapOf(traffic, killedAt), answeredMs),
    restoredMs,
  };
}

async function restored(world: World, victim: Victim, { pid, count }: { pid: number; count: number }): Promise<void> {
  const deadline = performance.now() + RESTORED_MS;
  for (;;) {
    const pids = await pidsOf(world, victim);
    if (!pids.includes(pid) && pids.length === count) return;
    if (performance.now() > deadline) throw new Error(`${victim.name} was not restored within a minute`);
    await pause(POLL_MS);
  }
}

/** What leads to the victim may still have to find its successor. */
async function answersAgain({ name, port }: World): Promise<void> {
  const deadline = performance.now() + RESTORED_MS;
  while ((await askOnce({ port, host: HOST, pattern: /"generation":"([^"]+)"/ })).said === undefined) {
    if (performance.now() > deadline) throw new Error(`${name} did not answer again within a minute`);
    await pause(POLL_MS);
  }
}

/** The first processes of the victim's running containers, by name. */
async function pidsOf(world: World, { which }: Victim): Promise<number[]> {
  const all = await containersOf(world.name);
  const named = all
    .map(({ Id, Names: [name = ''] }) => ({ Id, name: name.slice(`/${world.name}.`.length) }))
    .filter(({ name }) => which.test(name))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const found = await Promise.all(named.map(({ Id }) => inspect(Id).catch(() => undefined)));
  return found.flatMap((container) => (container?.State.Running ? [container.State.Pid] : []));
}

function replicaRows(rounds: readonly Killed[]): Row[] {
  const { failed, requests } = failedOf(rounds);
  const bench = 'kills';
  const pairs = rounds.map(({ traffic, quiet, felt }) => ({
    measured: percentile(latencies(traffic, [felt]), 0.99),
    floor: percentile(latencies(traffic, [quiet]), 0.99),
  }));
  const p99 = compare({ bench, what: 'p99 of GET in the 2 s after one of two replicas is killed; floor: the 2 s before' }, pairs);
  const what = `GET that failed, one of two replicas killed ${rounds.length} times`;
  return [
    { bench, what, unit: 'count', measured: summarise([failed]), bar: { says: '0', hit: failed === 0 }, note: boundOf(failed, requests) },
    { ...p99, bar: { says: '≤ 15 ms', hit: p99.measured.median <= 15 }, note: `longest request ${longestOf(rounds)}` },
  ];
}

function gapRow({ name, method }: Victim, rounds: readonly Killed[]): Row {
  const { failed, requests } = failedOf(rounds);
  const restoredAfter = summarise(rounds.map(({ restoredMs }) => restoredMs));
  const said = [
    `${failed} of ${requests} requests failed in ${rounds.length} kills`,
    `longest request ${longestOf(rounds)}`,
    `its successor ran after ${Math.round(restoredAfter.median)} ms (${Math.round(restoredAfter.min)}–${Math.round(restoredAfter.max)})`,
  ];
  return {
    bench: 'kills',
    what: `gap after kill -9 of ${name}, ${method}`,
    unit: 'ms',
    measured: summarise(rounds.map(({ gapMs }) => gapMs)),
    note: said.join('; '),
  };
}

/** How often each kind of failure was seen in each round. */
function failuresByRound(rounds: readonly Killed[]): object[] {
  return rounds.map(({ traffic }) => {
    const kinds = failuresOf(traffic).map(({ failure = '' }) => failure.replace(/request \d+/, 'a request'));
    return Object.fromEntries([...new Set(kinds)].map((kind) => [kind, kinds.filter((other) => other === kind).length]));
  });
}

function failedOf(rounds: readonly Killed[]): { failed: number; requests: number } {
  const failed = rounds.reduce((sum, { traffic }) => sum + failuresOf(traffic).length, 0);
  return { failed, requests: rounds.reduce((sum, { traffic }) => sum + asked(traffic), 0) };
}

function longestOf(rounds: readonly Killed[]): string {
  const longest = summarise(rounds.map(({ traffic }) => latencies(traffic, [[traffic.startedAt, traffic.endedAt]]).at(-1) ?? 0));
  return `${Math.round(longest.median)} ms (${Math.round(longest.min)}–${Math.round(longest.max)})`;
}

const skipped = (): Row => ({
  bench: 'kills',
  what: 'skipped',
  unit: 'count',
  measured: summarise([0]),
  note: 'a process of a container can be killed by root on the host of the engine only',
});
