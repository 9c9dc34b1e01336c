import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { containersOf, imagesOf, startExecutioner, type Executioner } from './docker.ts';
import { makeWorld, until, type World } from './world.ts';

const lines = 40;
const counts = `for i in $(seq 1 ${lines}); do echo line $i; sleep 0.2; done`;
const jobs = `agents: { node: agent({ build: 'hello' }) },
  jobs: {
    test: job({
      steps: [
        step({ name: 'build', agent: 'node', run: 'mkdir dist && echo built > dist/app', artifacts: ['dist'] }),
        [
          step({ name: 'unit', agent: 'node', run: ${JSON.stringify(counts)} }),
          step({ name: 'lint', agent: 'node', run: 'cat dist/app && ls README.md' }),
        ],
      ],
    }),
  },
  apps: {`;

let world: World;
let executioner: Executioner;
before(async () => {
  const file = 'architecture.ts';
  const imports = { file, from: 'import { app, architecture, service }', to: 'import { agent, app, architecture, job, service, step }' };
  world = await makeWorld('hello', imports, { file, from: 'apps: {', to: jobs });
  executioner = await startExecutioner();
  await world.done('up');
});
after(async () => {
  await executioner?.dispose();
  await world?.dispose();
});

const ofRole = async (role: string) => (await containersOf(world.architecture)).filter((container) => container.role === role);

const jobImages = async () => [...(await imagesOf(world.architecture)).keys()].filter((tag) => /^job-step:|\.source:/.test(tag));

/** Begins a run and waits until its longest step has said something; the container that step runs in. */
async function beginRun(): Promise<{ run: string; container: string }> {
  const { value } = await world.json<{ run: string }>('job', 'run', 'test', '--detach');
  const following = world.begin(['job', 'logs', value.run, '--follow']);
  await following.said(/unit {2}line 5\n/);
  following.interrupt();
  await following.ended;
  const unit = (await ofRole('job-step')).find(({ state }) => state === 'running');
  assert.ok(unit, 'the step runs');
  assert.equal((await jobImages()).length, 4, 'one for each step, and their source');
  return { run: value.run, container: unit.id };
}

/** It ends once, its output is whole, and nothing of it is left on the engine. */
async function endsOnce({ run, container }: { run: string; container: string }): Promise<void> {
  const followed = await world.changeless('job', 'logs', run, '--follow');
  assert.equal(followed.code, 0, followed.stderr);
  await until('nothing of it is left', async () => (await ofRole('job-step')).length + (await ofRole('job-place')).length === 0);
  await until('its images are gone', async () => (await jobImages()).length === 0);
  const kept = await world.done('job', 'logs', run, '--step', 'unit');
  assert.deepEqual(
    kept.trimEnd().split('\n'),
    Array.from({ length: lines }, (_, index) => `unit  line ${index + 1}`),
  );
  assert.equal(await world.done('job', 'logs', run, '--step', 'lint'), 'lint  built\nlint  README.md\n');
  const said = await world.done('logs', 'controller', '--tail', '10000');
  const ends = said.split('\n').filter((line) => line.includes('"job-step-ended"') && line.includes(run) && line.includes('/unit'));
  assert.equal(ends.length, 1, 'its end was recorded once');
  assert.match(ends[0] ?? '', new RegExp(`"container":"${container}".*"exitCode":0`));
  const { value } = await world.json<{ jobs: { last: { run: string; outcome: string } }[] }>('jobs');
  assert.deepEqual([value.jobs[0]?.last.run, value.jobs[0]?.last.outcome], [run, 'passed']);
}

test('a job of three steps is run by hand, and hands its artifact on', async () => {
  const { code, stdout, stderr } = await world.changeless('job', 'run', 'test');
  assert.equal(code, 0, stderr);
  assert.match(stdout, /lint {2}built/);
  await world.done('verify');
});

test('a controller that is killed in the middle comes back and adopts the step', async () => {
  const begun = await beginRun();
  const [controller] = await ofRole('controller');
  assert.ok(controller);
  await executioner.kill(controller.id);
  await endsOnce(begun);
  assert.equal((await ofRole('controller'))[0]?.restarts, 1);
});

test('a controller that is replaced by another release in the middle leaves the step to its successor', async () => {
  const begun = await beginRun();
  const [before] = await ofRole('controller');
  await world.commit('Another greeting', { file: 'architecture.ts', from: "GREETING: 'Hello'", to: "GREETING: 'Good evening'" });
  await world.done('up');
  assert.notEqual((await ofRole('controller'))[0]?.id, before?.id);
  await endsOnce(begun);
  await world.done('verify');
});
