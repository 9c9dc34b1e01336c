import assert from 'node:assert/strict';
import { test } from 'node:test';
import { app, sealRelease, service, streaming, type ReleaseChange } from './release-fixture.ts';
import { makeRolloutWorld } from './rollout-world.ts';

const { apps } = streaming();

const changes: Readonly<Record<string, ReleaseChange>> = {
  'two apps': { keys: { 'catalog/api': '2', 'accounts/api': '2' } },
  'an app and a store': { keys: { 'catalog/api': '2', sessions: '2' } },
  'the core': { architecture: streaming({ apps: { ...apps, third: app({ web: service() }, 'third.localhost') } }) },
};

for (const [name, change] of Object.entries(changes))
  void test(`what is replaced drains only while what replaces it serves: ${name}`, async () => {
    const world = await makeRolloutWorld();
    const first = sealRelease(world.engine);
    await world.up(first);
    await world.settled(first);
    const drained: { path: string; beside: number }[] = [];
    world.engine.world.beforeEffect = (effect) => {
      if (effect.verb !== 'drainPath') return;
      const instances = world.engine.world.machine.of('streaming').instances;
      const owner = instances.get(effect.name)?.spec.owner;
      if (owner) drained.push({ path: effect.name, beside: world.engine.world.serving(owner).length - 1 });
    };
    assert.equal((await world.up(sealRelease(world.engine, { commit: 'second', ...change }))).outcome, 'live');
    await world.dispose();
    assert.ok(drained.length > 0);
    assert.deepEqual(
      drained.filter(({ beside }) => beside !== 1),
      [],
    );
  });

void test('who was overtaken changes nothing any more, from the very next step on', async () => {
  const world = await makeRolloutWorld();
  const first = sealRelease(world.engine);
  await world.up(first);
  await world.settled(first);
  const before = world.engine.world.serving({ kind: 'app', name: 'catalog' });
  const after: string[] = [];
  world.engine.world.afterEffect = async ({ verb }) => {
    if (verb !== 'startInstance') return;
    // Its lease has lapsed, and another has begun.
    await world.ledger.claim({ release: first.release, commit: 'uncommitted', environment: 'local', controller: 'other', leaseMs: -1 });
    world.engine.world.afterEffect = undefined;
    world.engine.world.beforeEffect = (effect) => void after.push(`${effect.verb} ${effect.name}`);
  };
  const end = await world.up(sealRelease(world.engine, { commit: 'second', keys: { 'catalog/api': '2' } }));
  await world.dispose();
  assert.equal(end.outcome, 'superseded');
  assert.deepEqual(after, []);
  assert.deepEqual(world.engine.world.serving({ kind: 'app', name: 'catalog' }), before);
});
