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
