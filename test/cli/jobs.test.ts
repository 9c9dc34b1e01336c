import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { RunId } from '../../src/digest.ts';
import type { JobRun } from '../../src/job-run.ts';
import { labels } from '../../src/engine/labels.ts';
import { makeCliWorld, type CliWorld } from './cli-world.ts';
import { commit, commitSample, done, writeSample } from './sample.ts';

const more = `agents: { node: { build: 'admin' } }, jobs: {
  test: { parameters: { level: 'low' }, steps: [{ name: 'build', agent: 'node', run: 'make', artifacts: ['dist'] },
    [{ name: 'unit', agent: 'node', run: 'make unit' }, { name: 'lint', agent: 'node', run: 'make lint' }]] },
  idle: { on: { schedule: '0 3 * * *' }, steps: [{ name: 'only', agent: 'node', run: 'true' }] },
},`;

let world: CliWorld;
let unitExit: number | 'runs' = 0;
before(async () => {
  world = await makeCliWorld();
  await commitSample(world, { more });
  await done(world, 'up');
  world.engine.jobs.onStep = (spec, folder) => {
    world.engine.jobs.print(spec.run, spec.step, `${spec.step} speaks`);
    if (spec.step === '/build') folder.set('dist', 'built');
    return spec.step === '/unit' ? unitExit : 0;
  };
});
after(() => world.dispose());

const runs = (): Promise<JobRun[]> => world.ledger.runs.list({ limit: 50 });

async function until(what: string, isSo: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await isSo())) {
    assert.ok(performance.now() < deadline, `waited in vain until ${what}: ${JSON.stringify(await runs())}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('job run runs a job, prints what its steps print, and ends with 0', async () => {
  unitExit = 0;
  const { code, stdout, stderr } = await world.changeless('job', 'run', 'test', '--param', 'level=high');
  assert.equal(code, 0, stderr);
  for (const step of ['build', 'unit', 'lint']) assert.match(stdout, new RegExp(`^${step}  /${step} speaks$`, 'm'));
  const [run] = await runs();
  assert.match(stdout, new RegExp(`passed  run ${run?.id} of job test`));
  assert.deepEqual([run?.parameters, run?.commit], [{ level: 'high' }, world.git('rev-parse', 'HEAD')]);
});

test('jobs says how each ran last', async () => {
  const [run] = await runs();
  const { value } = await world.json<{ jobs: { job: string; last: { run: string; outcome: string } | null }[] }>('jobs');
  assert.deepEqual(
    value.jobs.map(({ job, last }) => [job, last?.run, last?.outcome]),
    [
      ['idle', undefined, undefined],
      ['test', run?.id, 'passed'],
    ],
  );
  assert.match(await done(world, 'jobs'), /^idle +has not run yet +\(at 0 3 \* \* \*\)\ntest +passed /);
});

test('a release image that does not say that it answers is not asked: its program would start a controller', async () => {
  const asked: string[] = [];
  const { onRunOnce } = world.engine.world.images;
  world.engine.world.images.onRunOnce = (request) => {
    asked.push((request.command ?? []).join(' '));
    return onRunOnce?.(request) ?? {};
  };
  const { images } = world.engine;
  const inspect = images.inspect.bind(images);
  // As it was sealed before images said so.
  images.inspect = async (image) => {
    const detail = await inspect(image);
    return detail && { ...detail, labels: { ...detail.labels, [labels.answers]: undefined as unknown as string } };
  };
  const [told, logged] = [await world.changeless('jobs'), await world.changeless('log')];
  images.inspect = inspect;
  world.engine.world.images.onRunOnce = onRunOnce;
  assert.equal(told.code, 1);
  assert.match(told.stderr, /RELEASE_CANNOT_TELL/);
  assert.equal(logged.code, 0, logged.stderr);
  assert.deepEqual(
    asked.map((words) => words.split(' ')[2]),
    ['log'],
  );
});

test('job logs prints what was kept, of one step where that is named', async () => {
  const [run] = await runs();
  await until('it is closed', async () => (await runs())[0]?.closedAt !== undefined);
  assert.equal(await done(world, 'job', 'logs', run?.id ?? '', '--step', 'unit'), 'unit  /unit speaks\n');
  const whole = await done(world, 'job', 'logs', run?.id ?? '');
  assert.deepEqual(whole.trim().split('\n').length, 3);
  const { stdout } = await world.changeless('job', 'logs', run?.id ?? '', '--step', 'lint', '--json');
  const { at: _, ...line } = JSON.parse(stdout) as Record<string, unknown>;
  assert.deepEqual(line, { step: '/lint', stream: 'stdout', line: '/lint speaks' });
});

test('a run that fails ends with 1, and says where and why', async () => {
  unitExit = 4;
  const { code, stderr } = await world.changeless('job', 'run', 'test');
  assert.equal(code, 1);
  assert.match(stderr, /job test failed in step unit/);
  assert.match(stderr, /exit code 4/);
  assert.match(stderr, /where *container [0-9a-f]+ \(10\.1\.2\.3\) on host memory/);
  const { value, code: asJson } = await world.json<{ outcome: string; steps: { step: string; exitCode: number }[] }>('job', 'run', 'test');
  assert.deepEqual(
    [asJson, value.outcome, value.steps.map(({ step, exitCode }) => [step, exitCode])],
    [
      1,
      'failed',
      [
        ['/build', 0],
        ['/lint', 0],
        ['/unit', 4],
      ],
    ],
  );
});

for (const [words, says] of [
  [['job', 'run', 'tset'], /no job tset.*test/s],
  [['job', 'run', 'test', '--param', 'depth=1'], /no parameter depth/],
  [['job', 'run', 'test', '--param', 'level'], /name=value/],
  [['job', 'run', 'test', 'no-such-commit'], /no-such-commit/],
  [['job', 'explode', 'test'], /cannot explode/],
  [['job', 'logs', 'test-unknown'], /no run test-unknown/],
  [['job', 'cancel', '../up'], /no run \.\.\/up/],
] as const)
  test(`${words.join(' ')} is a mistake, and says which`, async () => {
    const before = (await runs()).length;
    const { code, stderr } = await world.changeless(...words);
    assert.equal(code, 2, stderr);
    assert.match(stderr, says);
    assert.equal((await runs()).length, before);
  });

test('a run can be left to itself, and cancelled', async () => {
  unitExit = 'runs';
  const { value } = await world.json<{ run: RunId }>('job', 'run', 'test', '--detach');
  await until('unit runs', () => world.engine.jobs.runningSteps().includes(`${value.run} /unit`));
  await done(world, 'job', 'cancel', value.run);
  await until('it has ended', async () => (await world.ledger.runs.find(value.run))?.outcome !== undefined);
  assert.equal((await world.ledger.runs.find(value.run))?.outcome, 'cancelled');
});

test('when another release comes in the middle, its controller adopts the run', async () => {
  unitExit = 'runs';
  const { value } = await world.json<{ run: RunId }>('job', 'run', 'test', '--detach');
  await until('unit runs', () => world.engine.jobs.runningSteps().includes(`${value.run} /unit`));
  const [before] = await world.ledger.rollouts(1);
  writeSample(world, { more, greeting: 'hi' });
  commit(world, 'another greeting');
  await done(world, 'up');
  const [now] = await world.ledger.rollouts(1);
  assert.notEqual(now?.controller, before?.controller);
  world.engine.jobs.print(value.run, '/unit', 'and goes on');
  world.engine.jobs.finish(value.run, '/unit', 0);
  await until('it is closed', async () => (await world.ledger.runs.find(value.run))?.closedAt !== undefined);
  const run = await world.ledger.runs.find(value.run);
  assert.deepEqual([run?.outcome, run?.release], ['passed', before?.release]);
  assert.equal(world.engine.jobs.began.filter((began) => began.startsWith(value.run)).length, 3);
  assert.equal(await done(world, 'job', 'logs', value.run, '--step', 'unit'), 'unit  /unit speaks\nunit  and goes on\n');
});

test('down takes steps away that still run', async () => {
  unitExit = 'runs';
  const { value } = await world.json<{ run: RunId }>('job', 'run', 'test', '--detach');
  await until('unit runs', () => world.engine.jobs.runningSteps().includes(`${value.run} /unit`));
  await done(world, 'down');
  assert.deepEqual(world.engine.jobs.runningSteps(), []);
});

test('job run --local runs a job of the folder as it is, which no controller learns of, and leaves nothing behind', async () => {
  unitExit = 0;
  const before = (await runs()).length;
  const file = 'architecture.ts';
  const committed = readFileSync(path.join(world.folder, file), 'utf8');
  world.write(file, committed.replace("name: 'lint', agent", "name: 'spell', agent"));
  const { code, stdout, stderr } = await world.changeless('job', 'run', 'test', '--local');
  world.write(file, committed);
  assert.equal(code, 0, stderr);
  for (const step of ['build', 'unit', 'spell']) assert.match(stdout, new RegExp(`^${step}  /${step} speaks$`, 'm'));
  assert.match(stdout, /passed {2}run test-[0-9a-f]{8} of job test/);
  assert.equal((await runs()).length, before, 'it is on no record');
  const left = await world.engine.jobs.list('sample.local');
  assert.ok(left.ok);
  assert.deepEqual(left.value, []);
});

test('job run --local needs no release that is live; a step that fails fails it, and Ctrl-C ends its steps', async (context) => {
  const fresh = await makeCliWorld();
  context.after(() => fresh.dispose());
  await commitSample(fresh, { more });
  const { jobs } = fresh.engine;
  let exit: number | 'runs' = 3;
  jobs.onStep = ({ step }, folder) => {
    folder.set('dist', 'built');
    return step === '/build' ? 0 : exit;
  };
  const failing = await fresh.changeless('job', 'run', 'test', '--local');
  assert.equal(failing.code, 1, failing.stderr);
  assert.match(failing.stderr, /unit/);
  exit = 'runs';
  const interrupted = await fresh.interrupted(/on this machine/, 'job', 'run', 'test', '--local');
  assert.equal(interrupted.code, 130);
  assert.match(interrupted.stderr, /the steps of run test-[0-9a-f]{8} are ended/);
  const left = await jobs.list('sample.local');
  assert.ok(left.ok);
  assert.deepEqual(left.value, []);
});

for (const [words, said] of [
  [['job', 'logs', 'test', '--local'], /--local is for job run/],
  [['job', 'run', 'test', '--local', '--detach'], /leave --local or --detach out/],
  [['job', 'run', 'tset', '--local'], /the architecture has no job tset \(did you mean test\?\)/],
] as const)
  test(`${words.join(' ')} is a mistake, and says which`, async () => {
    const { code, stderr } = await world.changeless(...words);
    assert.notEqual(code, 0);
    assert.match(stderr, said);
  });
