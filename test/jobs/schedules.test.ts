import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Architecture } from '../../src/architecture/model.ts';
import { keepSchedules } from '../../src/controller/keep-schedules.ts';
import type { CommitId, ImageId } from '../../src/digest.ts';
import type { ChangelessEvent } from '../../src/events.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { openMemoryLedger } from '../../src/ledger/memory-ledger.ts';
import type { Manifest } from '../../src/release/manifest.ts';
import { architectureOf, inputsOf } from '../../src/release/release-fixture.ts';
import { releaseId } from '../../src/release/release-id.ts';
import { tokenOf } from '../gateway/taking-fixture.ts';
import { job, step } from './jobs-world.ts';

const commit = 'c'.repeat(40) as CommitId;
const day = 86_400_000;

function manifestFor(change: Partial<Architecture>): Manifest {
  const inputs = inputsOf(architectureOf(change));
  const outputs = { controller: 'c' as ImageId, sandbox: 's' as ImageId, components: {}, environments: {} };
  return { schema: 1, release: releaseId(inputs), inputs, outputs };
}

type Keeping = { ledger: Ledger; token: number; environment?: string; change?: Partial<Architecture> };

/** Time stands still until a test says otherwise. */
class Day {
  nowMs = Date.UTC(2026, 4, 1, 12);
  readonly events: ChangelessEvent[] = [];
  #wake: () => void = () => {};
  readonly timers = { after: (_ms: number, work: () => void) => ((this.#wake = work), () => {}) };
  readonly clock = (): Date => new Date(this.nowMs);

  /** Begins to look, until the test is over. */
  keep(context: TestContext, { ledger, token, environment = 'production', change = {} }: Keeping) {
    const manifest = manifestFor({ ...architecture, ...change });
    const abort = new AbortController();
    const journal = { report: (event: ChangelessEvent) => void this.events.push(event), flush: async () => {} };
    const own = { manifest, environment, logs: '/logs', ledger, journal, clock: this.clock, timers: this.timers, signal: abort.signal };
    const keeping = keepSchedules(own, token);
    context.after(() => keeping.stop());
    return keeping;
  }

  /** So much later it looks again. */
  async pass(ms: number): Promise<void> {
    this.nowMs += ms;
    this.#wake();
    await looked();
  }
}

/** The ledger answers within a turn. */
const looked = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const architecture = {
  jobs: {
    nightly: { ...job([step('only')]), on: { schedule: ['0 3 * * *', '30 3 * * *'] } },
    manual: job([step('only')]),
  },
  deliver: { repository: 'https://forge.example/acme/shop.git', branch: 'main', folder: '' },
  environments: { production: {}, quiet: { schedules: false }, local: {} },
};

async function ledgerAt(context: TestContext, time: Day): Promise<{ ledger: Ledger; token: number }> {
  const ledger = await openMemoryLedger({ now: () => time.clock().toISOString() });
  context.after(() => ledger.close());
  return { ledger, token: await tokenOf(ledger) };
}

const runsIn = async (ledger: Ledger): Promise<string[]> => (await ledger.runs.list({ limit: 99 })).map(({ id }) => id).toReversed();

void test('a job runs when its time has come, on the commit of the release, and once', async (context) => {
  const time = new Day();
  const { ledger, token } = await ledgerAt(context, time);
  time.keep(context, { ledger, token });
  await looked();
  assert.deepEqual(await runsIn(ledger), [], 'nothing is due by the mere start');
  await time.pass(15 * 3_600_000);
  await time.pass(1000);
  assert.deepEqual(await runsIn(ledger), ['nightly-202605020300']);
  const [run] = await ledger.runs.list({ limit: 1 });
  assert.deepEqual([run?.commit, run?.reason, run?.plan.steps[0]?.key], [commit, 'schedule', 'builder/prepare']);
  assert.deepEqual(
    time.events.map((event) => event.type),
    ['job-accepted'],
  );
});

void test('what was missed while no controller ran is made up for once', async (context) => {
  const time = new Day();
  const { ledger, token } = await ledgerAt(context, time);
  const first = time.keep(context, { ledger, token });
  await looked();
  await first.stop();
  time.nowMs += 4 * day;
  time.keep(context, { ledger, token });
  await looked();
  assert.deepEqual(await runsIn(ledger), ['nightly-202605050330']);
  await time.pass(1000);
  assert.deepEqual(await runsIn(ledger), ['nightly-202605050330']);
});

void test('a schedule that a later release brings is not due for a time before it', async (context) => {
  const time = new Day();
  const { ledger, token } = await ledgerAt(context, time);
  const before = time.keep(context, { ledger, token, change: { jobs: {} } });
  await looked();
  await time.pass(16 * 3_600_000);
  await before.stop();
  time.keep(context, { ledger, token });
  await looked();
  assert.deepEqual(await runsIn(ledger), []);
});

void test('whoever is not in charge any more starts nothing', async (context) => {
  const time = new Day();
  const { ledger, token } = await ledgerAt(context, time);
  time.keep(context, { ledger, token });
  await looked();
  const next = await tokenOf(ledger, 'b');
  await time.pass(day);
  assert.deepEqual(await runsIn(ledger), []);
  time.keep(context, { ledger, token: next });
  await looked();
  assert.deepEqual(await runsIn(ledger), ['nightly-202605020330']);
});

const still: [words: string, environment: string, change: Partial<Architecture>, runs: number][] = [
  ['on a laptop', 'local', {}, 0],
  ['on a laptop that says so', 'local', { environments: { local: { schedules: true } } }, 1],
  ['in an environment that says no', 'quiet', {}, 0],
  ['elsewhere', 'production', {}, 1],
];

for (const [words, environment, change, runs] of still)
  void test(`${words} ${runs === 0 ? 'nothing runs' : 'jobs run'} by schedule`, async (context) => {
    const time = new Day();
    const { ledger, token } = await ledgerAt(context, time);
    time.keep(context, { ledger, token, environment, change });
    await looked();
    await time.pass(day);
    assert.equal((await runsIn(ledger)).length, runs);
  });

void test('nothing that cannot be fetched is begun', async (context) => {
  const time = new Day();
  const { ledger, token } = await ledgerAt(context, time);
  const { deliver: _, ...without } = architecture;
  const manifest = manifestFor(without);
  const own = {
    manifest,
    environment: 'production',
    logs: '/logs',
    ledger,
    journal: { report() {}, async flush() {} },
    signal: new AbortController().signal,
  };
  await keepSchedules({ ...own, clock: time.clock, timers: time.timers }, token).stop();
  await time.pass(day);
  assert.deepEqual(await runsIn(ledger), []);
});
