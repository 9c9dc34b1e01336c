import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Manifest } from '../../src/release/manifest.ts';
import type { Request } from '../../src/request.ts';
import { app, sealRelease, service, streaming } from './release-fixture.ts';
import { architecture, comparable, inWorld, killAt, makeRolloutWorld, type RolloutWorld } from './rollout-world.ts';

const changed = { commit: 'second', keys: { 'catalog/api': '2', sessions: '2' } };

async function instancesOf({ engine }: RolloutWorld) {
  const observed = await engine.observe(architecture);
  assert.ok(observed.ok);
  return observed.value.instances;
}

const generationIn = ({ outputs }: Manifest): string => outputs.environments['local']?.apps['catalog']?.id ?? '';

const servingOf = async (world: RolloutWorld): Promise<string[]> =>
  (await instancesOf(world))
    .filter(({ owner, slot, path }) => owner.name === 'catalog' && slot === 'catalog.path.slot' && path?.phase === 'serving')
    .map(({ generation }) => generation);

const previewOf = async (world: RolloutWorld) => (await instancesOf(world)).filter(({ slot }) => slot === 'catalog.preview.slot');

const isHeld = ({ events }: RolloutWorld): boolean => events.some(({ type }) => type === 'rollout-held');

async function held(world: RolloutWorld) {
  const first = sealRelease(world.engine);
  await world.up(first);
  const second = sealRelease(world.engine, changed);
  await world.start(second, { holds: true });
  await world.until(() => isHeld(world));
  return { first, second };
}

const ask = ({ engine }: RolloutWorld, { release, outputs }: Manifest, what: 'let-live' | 'drop') =>
  engine.ask(architecture, { name: 'request.1', image: outputs.controller, request: { ask: what, release } satisfies Request });

const endOf = ({ events }: RolloutWorld, { release }: Manifest) => {
  const end = events.findLast((event) => event.type === 'rollout-ended' && event.release === release);
  return end?.type === 'rollout-ended' ? end : undefined;
};

inWorld('a release that is held can be looked at through its own data path, while the one before serves', async (world) => {
  const { first, second } = await held(world);
  assert.deepEqual(await servingOf(world), [generationIn(first)]);
  const [preview, ...more] = await previewOf(world);
  assert.deepEqual([preview?.generation, preview?.path?.phase, more.length], [generationIn(second), 'serving', 0]);
  const said = world.events.find(({ type }) => type === 'rollout-held');
  assert.ok(said?.type === 'rollout-held');
  assert.deepEqual(said.apps, [{ name: 'catalog', generation: generationIn(second) }]);
  const stores = (await instancesOf(world)).filter(({ owner }) => owner.name === 'sessions');
  assert.ok(
    stores.every(({ generation }) => generation === first.outputs.environments['local']?.stores['sessions']?.id),
    'stores wait',
  );
  assert.equal(endOf(world, second), undefined);
});

inWorld('let live, it switches to what was looked at', async (world) => {
  const { second } = await held(world);
  const looked = (await instancesOf(world)).filter(({ generation, role }) => generation === generationIn(second) && role === 'service');
  await ask(world, second, 'let-live');
  await world.until(() => endOf(world, second) !== undefined);
  assert.equal(endOf(world, second)?.outcome, 'live');
  await world.settled(second);
  const serving = (await instancesOf(world)).filter(({ generation, role }) => generation === generationIn(second) && role === 'service');
  assert.deepEqual(serving.map(({ container }) => container).toSorted(), looked.map(({ container }) => container).toSorted());
  assert.deepEqual(await previewOf(world), []);
  assert.deepEqual(await requests(world), []);
});

inWorld('dropped, nothing of it is left, and it may come again', async (world) => {
  const before = await makeRolloutWorld();
  const first = sealRelease(before.engine);
  await before.up(first);
  await before.settled(first);
  const { first: ours, second } = await held(world);
  await ask(world, second, 'drop');
  await world.until(() => endOf(world, second) !== undefined);
  assert.equal(endOf(world, second)?.problem?.code, 'RELEASE_DROPPED');
  await world.settled(ours);
  await world.until(async () => (await controllersOf(world)).length === 1);
  assert.deepEqual(comparable(world), comparable(before));
  assert.deepEqual(await requests(world), []);
  assert.equal((await world.up(second, { asked: 'up' })).outcome, 'live');
  await before.dispose();
});

const requests = async ({ engine }: RolloutWorld) => {
  const observed = await engine.observe(architecture);
  return observed.ok ? observed.value.requests : [];
};

const controllersOf = async ({ engine }: RolloutWorld) => {
  const controllers = await engine.controllers(architecture);
  return controllers.ok ? controllers.value : [];
};

inWorld('what cannot be looked at because it is not healthy fails like any release', async (world) => {
  const first = sealRelease(world.engine);
  await world.up(first);
  const second = sealRelease(world.engine, changed);
  const images = Object.values(second.outputs.environments['local']?.apps['catalog']?.images.services ?? {});
  world.engine.world.unhealthy(({ image }) => images.includes(image));
  assert.equal((await world.up(second, { holds: true })).problem?.code, 'ROLLOUT_UNHEALTHY');
  assert.deepEqual(await servingOf(world), [generationIn(first)]);
});

inWorld('a release that changes nothing is not held', async (world) => {
  await world.up(sealRelease(world.engine));
  assert.equal((await world.up(sealRelease(world.engine, { commit: 'second' }), { holds: true })).outcome, 'live');
});

const small = streaming({ apps: { catalog: app({ api: service() }, 'catalog.localhost') }, stores: {} });

for (const what of ['let-live', 'drop'] as const)
  void test(`killed at any effect of a release that is held and then ${what === 'drop' ? 'dropped' : 'let live'}, it ends so`, async () => {
    let kills = 0;
    for (const when of ['beforeEffect', 'midEffect', 'afterEffect'] as const)
      for (let effect = 1, more = true; more; effect += 1) {
        const world = await makeRolloutWorld();
        try {
          const first = sealRelease(world.engine, { architecture: small });
          await world.up(first);
          await world.settled(first);
          const second = sealRelease(world.engine, { architecture: small, ...changed });
          const from = world.engine.world.effects + 1;
          const kill = killAt(from + effect);
          let isAsking = false;
          world.engine.world[when] = (each) => (isAsking ? undefined : kill(each));
          await world.start(second, { holds: true });
          await world.until(() => isHeld(world));
          isAsking = true;
          await ask(world, second, what);
          isAsking = false;
          await world.until(() => endOf(world, second) !== undefined);
          assert.equal(endOf(world, second)?.outcome, what === 'drop' ? 'failed' : 'live');
          await world.settled(what === 'drop' ? first : second);
          assert.deepEqual(await previewOf(world), []);
          assert.deepEqual(world.engine.world.outages, []);
          more = world.engine.world.effects >= from + effect;
          kills += 1;
        } finally {
          await world.dispose();
        }
      }
    assert.ok(kills > 30, `${kills} kills`);
  });
