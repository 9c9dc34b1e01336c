import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Manifest } from '../../src/release/manifest.ts';
import { sealRelease } from './release-fixture.ts';
import { killAt, makeRolloutWorld, type RolloutWorld } from './rollout-world.ts';

type Scenario = { name: string; prepare: (world: RolloutWorld) => Promise<Manifest>; act: (world: RolloutWorld) => Promise<Manifest> };

const changed = { commit: 'second', keys: { 'catalog/api': '2', 'accounts/api': '2' } };

const scenarios: Scenario[] = [
  {
    name: 'a first release',
    prepare: async ({ engine }) => sealRelease(engine),
    act: async ({ engine, up }) => upWith(up, sealRelease(engine)),
  },
  { name: 'two apps replaced', prepare: live, act: ({ engine, up }) => upWith(up, sealRelease(engine, changed)) },
  {
    name: 'a store replaced',
    prepare: live,
    act: ({ engine, up }) => upWith(up, sealRelease(engine, { commit: 'second', keys: { sessions: '2' } })),
  },
  {
    name: 'a rollback',
    prepare: async (world) => (await live(world), upWith(world.up, sealRelease(world.engine, changed))),
    act: ({ engine, up }) => upWith(up, sealRelease(engine)),
  },
];

async function live(world: RolloutWorld): Promise<Manifest> {
  const manifest = sealRelease(world.engine);
  await world.up(manifest);
  await world.settled(manifest);
  return manifest;
}

async function upWith(up: RolloutWorld['up'], manifest: Manifest): Promise<Manifest> {
  assert.equal((await up(manifest)).outcome, 'live');
  return manifest;
}

/** Names without what tells one rollout from another. */
const comparable = (world: RolloutWorld): string[] =>
  world.engine.world
    .inventory()
    .map((line) => line.replaceAll(/controller\.[0-9a-f]{8}\.\d+/g, 'controller').replaceAll(/(\.path\.[0-9a-f]{8})\.\d+/g, '$1'))
    .toSorted();

async function undisturbed({ prepare, act }: Scenario): Promise<{ first: number; last: number; end: string[] }> {
  const world = await makeRolloutWorld();
  await prepare(world);
  const first = world.engine.world.effects + 1;
  const manifest = await act(world);
  const last = world.engine.world.effects;
  await world.settled(manifest);
  const end = comparable(world);
  await world.dispose();
  return { first, last, end };
}

for (const scenario of scenarios)
  void test(`${scenario.name}: the controller may be killed before or after any effect`, async (context) => {
    const { first, last, end } = await undisturbed(scenario);
    for (const when of ['beforeEffect', 'midEffect', 'afterEffect'] as const)
      for (let effect = first + 1; effect <= last; effect += 1) {
        const world = await makeRolloutWorld();
        await scenario.prepare(world);
        world.engine.world[when] = killAt(effect);
        const manifest = await scenario.act(world);
        await world.settled(manifest);
        const at = `${when} ${effect}`;
        assert.deepEqual(comparable(world), end, at);
        if (scenario.name !== 'a store replaced') assert.deepEqual(world.engine.world.outages, [], at);
        assert.equal(world.events.filter(({ type }) => type === 'controller-started').length > 1, true, `${at}: it was killed`);
        await world.dispose();
      }
    context.diagnostic(`${3 * (last - first)} kills`);
  });
