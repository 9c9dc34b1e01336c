import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { RunId } from '../../src/digest.ts';
import { InboxReader } from '../../src/gateway/inbox-reader.ts';
import { runsOfPush } from '../../src/jobs/runs-of-push.ts';
import type { RunsOfDelivery } from '../../src/ledger/delivery.ts';
import { openMemoryLedger } from '../../src/ledger/memory-ledger.ts';
import { deliveryOf, writerOf } from '../gateway/inbox-fixture.ts';
import { PowerlessFiles } from '../gateway/powerless-files.ts';
import { Taker, tokenOf } from '../gateway/taking-fixture.ts';
import { finishing } from './check-run.ts';
import { job, JobsWorld, step } from './jobs-world.ts';

const jobs = {
  test: { ...job([step('unit')]), on: { push: {} } },
  report: { ...job([step('send')]), on: { after: ['test'] } },
};

const worlds = new Set<JobsWorld>();
after(() => Promise.all([...worlds].map((world) => world.dispose())));

async function makeWorld(): Promise<JobsWorld> {
  const world = await JobsWorld.make(jobs);
  worlds.add(world);
  // As the builder does it.
  world.engine.jobs.onStep = (spec) => {
    if (spec.step === 'builder/prepare') world.makeImages(spec.run, spec.job);
    return 'runs';
  };
  return world;
}

const after40 = 'c'.repeat(40);
const pushOf = (number: number): Parameters<RunsOfDelivery>[0] => ({
  ...deliveryOf(`d${number}`),
  repository: 'acme/shop',
  after: after40,
  number,
});

const report = async (world: JobsWorld): Promise<string | undefined> => (await world.ledger.runs.list({ job: 'report', limit: 9 }))[0]?.id;

/** Whatever happened: the release of the push, the job on push and the one after it were run, each step once, each ended once. */
async function check(world: JobsWorld, at: string): Promise<void> {
  const runs = (await world.ledger.runs.list({ limit: 9 })).toReversed();
  const steps = { deliver: ['builder/deliver'], test: ['/unit', 'builder/prepare'], report: ['/send', 'builder/prepare'] };
  assert.deepEqual(
    runs.map(({ job: name, outcome, commit, push }) => [name, outcome, commit, push?.delivery]),
    ['deliver', 'test', 'report'].map((name) => [name, 'passed', after40, 1]),
    `${at}: ${JSON.stringify(runs.map(({ problem }) => problem))}`,
  );
  for (const { id, job: name, steps: ended } of runs) {
    const wanted = steps[name as keyof typeof steps];
    assert.deepEqual(ended.map(({ step: key }) => key).toSorted(), wanted, at);
    const began = world.engine.jobs.began.filter((each) => each.startsWith(`${id} `));
    assert.deepEqual(
      began.toSorted(),
      wanted.map((key) => `${id} ${key}`),
      `${at}: each step ran once`,
    );
    const told = (await world.ledger.events({ type: 'job-ended', limit: 99 })).filter((event) => 'run' in event && event.run === id);
    assert.equal(told.length, 1, `${at}: the end of ${name} is told once`);
  }
  assert.deepEqual(await world.stepsOnEngine(), [], `${at}: nothing is left`);
}

async function accept(world: JobsWorld): Promise<void> {
  for (const run of runsOfPush(pushOf(1), world.pushContext())) assert.ok(await world.ledger.runs.accept(run));
}

async function allClosed(world: JobsWorld, meanwhile: () => void): Promise<void> {
  await world.closed('deliver-1' as RunId, meanwhile);
  await world.closed('test-1' as RunId, meanwhile);
  await world.until('what comes after it is there', async () => (await report(world)) !== undefined, meanwhile);
  await world.closed((await report(world)) as RunId, meanwhile);
}

async function gone(world: JobsWorld): Promise<void> {
  worlds.delete(world);
  await world.dispose();
}

async function boundaries(): Promise<string[]> {
  const world = await makeWorld();
  const met: string[] = [];
  world.start('a', (where) => (met.push(where), undefined));
  await accept(world);
  await allClosed(world, finishing(world));
  await check(world, 'undisturbed');
  const all = [...met];
  await gone(world);
  return all;
}

void test('what a push starts ends once, and so does what comes after it, wherever who carries it is killed', async (context) => {
  const all = await boundaries();
  let kills = 0;
  for (let index = 0; index < all.length; index += 1) {
    const world = await makeWorld();
    let count = 0;
    const owner = world.start('a', () => ((count += 1) === index + 1 ? 'die' : undefined));
    await accept(world);
    const meanwhile = finishing(world);
    const isOver = async (): Promise<boolean> => {
      const last = await report(world);
      return last !== undefined && (await world.ledger.runs.find(last as RunId))?.closedAt !== undefined;
    };
    await world.until('it is killed', async () => !owner.process.alive || (await isOver()), meanwhile);
    kills += owner.process.alive ? 0 : 1;
    world.start('b');
    await allClosed(world, meanwhile);
    await check(world, `killed at ${all[index]} (${index + 1})`);
    await gone(world);
  }
  // When output is kept to its end depends on the disk: a run may have a few boundaries less than another.
  assert.ok(kills >= all.length - 8, `${kills} kills at ${all.length} boundaries`);
  context.diagnostic(`${kills} kills`);
});

void test('a delivery and what it starts are taken together, wherever who takes them is killed', async (context) => {
  const sent = ['d0', 'd1', 'd2', 'd3', 'd4', 'd5'];
  const world = await JobsWorld.make(jobs);
  worlds.add(world);
  const runsOf: RunsOfDelivery = (delivery) => runsOfPush({ ...delivery, after: after40 }, world.pushContext());
  let kills = 0;
  for (let killAt = 1; ; killAt += 1) {
    const ledger = await openMemoryLedger();
    const files = new PowerlessFiles();
    const writer = writerOf(files);
    for (const id of sent) await writer.append({ ...deliveryOf(id), repository: 'acme/shop' });
    const token = await tokenOf(ledger);
    const first = new Taker(killAt, runsOf);
    await first.take({ ledger, inbox: new InboxReader(files, 400), token });
    kills += first.boundaries > killAt ? 1 : 0;
    const inBetween = await ledger.deliveries({ limit: 99 });
    for (const { number } of inBetween) assert.equal((await ledger.runs.ofDelivery(number)).length, 2, `killed at ${killAt}`);
    await new Taker(Infinity, runsOf).take({ ledger, inbox: new InboxReader(files, 400), token });
    const delivers = (await ledger.runs.list({ job: 'deliver', limit: 99 })).toReversed();
    assert.deepEqual(
      delivers.map(({ id, outcome }) => [id, outcome]),
      sent.map((_, index) => [`deliver-${index + 1}`, index + 1 < sent.length ? 'superseded' : undefined]),
    );
    const accepted = await ledger.events({ type: 'job-accepted', limit: 99 });
    assert.equal(accepted.length, sent.length * 2, 'each is told once');
    await ledger.close();
    if (first.boundaries <= killAt) break;
  }
  assert.ok(kills > 6, `${kills} kills`);
  context.diagnostic(`${kills} kills`);
});
