import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { RunId } from '../../src/digest.ts';
import { job, JobsWorld, step, type Owner } from './jobs-world.ts';
import { checkRun, finishing } from './check-run.ts';

const jobs = { build: job([step('build', { artifacts: ['dist'] })], [step('unit'), step('lint')]) };

const worlds = new Set<JobsWorld>();
after(() => Promise.all([...worlds].map((world) => world.dispose())));

async function makeWorld(): Promise<JobsWorld> {
  const world = await JobsWorld.make(jobs);
  worlds.add(world);
  world.engine.jobs.onStep = (spec, folder) => {
    if (spec.step === '/build') folder.set('dist', 'built');
    else assert.equal(folder.get('dist'), 'built', `${spec.step} finds what was built`);
    return 'runs';
  };
  return world;
}

async function gone(world: JobsWorld): Promise<void> {
  worlds.delete(world);
  await world.dispose();
}

/** When output is kept to its end depends on the disk: a run may have a few boundaries less than another. */
const few = 4;

const isClosed = async (world: JobsWorld, id: RunId): Promise<boolean> => (await world.ledger.runs.find(id))?.closedAt !== undefined;

const killedOrClosed = (world: JobsWorld, { process }: Owner, { id, meanwhile }: { id: RunId; meanwhile: () => void }): Promise<void> =>
  world.until('it is killed', async () => !process.alive || (await isClosed(world, id)), meanwhile);

/** How many boundaries a run has that nobody disturbs. */
async function boundaries(): Promise<string[]> {
  const world = await makeWorld();
  const met: string[] = [];
  world.start('a', (where) => (met.push(where), undefined));
  const id = await world.ask('build-1', 'build');
  await world.closed(id, finishing(world));
  await checkRun(world, id, 'undisturbed');
  const all = [...met];
  await gone(world);
  return all;
}

/** At its nth boundary, once. */
function at(number: number, what: () => 'die' | Promise<void>): (where: string) => 'die' | Promise<void> | undefined {
  let count = 0;
  return () => ((count += 1) === number ? what() : undefined);
}

const afterKill = [
  ['whoever carries a run may be killed before or after any effect, and started again', 'a'],
  ['another takes over from whoever is killed before or after any effect', 'b'],
] as const;

for (const [name, next] of afterKill)
  void test(name, async (context) => {
    const all = await boundaries();
    let kills = 0;
    for (const [index, where] of all.entries()) {
      const world = await makeWorld();
      const owner = world.start(
        'a',
        at(index + 1, () => 'die'),
      );
      const id = await world.ask('build-1', 'build');
      const meanwhile = finishing(world);
      await killedOrClosed(world, owner, { id, meanwhile });
      kills += owner.process.alive ? 0 : 1;
      world.start(next);
      await world.closed(id, meanwhile);
      await checkRun(world, id, `killed ${where} (${index + 1})`);
      await gone(world);
    }
    assert.ok(kills >= all.length - few, `${kills} kills at ${all.length} boundaries`);
    context.diagnostic(`${kills} kills`);
  });

void test('whoever stands still at any boundary while another carries the run to its end does no harm afterwards', async (context) => {
  const all = await boundaries();
  let times = 0;
  for (const [index, where] of all.entries()) {
    const world = await makeWorld();
    let release = (): void => {};
    const stillness = new Promise<void>((resolve) => (release = resolve));
    let isStill = false;
    const still = at(index + 1, () => ((isStill = true), stillness));
    const paused = world.start('a', still);
    const id = await world.ask('build-1', 'build');
    const meanwhile = finishing(world);
    await world.until('it stands still', async () => isStill || (await isClosed(world, id)), meanwhile);
    times += isStill ? 1 : 0;
    world.start('b');
    await world.closed(id, meanwhile);
    release();
    // Whatever it was about to do it does.
    await paused.stop();
    await world.until('nothing is left', async () => (await world.stepsOnEngine()).length === 0, meanwhile);
    await checkRun(world, id, `still ${where} (${index + 1})`);
    await gone(world);
  }
  assert.ok(times >= all.length - few, `${times} times at ${all.length} boundaries`);
  context.diagnostic(`${times} times`);
});

void test('of two who carry several runs either may be killed at any time', async (context) => {
  let kills = 0;
  for (let seed = 1; seed <= 25; seed += 1) {
    const world = await makeWorld();
    let count = 0;
    const dying = (every: number) => () => ((count += 1) % every === 0 ? 'die' : undefined);
    const owners = [world.start('a', dying(7 + seed)), world.start('b', dying(7 + seed))];
    const ids = await Promise.all(['r-1', 'r-2', 'r-3'].map((run) => world.ask(run, 'build')));
    const finish = finishing(world);
    const meanwhile = (): void => {
      finish();
      for (const [index, name] of ['a', 'b'].entries())
        if (owners[index]?.process.alive === false) {
          kills += 1;
          owners[index] = world.start(name, kills % 6 === 0 ? undefined : dying(7 + seed));
        }
    };
    for (const id of ids) await world.closed(id, meanwhile);
    for (const id of ids) await checkRun(world, id, `seed ${seed}`);
    await gone(world);
  }
  assert.ok(kills > 50, `${kills} kills`);
  context.diagnostic(`${kills} kills`);
});
