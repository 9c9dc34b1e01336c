import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { taskPath, type BuilderTask } from '../../src/builder-task.ts';
import { build } from '../../src/cli/commands/builder.ts';
import type { RunId } from '../../src/digest.ts';
import type { JobStepSpec } from '../../src/engine/job-steps.ts';
import type { JobRun } from '../../src/job-run.ts';
import { readKept } from '../../src/jobs/kept-log.ts';
import type { Delivery } from '../../src/ledger/delivery.ts';
import type { Status } from '../e2e/world.ts';
import { deliveryOf, writerOf } from '../gateway/inbox-fixture.ts';
import { startGitForge, type GitForge } from '../git-forge.ts';
import { makeCliWorld, type CliWorld } from './cli-world.ts';
import { commit, commitSample, done, writeSample, type Sample } from './sample.ts';

let world: CliWorld;
let forge: GitForge;
let number = 0;
/** What stands between a builder and its end. */
let gate: Promise<void> = Promise.resolve();

const sample = (): Sample => ({
  more: `secrets: { hook: secret({ version: 1 }) }, gateway: gateway({ webhooks: { github: { secret: 'hook' } } }),
    deliver: { repository: '${forge.address}' },
    agents: { node: { build: 'admin' } },
    jobs: { test: { on: { push: { branches: ['main', 'feature'] } }, steps: [{ name: 'unit', agent: 'node', run: 'make' }] },
      after: { on: { after: 'test' }, steps: [{ name: 'only', agent: 'node', run: 'make' }] } },`,
});

before(async () => {
  world = await makeCliWorld();
  forge = await startGitForge(`${world.folder}/..`);
  await commitSample(world, sample());
  world.typed.text = 'a key';
  await done(world, 'secret', 'add', 'hook');
  commit(world, 'A key');
  await done(world, 'up');
  world.engine.jobs.onStep = (spec) => {
    if (!spec.builder) return 0;
    void runBuilder(spec);
    return 'runs';
  };
});
after(async () => {
  await world.dispose();
  await forge.close();
});

/** The builder's own program, as its container would run it. */
async function runBuilder({ run, step, image }: JobStepSpec): Promise<void> {
  const { jobs, images } = world.engine;
  const task = JSON.parse(new TextDecoder().decode(await images.readFile(image, taskPath))) as BuilderTask;
  const say = (text: string): void => {
    for (const line of text.split('\n')) if (line !== '') jobs.print(run, step, line);
  };
  await gate;
  const input = { arguments: [], options: {}, json: true, folder: '/' };
  const result = await build({ world: world.builder(say), input, interruption: { safe: '' } }, task, `${world.folder}/../cache/builder`);
  if (!result.ok) say(JSON.stringify({ version: 1, problem: result.problem }));
  jobs.finish(run, step, result.ok ? result.value : 1);
}

async function until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  const deadline = performance.now() + 120_000;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    assert.ok(
      performance.now() < deadline,
      `waited in vain until ${what}: ${JSON.stringify(await world.ledger.runs.list({ limit: 9 }), null, 1)}`,
    );
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const closed = (id: string): Promise<JobRun> =>
  until(`${id} is closed`, async () => {
    const run = await world.ledger.runs.find(id as RunId);
    return run?.closedAt !== undefined && run;
  });

const release = async (): Promise<Status> => (await world.json<Status>('status')).value;

/** Commits, pushes to the forge, and tells the gateway so; the number of the delivery. */
async function push(greeting: string, { branch = 'main', ...more }: Partial<Delivery> & { edit?: () => void } = {}): Promise<number> {
  writeSample(world, { ...sample(), greeting });
  more.edit?.();
  commit(world, greeting);
  forge.push(world.folder, branch);
  return tell(branch);
}

async function tell(branch: string, commitId = world.git('rev-parse', 'HEAD')): Promise<number> {
  number += 1;
  const body = Buffer.from(JSON.stringify({ head_commit: { author: { name: 'Ada' } } }));
  await writerOf(world.inbox).append({ ...deliveryOf(`push-${number}`), repository: 'acme/shop', branch, after: commitId, body });
  return number;
}

test('a push is fetched, built and run by the builder, and its run ends once, whoever is in charge then', async () => {
  const earlier = (await release()).controller.instances[0]?.container;
  const delivery = await push('pushed');
  const run = await closed(`deliver-${delivery}`);
  assert.equal(run.outcome, 'passed', JSON.stringify(run.problem));
  const now = await release();
  assert.deepEqual([now.commit, now.state], [world.git('rev-parse', 'HEAD'), 'live']);
  assert.notEqual(now.controller.instances[0]?.container, earlier, 'the controller was replaced meanwhile');
  assert.deepEqual([run.push?.branch, run.push?.author, run.push?.delivery], ['main', 'Ada', delivery]);
  const ends = (await world.ledger.events({ type: 'job-ended', limit: 50 })).filter((event) => 'run' in event && event.run === run.id);
  assert.equal(ends.length, 1);
  const lines: string[] = [];
  for await (const { line } of readKept({ folder: `${world.folder}/../logs` }, run.id, 'builder/deliver')) lines.push(line);
  assert.match(lines.join('\n'), /^fetching .*\n[^]*rollout [^]*live/m);
});

test('the same delivery twice starts nothing twice', async () => {
  const before = (await world.ledger.runs.list({ limit: 100 })).length;
  const again = { ...deliveryOf(`push-${number}`), repository: 'acme/shop', branch: 'main', after: world.git('rev-parse', 'HEAD') };
  await writerOf(world.inbox).append(again);
  const file = await until('all is taken', async () => (await world.ledger.deliveries({ limit: 1 }))[0]);
  assert.equal(file.number, number);
  const delivery = await tell('elsewhere');
  await until('what came after it is taken', async () => (await world.ledger.deliveries({ limit: 1 }))[0]?.number === delivery);
  assert.equal((await world.ledger.runs.list({ limit: 100 })).length, before);
});

test('a job on push gets its images from the builder, and runs on the pushed commit', async () => {
  const delivery = await push('featured', { branch: 'feature' });
  const run = await closed(`test-${delivery}`);
  assert.equal(run.outcome, 'passed', JSON.stringify(run.problem));
  assert.deepEqual(
    run.steps.map(({ step, outcome }) => [step, outcome]),
    [
      ['/unit', 'passed'],
      ['builder/prepare', 'passed'],
    ],
  );
  assert.equal(run.commit, world.git('rev-parse', 'HEAD'));
  assert.equal(await world.ledger.runs.find(`deliver-${delivery}` as RunId), undefined, 'that branch is not delivered');
});

test('a commit that does not build ends as failed with the reason, and the release before serves on', async () => {
  const { release: live } = await release();
  const delivery = await push('broken', { edit: () => world.write('architecture.ts', 'export default 7;\n') });
  const run = await closed(`deliver-${delivery}`);
  assert.deepEqual([run.outcome, run.problem?.code], ['failed', 'ARCHITECTURE_INVALID']);
  assert.equal((await release()).release, live);
});

test('a commit that is on no branch ends with a problem of its own', async () => {
  writeSample(world, { ...sample(), greeting: 'unpushed' });
  commit(world, 'unpushed');
  const unpushed = await closed(`deliver-${await tell('main')}`);
  assert.deepEqual([unpushed.outcome, unpushed.problem?.code], ['failed', 'PUSH_NOT_TAKEN']);
});

test('a commit whose release failed is not deployed again by itself, and its run says so', async () => {
  const { release: live } = await release();
  const observed = await world.engine.observe('sample');
  const serving = new Set(observed.ok ? observed.value.instances.map(({ image }) => image) : []);
  world.engine.world.unhealthy(({ owner, role, image }) => owner.name === 'web' && role === 'service' && !serving.has(image));
  const failing = await closed(`deliver-${await push('unhealthy')}`);
  assert.deepEqual([failing.outcome, failing.problem?.code], ['failed', 'ROLLOUT_UNHEALTHY']);
  world.engine.world.unhealthy(() => false);
  const again = await closed(`deliver-${await tell('main')}`);
  assert.deepEqual([again.outcome, again.problem?.code], ['failed', 'RELEASE_QUARANTINED']);
  assert.equal((await release()).release, live);
});

test('of what waits only the latest is run, and what it skipped is on record', async () => {
  let open = (): void => {};
  gate = new Promise((resolve) => (open = resolve));
  const first = await push('one');
  await until('the first has begun', async () => (await world.ledger.runs.find(`deliver-${first}` as RunId))?.startedAt !== undefined);
  const second = await push('two');
  await until('the second waits', async () => (await world.ledger.runs.find(`deliver-${second}` as RunId)) !== undefined);
  const third = await push('three');
  const skipped = await closed(`deliver-${second}`);
  assert.deepEqual([skipped.outcome, skipped.startedAt, skipped.problem?.code], ['superseded', undefined, 'JOB_SUPERSEDED']);
  open();
  assert.equal((await closed(`deliver-${first}`)).outcome, 'passed');
  const last = await closed(`deliver-${third}`);
  assert.equal(last.outcome, 'passed', JSON.stringify(last.problem));
  assert.equal((await release()).commit, world.git('rev-parse', 'HEAD'));
});
