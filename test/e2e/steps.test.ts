import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { containersOf, type Container } from './docker.ts';
import { makeWorld, type World } from './world.ts';

const migrate = (script: string): string => `steps: { before: { migrate: { command: ['node', '-e', ${JSON.stringify(script)}] } } },`;
const good = "console.log('migrated by', process.env.CHANGELESS_STEP, process.env.GREETING)";
const bad = "console.log('no such column'); process.exit(3)";

let world: World;
before(async () => {
  const settings = "settings: { GREETING: 'Hello' }";
  world = await makeWorld('hello', { file: 'architecture.ts', from: settings, to: `${settings}, ${migrate(good)}` });
});
after(() => world?.dispose());

const host = 'hello.localhost';
const ofRole = async (role: string): Promise<Container[]> =>
  (await containersOf(world.architecture)).filter((container) => container.role === role);

test('steps before the switch, on the real engine', async (story) => {
  await story.test('one runs once, with the settings of its service, before any instance starts', async () => {
    await world.done('up');
    const [[step, ...more], [instance]] = await Promise.all([ofRole('step'), ofRole('service')]);
    assert.ok(step && instance && more.length === 0);
    assert.deepEqual([step.state, step.restarts], ['exited', 0]);
    assert.ok(step.startedAt < instance.startedAt);
    assert.match(await world.done('logs', 'hello'), /migrated by migrate Hello/);
    assert.match(await world.done('verify'), /./);
    await world.commit('Another time to drain', { file: 'architecture.ts', from: 'app({', to: 'app({ drain: { limitMs: 20_000 },' });
    await world.done('up');
    assert.deepEqual(await ofRole('step'), [step], 'no new instances came');
  });

  await story.test('one that fails leaves the old release serving, and nothing of itself', async () => {
    const kept = await ofRole('service');
    await world.commit('A migration that cannot be', { file: 'architecture.ts', from: migrate(good), to: migrate(bad) });
    const { code, stderr } = await world.changeless('up');
    assert.equal(code, 1, stderr);
    assert.match(stderr, /STEP_FAILED +step migrate of hello\/web failed before the switch/);
    assert.match(stderr, /no such column/);
    assert.deepEqual(await ofRole('service'), kept);
    assert.equal((await ofRole('step')).length, 1);
    assert.equal((await world.ask(host)).app, 'hello');
    await world.done('verify');
  });
});
