import { compare, type Pair, roundsOr, type Row, summarise } from './measure.ts';
import { bareReplacement, type BareGround, makeBareGround } from './bare-replacement.ts';
import { askOnce, startProbe, switchedAt } from './probe.ts';
import { type Ground, makeWorld, type Ran, type World } from './world.ts';

const HOST = 'catalog.localhost';
const GENERATION = /"generation":"([^"]+)"/;
const ROUNDS = roundsOr(6);

/** What happened when within a command, in milliseconds from its start. */
export type Timeline = Record<string, number>;

/** `trafficMs`: from the command to the moment from which every fresh request was answered by the new one. */
type Measured = { trafficMs: number; exitMs: number; failed: number; timeline: Timeline };

/**
 * (b) one changed component, its image built: command → every fresh request answered by the new generation; and (d) the
 * rollback from it. Each beside the bare engine calls of the same, in a twin architecture whose controller is gone.
 */
export async function replace(ground: Ground): Promise<{ rows: Row[]; timelines: object }> {
  const world = await makeWorld(ground, { label: 'replace', port: 18080 });
  const twin = await makeWorld(ground, { label: 'bare', port: 18081 });
  const bare = await makeBareGround(twin, () => changeOneComponent(twin));
  await world.changeless('up');
  await changeOneComponent(world);
  await world.changeless('up');
  await world.settled();
  const ups: Round[] = [];
  const backs: Round[] = [];
  for (let round = -1; round < ROUNDS; round += 1) {
    const back = await roundOf({ world, bare }, ['rollback']);
    const up = await roundOf({ world, bare }, ['up', '--release-anyway']);
    if (round < 0) continue;
    backs.push(back);
    ups.push(up);
  }
  return {
    rows: [...upRows(ups), ...rollbackRows(backs)],
    timelines: {
      up: timelinesOf(ups.map(({ measured }) => measured.timeline)),
      rollback: timelinesOf(backs.map(({ measured }) => measured.timeline)),
      bare: timelinesOf([...ups, ...backs].map(({ bare }) => bare.timeline)),
    },
  };
}

/** One line of one service; the images of both versions are there from then on. */
async function changeOneComponent(world: World): Promise<void> {
  world.edit('catalog/api/server.mjs', '// The catalog', '// Changed: the catalog');
  await world.commit();
}

type Round = { measured: Measured; bare: Awaited<ReturnType<typeof bareReplacement>> };

async function roundOf({ world, bare }: { world: World; bare: BareGround }, words: string[]): Promise<Round> {
  const floor = await bareReplacement(bare, { port: 18081, host: HOST, pattern: GENERATION });
  const measured = await measureCommand(world, words);
  return { measured, bare: floor };
}

/** Runs a command while fresh requests ask who serves. */
async function measureCommand(world: World, words: string[]): Promise<Measured> {
  await world.settled();
  const probed = { port: world.port, host: HOST, pattern: GENERATION };
  const before = (await askOnce(probed)).said;
  const probe = startProbe(probed);
  const ran = await world.changeless(...words);
  const asked = await probe.stop();
  const switched = switchedAt(asked);
  if (before === undefined || switched === undefined) throw new Error(`${words.join(' ')} did not change who serves ${HOST}`);
  const failed = asked.filter(({ said }) => said === undefined).length;
  return { trafficMs: switched - ran.startedAt, exitMs: ran.endedAt - ran.startedAt, failed, timeline: timelineOf(ran, switched) };
}

/** When each kind of event was last said (by the sayer's clock), the traffic's turn, and the exit. */
function timelineOf(ran: Ran, switched: number): Timeline {
  const timeline: Timeline = {};
  for (const { type, at } of ran.events) timeline[type] = Math.round(Date.parse(at) - performance.timeOrigin - ran.startedAt);
  return { ...timeline, traffic: Math.round(switched - ran.startedAt), exit: Math.round(ran.endedAt - ran.startedAt) };
}

function upRows(rounds: readonly Round[]): Row[] {
  const pairs = (measured: (round: Measured) => number, floor: (round: Round['bare']) => number): Pair[] =>
    rounds.map((round) => ({ measured: measured(round.measured), floor: floor(round.bare) }));
  const traffic = ({ trafficMs }: Measured): number => trafficMs;
  return [
    compare(
      { bench: 'replace', what: 'up, image built → all traffic new; floor: bare calls, readiness awaited, old removed' },
      pairs(traffic, ({ allMs }) => allMs),
      1.5,
    ),
    compare(
      { bench: 'replace', what: 'the same; floor: bare calls up to the switch, readiness awaited' },
      pairs(traffic, ({ switchMs }) => switchMs),
    ),
    compare(
      { bench: 'replace', what: 'the same; floor: bare calls alone, waits for readiness taken out' },
      pairs(traffic, ({ callsMs }) => callsMs),
    ),
    compare(
      { bench: 'replace', what: 'up → exit of the command; floor: as in the first' },
      pairs(
        ({ exitMs }) => exitMs,
        ({ allMs }) => allMs,
      ),
    ),
    failedRow('replace', 'fresh requests that failed meanwhile', rounds),
  ];
}

/** The bar is absolute; the ratio says what of it is the machine's. */
function rollbackRows(rounds: readonly Round[]): Row[] {
  const pairs = rounds.map(({ measured, bare }): Pair => ({ measured: measured.trafficMs, floor: bare.switchMs }));
  const row = compare(
    { bench: 'rollback', what: 'command → all fresh requests on the old; floor: bare calls up to the switch, readiness awaited' },
    pairs,
  );
  return [
    { ...row, bar: { says: '≤ 1000 ms', hit: row.measured.median <= 1000 } },
    { bench: 'rollback', what: 'command → its exit', unit: 'ms', measured: summarise(rounds.map((round) => round.measured.exitMs)) },
    failedRow('rollback', 'fresh requests that failed meanwhile', rounds),
  ];
}

function failedRow(bench: string, what: string, rounds: readonly Round[]): Row {
  const failed = rounds.reduce((sum, { measured }) => sum + measured.failed, 0);
  return { bench, what, unit: 'count', measured: summarise([failed]), bar: { says: '0', hit: failed === 0 } };
}

/** The median moment of each event. */
function timelinesOf(timelines: readonly Timeline[]): Timeline {
  const names = new Set(timelines.flatMap((timeline) => Object.keys(timeline)));
  const medians = [...names].map((name): [string, number] => [
    name,
    summarise(timelines.flatMap((timeline) => timeline[name] ?? [])).median,
  ]);
  return Object.fromEntries(medians.toSorted((a, b) => a[1] - b[1]));
}
