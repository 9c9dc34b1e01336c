import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Lane } from '../../src/rollout/step.ts';
import { planFor } from './plan-for.ts';
import { app, sealRelease, service, streaming, type ReleaseChange } from './release-fixture.ts';
import { makeRolloutWorld } from './rollout-world.ts';

const words = (lanes: readonly Lane[] = []): string[] => lanes.map((lane) => lane.map((step) => step.do).join(' ')).toSorted();

/** The first stage of a change to a release that is live and settled. */
async function firstStage(change: ReleaseChange) {
  const world = await makeRolloutWorld();
  const first = sealRelease(world.engine);
  await world.up(first);
  await world.settled(first);
  const stage = await planFor(world.engine, sealRelease(world.engine, { commit: 'second', ...change }));
  await world.dispose();
  return stage;
}

void test('apps that alone change switch as soon as all are healthy, and what they replace drains after all have switched', async () => {
  const stage = await firstStage({ keys: { 'catalog/api': '2', 'accounts/api': '2' } });
  assert.equal(stage.name, 'prepare');
  const waiters = words(stage.lanes).filter((lane) => lane.includes('await-healthy'));
  assert.deepEqual(waiters, ['start-instance await-healthy', 'start-instance await-healthy']);
  assert.deepEqual(stage.followedBy?.map(words), [
    ['promote-path', 'promote-path'],
    ['drain-path', 'drain-path'],
  ]);
});

void test('where a store changes, its server is tried before anything else is begun', async () => {
  const stage = await firstStage({ keys: { sessions: '2', 'accounts/api': '2' } });
  assert.equal(stage.name, 'rehearse');
  assert.deepEqual(words(stage.lanes), ['copy-volume', 'ensure-network']);
  assert.equal(stage.followedBy, undefined);
});

void test('where the core changes, the apps are looked at again before it follows them', async () => {
  const { apps } = streaming();
  const stage = await firstStage({ architecture: streaming({ apps: { ...apps, third: app({ web: service() }, 'third.localhost') } }) });
  assert.equal(stage.name, 'ground');
  assert.equal(stage.followedBy, undefined);
});

void test('a release that is live and settled has nothing to do', async () => {
  const stage = await firstStage({});
  assert.deepEqual([stage.name, stage.live], ['settled', true]);
});

void test('what serves is not drained while the path that is to take over may not be started yet', async (context) => {
  const world = await makeRolloutWorld();
  context.after(world.dispose);
  const first = sealRelease(world.engine);
  await world.up(first);
  const { catalog, ...others } = streaming().apps;
  assert.ok(catalog);
  const changed = streaming({ apps: { catalog: { ...catalog, drain: { limitMs: 1234 } }, ...others } });
  const second = sealRelease(world.engine, { commit: 'second', architecture: changed });
  await world.up(second);
  await world.settled(second);
  const path = first.outputs.environments['local']?.apps['catalog']?.id.slice(0, 8);
  const hurried = { hurry: true, token: 1, heldBack: new Set([`catalog.path.${path}.1`]) };
  const stages = [await planFor(world.engine, first, { token: 1 }), await planFor(world.engine, first, hurried)];
  assert.equal(stages[0]?.name, 'prepare');
  const steps = [...(stages[1]?.lanes ?? []), ...(stages[1]?.followedBy?.flat() ?? [])].flat().map((step) => step.do);
  assert.ok(!steps.includes('drain-path'), steps.join());
  assert.equal(stages[1]?.live, false);
});
