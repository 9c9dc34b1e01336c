import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { JobRuns } from '../../src/ledger/job-runs.ts';
import { finishing } from './check-run.ts';
import { architecture, job, JobsWorld, step } from './jobs-world.ts';

/** A ledger that asks nobody for a token: whoever writes is taken for the owner. */
const withoutTokens = (runs: JobRuns): JobRuns =>
  new Proxy(runs, {
    get(target, key) {
      const member = Reflect.get(target, key) as (...given: unknown[]) => unknown;
      if (key === 'mayAct') return async () => true;
      if (key === 'noteContainer') return async () => true;
      return (...given: unknown[]) => Reflect.apply(member, target, given);
    },
  });

/** One stands still before it makes a step's container, another carries the run to its end, and then the first goes on. */
async function beganAfterStandingStill(context: TestContext, around: (runs: JobRuns) => JobRuns): Promise<readonly string[]> {
  const world = await JobsWorld.make({ build: job([step('only')]) });
  context.after(() => world.dispose());
  world.engine.jobs.onStep = () => 'runs';
  let release = (): void => {};
  const stillness = new Promise<void>((resolve) => (release = resolve));
  let isStill = false;
  const boundary = (where: string): Promise<void> | undefined => {
    if (isStill || where !== 'before engine prepare') return undefined;
    isStill = true;
    return stillness;
  };
  const paused = world.start('a', boundary, { runs: around(world.ledger.runs) });
  const id = await world.ask('build-1', 'build');
  const meanwhile = finishing(world);
  await world.until('it stands still', () => isStill, meanwhile);
  const other = world.start('b');
  await world.closed(id, meanwhile);
  await other.stop();
  // Not even that its image is gone is to keep it from running.
  world.makeImages(id, 'build');
  release();
  await paused.stop();
  return world.engine.jobs.began;
}

void test('a step runs once, though whoever stood still goes on to make its container', async (context) => {
  assert.deepEqual(await beganAfterStandingStill(context, (runs) => runs), ['build-1 /only']);
});

void test('without the token it would run twice', async (context) => {
  assert.deepEqual(await beganAfterStandingStill(context, withoutTokens), ['build-1 /only', 'build-1 /only']);
});

void test('what such a one made of a run that is closed is removed by whoever is there', async (context) => {
  const world = await JobsWorld.make({ build: job([step('only')]) });
  context.after(() => world.dispose());
  const owner = world.start('a');
  const id = await world.ask('build-1', 'build');
  await world.closed(id);
  const image = world.image('left');
  const limits = { memoryBytes: 2 ** 26, processes: 8 };
  const origin = { environment: 'local', release: (await world.run(id)).release, commit: 'uncommitted' } as const;
  const spec = {
    run: id,
    step: '/only',
    job: 'build',
    token: 1,
    image,
    place: image,
    caches: {},
    secrets: [],
    limits,
    diskBytes: 1,
    origin,
  };
  await world.engine.jobs.prepare(architecture, spec, []);
  await world.until('it is gone', async () => (await world.stepsOnEngine()).length === 0);
  await owner.stop();
});
