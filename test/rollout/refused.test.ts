import assert from 'node:assert/strict';
import { sealRelease } from './release-fixture.ts';
import { architecture, inWorld } from './rollout-world.ts';

inWorld('a release that failed is not deployed again by up, and is when it is asked for anyway', async (world) => {
  await world.up(sealRelease(world.engine), { asked: 'up' });
  const second = sealRelease(world.engine, { commit: 'second', keys: { 'catalog/api': '2' } });
  world.engine.world.unhealthy(({ image }) => image === second.outputs.environments['local']?.apps['catalog']?.images.services['api']);
  assert.equal((await world.up(second, { asked: 'up' })).problem?.code, 'ROLLOUT_UNHEALTHY');
  world.engine.world.unhealthy(() => false);
  const refused = await world.up(second, { asked: 'up' });
  assert.equal(refused.problem?.code, 'RELEASE_QUARANTINED');
  assert.match(refused.problem?.why ?? '', /catalog never became healthy/);
  assert.equal((await world.up(second, { asked: 'anyway' })).outcome, 'live');
});

inWorld('a release that was rolled back is not deployed again by up; a newer commit is', async (world) => {
  const first = sealRelease(world.engine);
  const second = sealRelease(world.engine, { commit: 'second', keys: { 'catalog/api': '2' } });
  await world.up(first, { asked: 'up' });
  await world.up(second, { asked: 'up' });
  assert.equal((await world.up(first, { asked: 'rollback' })).outcome, 'live');
  const refused = await world.up(second, { asked: 'up' });
  assert.equal(refused.problem?.code, 'RELEASE_QUARANTINED');
  assert.match(refused.problem?.why ?? '', new RegExp(`rolled back .* to release ${first.release.slice(0, 12)}`));
  const third = sealRelease(world.engine, { commit: 'third', keys: { 'catalog/api': '3' } });
  assert.equal((await world.up(third, { asked: 'up' })).outcome, 'live');
});

inWorld('a release image that is run by hand is never refused', async (world) => {
  const [first, second] = [sealRelease(world.engine), sealRelease(world.engine, { commit: 'second' })];
  await world.up(first, { asked: 'up' });
  await world.up(second, { asked: 'up' });
  await world.up(first, { asked: 'rollback' });
  assert.equal((await world.up(second)).outcome, 'live');
});

inWorld('without a ledger the controllers of two releases do not choose, until one of them is removed', async (world) => {
  const first = sealRelease(world.engine);
  const second = sealRelease(world.engine, { commit: 'second', keys: { 'catalog/api': '2' } });
  await world.up(first);
  await world.settled(first);
  await world.loseLedger();
  const effects = world.engine.world.effects;
  const refused = await world.up(second);
  assert.equal(refused.problem?.code, 'TWO_CONTROLLERS');
  assert.equal(world.engine.world.effects, effects + 2, 'its own start and removal are all that was done');
  const name = await world.start(second);
  await world.until(() => world.events.filter(({ type }) => type === 'rollout-ended').length === 3);
  const controllers = await world.engine.controllers(architecture);
  assert.ok(controllers.ok);
  const others = controllers.value.filter((controller) => controller.name !== name);
  for (const other of others) await world.engine.removeController(architecture, other.name);
  await world.until(() =>
    world.events.some((event) => event.type === 'rollout-ended' && event.release === second.release && event.outcome === 'live'),
  );
});

inWorld('of those that wait for a rollout only the latest comes next, and what was skipped is on record', async (world) => {
  await world.up(sealRelease(world.engine));
  const [path] = world.engine.world.serving({ kind: 'app', name: 'catalog' });
  assert.ok(path);
  world.engine.world.holdConnections(path);
  const [second, third, fourth] = ['2', '3', '4'].map((key) => sealRelease(world.engine, { commit: key, keys: { 'catalog/api': key } }));
  assert.ok(second && third && fourth);
  const running = world.up(second);
  await world.until(() => world.events.some((event) => event.type === 'unit-draining'));
  const skipped = world.up(third, { waits: true });
  await world.until(() => world.events.some((event) => event.type === 'rollout-waiting' && event.release === third.release));
  const last = world.up(fourth, { waits: true });
  assert.equal((await skipped).outcome, 'superseded');
  assert.ok(!world.events.some((event) => event.type === 'rollout-started' && event.release === third.release));
  world.engine.world.releaseConnections(path);
  assert.deepEqual([(await running).outcome, (await last).outcome], ['live', 'live']);
  const recorded = (await world.ledger.rollouts(9)).toReversed().map(({ release, outcome }) => [release, outcome]);
  const told = [
    [second.release, 'live'],
    [third.release, 'superseded'],
    [fourth.release, 'live'],
  ];
  assert.deepEqual(recorded.slice(1), told);
});
