import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { InstanceSpec } from '../../src/engine/engine.ts';
import { type CliWorld, makeCliWorld } from './cli-world.ts';
import { commit, commitSample, writeSample } from './sample.ts';

const steps = ", steps: { before: { migrate: { command: ['migrate'] } }, after: { warm: { command: ['warm'] } } }";

let world: CliWorld;
beforeEach(async () => {
  world = await makeCliWorld();
  await commitSample(world, { steps });
});
afterEach(() => world.dispose());

/** Each step says its name and ends with what `end` gives for it. */
function stepsEnd(end: (name: string) => number): void {
  world.engine.world.onStep = ({ name }: InstanceSpec) => {
    world.engine.world.print(name, `${name} says why`);
    return end(name);
  };
}

type Status = { apps: Record<string, { state: string; steps?: { step: string; exitCode: number }[] }>; drift: unknown[] };

test('steps that end well are told while they run, are in the status, and differ in nothing from the release', async () => {
  stepsEnd(() => 0);
  const { code, stderr } = await world.changeless('up');
  assert.equal(code, 0, stderr);
  assert.match(stderr, /ran +step migrate of web\/api in /);
  const { value } = await world.json<Status>('status');
  assert.deepEqual(
    value.apps['web']?.steps?.map(({ step, exitCode }) => [step, exitCode]),
    [
      ['api/migrate', 0],
      ['api/warm', 0],
    ],
  );
  assert.deepEqual([value.apps['web']?.state, value.drift], ['live', []]);
  world.engine.world.kill('web.api.migrate.blue.slot');
  assert.equal((await world.changeless('verify')).code, 0, 'also when the place of a step that is over has died');
});

test('a step before the switch that fails ends up with 1, its last lines, and what still serves', async () => {
  stepsEnd((name) => (name.includes('migrate') ? 3 : 0));
  const { code, stderr } = await world.changeless('up');
  assert.equal(code, 1);
  assert.match(stderr, /STEP_FAILED +step migrate of web\/api failed before the switch/);
  assert.match(stderr, /web\.api\.migrate\.blue says why/);
});

test('a step after the switch that fails ends up with 1 although the release is live, and status shows it', async () => {
  stepsEnd((name) => (name.includes('warm') ? 4 : 0));
  const { code, stderr, stdout } = await world.changeless('up');
  assert.equal(code, 1);
  assert.match(stderr, /STEP_FAILED +step warm of web\/api failed after the switch/);
  assert.match(stdout, /^live /);
  assert.match((await world.changeless('status')).stdout, /failed +step warm of web\/api ended with exit code 4/);
});

test('the output of steps is among that of their app', async () => {
  stepsEnd(() => 0);
  await world.changeless('up');
  const { stdout } = await world.changeless('logs', 'web');
  assert.match(stdout, /web\.api\.migrate\.blue says why/);
  assert.match((await world.changeless('explain', 'web.api.migrate.blue')).stdout, /it ran once for app web, and is kept to say so/);
});

test('a step without a command is a mistake with its place', async () => {
  writeSample(world, { steps: ', steps: { before: { migrate: {} } }' });
  commit(world, 'no command');
  const { code, stderr } = await world.changeless('up');
  assert.equal(code, 2);
  assert.match(stderr, /architecture\.ts:8/);
  assert.match(stderr, /apps\.web\.services\.api\.steps\.before\.migrate\.command/);
});
