import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunId } from '../../src/digest.ts';
import { labels } from '../../src/engine/labels.ts';
import { architecture, job, JobsWorld, step } from './jobs-world.ts';

const inWorld = (name: string, jobs: JobsWorld['jobs'], body: (world: JobsWorld) => Promise<void>): void => {
  void test(name, async () => {
    const world = await JobsWorld.make(jobs);
    try {
      await body(world);
    } finally {
      await world.dispose();
    }
  });
};

const runsOn = (world: JobsWorld): void => {
  world.engine.jobs.onStep = () => 'runs';
};

const build = job([step('build', { artifacts: ['dist'] })], [step('unit'), step('lint')]);

inWorld('groups run in order, the steps of a group side by side, and artifacts are handed on', { build }, async (world) => {
  const found: string[] = [];
  world.engine.jobs.onStep = (spec, folder) => {
    if (spec.step === '/build') folder.set('dist', 'built');
    else found.push(`${spec.step} ${folder.get('dist')}`);
    return 'runs';
  };
  world.start('a');
  const id = await world.ask('build-1', 'build');
  await world.runs('/build');
  assert.deepEqual(await world.stepsOnEngine(), ['/build running']);
  world.engine.jobs.finish(id, '/build', 0);
  await world.runs('/unit');
  await world.runs('/lint');
  assert.deepEqual(found.toSorted(), ['/lint built', '/unit built']);
  for (const key of ['/unit', '/lint']) world.engine.jobs.finish(id, key, 0);
  const run = await world.closed(id);
  assert.equal(run.outcome, 'passed');
  assert.deepEqual(
    run.steps.map(({ step: key, outcome, exitCode }) => [key, outcome, exitCode]),
    ['/build', '/lint', '/unit'].map((key) => [key, 'passed', 0]),
  );
  assert.deepEqual(await world.stepsOnEngine(), [], 'nothing of it is left');
  for (const type of ['job-accepted', 'job-started', 'job-ended'] as const) assert.equal(world.said(id, type).length, 1, type);
  for (const type of ['job-step-started', 'job-step-ended'] as const) assert.equal(world.said(id, type).length, 3, type);
});

inWorld('a request that is repeated under the same id runs nothing twice', { build: job([step('only')]) }, async (world) => {
  world.start('a');
  const id = await world.ask('build-1', 'build');
  await world.closed(id);
  await world.ask('build-1', 'build');
  await world.until('the request is taken', async () => {
    const requests = await world.engine.requests(architecture);
    return requests.ok && requests.value.length === 0;
  });
  assert.deepEqual(world.engine.jobs.began, ['build-1 /only']);
  assert.equal(world.said(id, 'job-accepted').length, 1);
});

inWorld(
  'a step that fails ends its cell, names itself and its last lines; other cells go on',
  {
    build: { ...job([step('test')], [step('publish')]), matrix: { java: ['17', '21'] } },
  },
  async (world) => {
    runsOn(world);
    world.start('a');
    const id = await world.ask('build-1', 'build');
    await world.runs('java=17/test');
    await world.runs('java=21/test');
    world.engine.jobs.print(id, 'java=17/test', 'expected 3, found 4');
    world.engine.jobs.finish(id, 'java=17/test', 2);
    world.engine.jobs.finish(id, 'java=21/test', 0);
    await world.runs('java=21/publish');
    world.engine.jobs.finish(id, 'java=21/publish', 0);
    const run = await world.closed(id);
    assert.equal(run.outcome, 'failed');
    assert.equal(
      run.steps.some((each) => each.step === 'java=17/publish'),
      false,
    );
    assert.match(run.problem?.what ?? '', /job build failed in step java=17\/test/);
    assert.match(run.problem?.why ?? '', /exit code 2$/);
    assert.match(run.problem?.where ?? '', /^container [0-9a-f]{12} \(10\.1\.2\.3\) on host memory \(192\.0\.2\.7\)$/);
    assert.deepEqual(run.problem?.lines, ['expected 3, found 4']);
  },
);

const publish = job([step('publish', { secrets: { token: 'token' } })]);

inWorld('what a step prints of its secrets is told to nobody', { publish }, async (world) => {
  runsOn(world);
  world.start('a');
  const id = await world.ask('publish-1', 'publish');
  await world.runs('/publish');
  world.engine.jobs.print(id, '/publish', 'refused: “value of token” is no token');
  world.engine.jobs.finish(id, '/publish', 1);
  const run = await world.closed(id);
  assert.deepEqual(run.problem?.lines, ['refused: “[secret]” is no token']);
  assert.doesNotMatch(JSON.stringify(world.events), /value of token/);
});

inWorld('what is asked of a job that is not there is refused, with a name that is near', { build }, async (world) => {
  world.start('a');
  await world.ask('x-1', 'bild');
  await world.until('it is refused', () => world.events.some(({ type }) => type === 'request-refused'));
  const refused = world.events.find((event) => event.type === 'request-refused');
  assert.ok(refused?.type === 'request-refused');
  assert.equal(refused.problem.code, 'UNKNOWN_JOB');
  assert.match(refused.problem.what, /build/);
  assert.equal(await world.ledger.runs.find('x-1' as RunId), undefined);
});

inWorld('a run can be cancelled: what runs is asked to end, then ended, and nothing follows', { build }, async (world) => {
  runsOn(world);
  world.engine.jobs.obeys = () => false;
  world.start('a');
  const id = await world.ask('build-1', 'build');
  await world.runs('/build');
  const request = { ask: 'cancel-job', run: id } as const;
  await world.engine.ask(architecture, { name: 'request.cancel', image: world.image('request'), request });
  await world.until('it is on record', async () => (await world.run(id)).cancelAskedAt !== undefined);
  const askedAt = world.nowMs;
  const run = await world.closed(id);
  assert.deepEqual([run.outcome, run.steps.map(({ outcome, exitCode }) => [outcome, exitCode])], ['cancelled', [['cancelled', 137]]]);
  assert.ok(Date.parse(run.endedAt ?? '') - askedAt >= 9000, 'it had its time to end by itself');
});

inWorld(
  'a step that takes longer than it may is ended',
  { build: job([step('slow', { limitMs: 1000 })], [step('next')]) },
  async (world) => {
    runsOn(world);
    world.start('a');
    const run = await world.closed(await world.ask('build-1', 'build'));
    assert.deepEqual([run.outcome, run.steps.map(({ outcome }) => outcome)], ['timed-out', ['timed-out']]);
    assert.match(run.steps[0]?.problem?.why ?? '', /longer than the 1 s/);
  },
);

inWorld(
  'a run that takes longer than it may is ended',
  { build: { ...job([step('slow')], [step('next')]), limitMs: 2000 } },
  async (world) => {
    runsOn(world);
    world.start('a');
    const run = await world.closed(await world.ask('build-1', 'build'));
    assert.deepEqual([run.outcome, run.steps.map(({ step: key }) => key)], ['timed-out', ['/slow']]);
  },
);

inWorld('a step that fills its folder is ended at once', { build: job([step('greedy')]) }, async (world) => {
  runsOn(world);
  world.start('a');
  const id = await world.ask('build-1', 'build');
  await world.runs('/greedy');
  world.engine.jobs.fill(id, '/greedy');
  const run = await world.closed(id);
  assert.equal(run.outcome, 'failed');
  assert.match(run.steps[0]?.problem?.why ?? '', /folder/);
});

inWorld('a step whose container is gone counts as lost, fails the run, and is not run again', { build }, async (world) => {
  runsOn(world);
  world.start('a');
  const id = await world.ask('build-1', 'build');
  await world.runs('/build');
  world.engine.jobs.lose(id, '/build');
  const run = await world.closed(id);
  assert.deepEqual([run.outcome, run.steps.map(({ outcome }) => outcome)], ['failed', ['lost']]);
  assert.deepEqual(world.engine.jobs.began, ['build-1 /build']);
});

inWorld('a step without its image, or without an artifact it needs, fails and says so', { build }, async (world) => {
  world.start('a');
  const missing = await world.closed(await world.ask('build-1', 'build'));
  assert.match(missing.problem?.why ?? '', /left no dist/);
  const id = 'build-2' as RunId;
  await world.accept('build-2', 'build');
  for (const tag of (await world.engine.images.list({ reference: `changeless/${architecture}/job-step` })).flatMap(({ tags }) => tags))
    await world.engine.images.remove(tag);
  const bare = await world.closed(id);
  assert.deepEqual([bare.outcome, bare.steps[0]?.problem?.code], ['failed', 'STEP_IMAGE_MISSING']);
});

inWorld('images of steps go when their run has ended, and their source with the last run it was for', { build }, async (world) => {
  runsOn(world);
  world.start('a');
  const left = async () =>
    (await world.engine.images.list({ labels: { [labels.architecture]: architecture } })).flatMap(({ tags }) => tags);
  const [one, other] = [await world.ask('build-1', 'build'), await world.ask('build-2', 'build')];
  assert.equal((await left()).length, 7);
  for (const id of [one, other]) {
    await world.until('it runs', () => world.engine.jobs.began.includes(`${id} /build`));
    world.engine.jobs.finish(id, '/build', 1);
    await world.closed(id);
    assert.equal((await left()).length, id === one ? 4 : 0);
  }
});

inWorld('a job that passes after it had failed is fixed, and is so once', { build: job([step('only')]) }, async (world) => {
  const codes = [1, 0, 0];
  world.engine.jobs.onStep = () => codes.shift() ?? 0;
  world.start('a');
  for (const run of ['b-1', 'b-2', 'b-3']) {
    await world.closed(await world.ask(run, 'build'));
    world.nowMs += 1000;
  }
  const ended = world.events.flatMap((event) => (event.type === 'job-ended' ? [[event.outcome, event.fixed]] : []));
  assert.deepEqual(ended, [
    ['failed', undefined],
    ['passed', true],
    ['passed', undefined],
  ]);
});

inWorld('a run that was passed over is not the last word on its job', { build: job([step('only')]) }, async (world) => {
  const owner = world.start('a');
  const { job: name, release, environment, commit, parameters, plan } = await world.closed(await world.ask('b-1', 'build'));
  await owner.stop();
  for (const id of ['b-2', 'b-3'] as RunId[]) {
    world.nowMs += 1000;
    world.makeImages(id, 'build');
    await world.ledger.runs.accept({ id, job: name, release, environment, commit, parameters, plan, reason: 'push', turn: 'one' });
  }
  world.start('a');
  await world.closed('b-2' as RunId);
  await world.closed('b-3' as RunId);
  const ended = world.events.flatMap((event) => (event.type === 'job-ended' ? [[event.run, [event.outcome, event.fixed]] as const] : []));
  assert.deepEqual(Object.fromEntries(ended), {
    'b-1': ['passed', undefined],
    'b-2': ['superseded', undefined],
    'b-3': ['passed', undefined],
  });
});

inWorld(
  'no more than eight steps run at a time, of all runs',
  {
    wide: job(Array.from({ length: 6 }, (_, index) => step(`s${index}`))),
  },
  async (world) => {
    runsOn(world);
    let most = 0;
    world.start('a');
    const ids = await Promise.all(['w-1', 'w-2'].map((run) => world.ask(run, 'wide')));
    const running = (): string[] => world.engine.jobs.runningSteps();
    await world.until('as many run as may', () => running().length === 8);
    const finishOne = (): void => {
      most = Math.max(most, running().length);
      const [first] = running();
      if (first === undefined) return;
      const [run = '', key = ''] = first.split(' ');
      world.engine.jobs.finish(run as RunId, key, 0);
    };
    for (const id of ids) assert.equal((await world.closed(id, finishOne)).outcome, 'passed');
    assert.equal(most, 8);
  },
);

inWorld(
  'secrets are opened for the step that names them',
  { build: job([step('only', { secrets: { token: 'api-token' } })]) },
  async (world) => {
    const seen: string[] = [];
    world.engine.jobs.onStep = (_, __, values) => {
      seen.push(`${Object.keys(values).join()} ${values['api-token']?.revealText()}`);
      return 0;
    };
    world.start('a');
    const run = await world.closed(await world.ask('build-1', 'build'));
    assert.deepEqual([run.outcome, seen], ['passed', ['api-token value of token']]);
  },
);
