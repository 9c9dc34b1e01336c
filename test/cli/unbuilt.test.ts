import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { labels } from '../../src/engine/labels.ts';
import { type CliWorld, makeCliWorld } from './cli-world.ts';
import { commit, commitSample } from './sample.ts';

let world: CliWorld;
beforeEach(async () => {
  world = await makeCliWorld();
});
afterEach(() => world.dispose());

type Status = {
  release: string;
  state: string;
  apps: Record<string, { state: string; generation: string; instances: { container: string }[] }>;
};
const status = async (): Promise<Status> => (await world.json<Status>('status')).value;

type Planned = { build: { component: string; key: string }[] };

/** The app `web` changes, and does not build; what else was written is committed with it. */
async function breakWeb(): Promise<void> {
  world.write('web/broken', 'yes');
  commit(world, 'web is broken');
  const { build } = (await world.json<Planned>('plan')).value;
  const broken = build.find(({ component }) => component === 'web/api')?.key;
  world.engine.world.images.onBuild = ({ labels: of }) =>
    of[labels.key] === broken ? { step: 'RUN make', lines: ['no rule'], message: 'exit code 2', noSpace: false } : undefined;
}

async function liveThenBroken({
  rollout = 'per-app',
  adminToo = true,
}: { rollout?: 'together' | 'per-app'; adminToo?: boolean } = {}): Promise<Status> {
  await commitSample(world, { rollout });
  assert.equal((await world.changeless('up')).code, 0);
  const before = await status();
  if (adminToo) world.write('admin/index.html', 'new');
  await breakWeb();
  return before;
}

test('an independent app that does not build is held back, and the rest of the commit goes live', async () => {
  const before = await liveThenBroken();
  const { code, stderr } = await world.changeless('up');
  assert.equal(code, 1);
  assert.match(stderr, /APPS_HELD_BACK  web failed in release [0-9a-f]{12} and stayed as it was/);
  assert.match(stderr, /why +step RUN make failed; exit code 2/);
  assert.match(stderr, /no rule/);
  assert.match(stderr, /release .*: 1 built, 1 reused/);
  const now = await status();
  assert.deepEqual([now.state, now.apps['web']?.state, now.apps['admin']?.state], ['degraded', 'held-back', 'live']);
  assert.equal(now.apps['web']?.generation, before.apps['web']?.generation);
  assert.notEqual(now.apps['admin']?.generation, before.apps['admin']?.generation);
  assert.deepEqual(world.engine.world.outages, []);
});

test('up again builds what could not be built', async () => {
  const before = await liveThenBroken();
  await world.changeless('up');
  const broken = await status();
  world.engine.world.images.onBuild = undefined;
  const { code, stderr } = await world.changeless('up');
  assert.equal(code, 0, stderr);
  const now = await status();
  assert.deepEqual([now.state, now.release], ['live', broken.release]);
  assert.notEqual(now.apps['web']?.generation, before.apps['web']?.generation);
  assert.equal(now.apps['admin']?.generation, broken.apps['admin']?.generation);
});

test('a commit that changes nothing but the app that does not build is no release', async () => {
  const before = await liveThenBroken({ adminToo: false });
  const effects = world.engine.world.effects;
  const { code, stderr } = await world.changeless('up');
  assert.equal(code, 1);
  assert.match(stderr, /BUILD_FAILED  web\/api does not build/);
  assert.deepEqual([await status(), world.engine.world.effects], [before, effects]);
});

test('where all goes together an app that does not build fails the commit', async () => {
  const before = await liveThenBroken({ rollout: 'together' });
  const { code, stderr } = await world.changeless('up');
  assert.equal(code, 1);
  assert.match(stderr, /BUILD_FAILED  web\/api does not build/);
  assert.deepEqual(await status(), before);
});

test('a first commit comes live without the app that does not build', async () => {
  await commitSample(world, { rollout: 'per-app' });
  await breakWeb();
  const { code } = await world.changeless('up');
  assert.equal(code, 1);
  const now = await status();
  assert.deepEqual([now.state, now.apps['web']?.state, now.apps['admin']?.state], ['degraded', 'down', 'live']);
});

test('an app that is held back because of its build is found by a rollback, which leaves it as it is', async () => {
  const before = await liveThenBroken();
  await world.changeless('up');
  const { code, stderr } = await world.changeless('rollback');
  assert.equal(code, 0, stderr);
  const now = await status();
  assert.deepEqual([now.state, now.release], ['live', before.release]);
  const pathsOf = ({ apps }: Status) => apps['web']?.instances.map(({ container }) => container);
  assert.deepEqual(pathsOf(now), pathsOf(before), 'it never left');
});
