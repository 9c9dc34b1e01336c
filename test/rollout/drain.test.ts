import assert from 'node:assert/strict';
import { app, sealRelease, service, streaming } from './release-fixture.ts';
import { inWorld } from './rollout-world.ts';

const polite = (drainMs = 30_000) => {
  const services = { api: service({ drainSignal: 'SIGUSR1' }), providers: service({ entry: false, replicas: 1 }) };
  return streaming({ apps: { ...streaming().apps, catalog: app(services, 'catalog.localhost', drainMs) } });
};

inWorld('instances that are replaced are told so once their path drains, where they want to be told', async (world) => {
  await world.up(sealRelease(world.engine, { architecture: polite() }));
  await world.up(sealRelease(world.engine, { architecture: polite(), commit: 'second', keys: { 'catalog/api': '2' } }));
  assert.deepEqual(world.engine.world.signals.map(({ name, signal }) => `${name} ${signal}`).toSorted(), [
    'catalog.api-1.blue SIGUSR1',
    'catalog.api-2.blue SIGUSR1',
  ]);
});

inWorld('instances that stay behind another path are not', async (world) => {
  await world.up(sealRelease(world.engine, { architecture: polite() }));
  await world.up(sealRelease(world.engine, { architecture: polite(10_000), commit: 'second' }));
  assert.ok(world.events.some((event) => event.type === 'unit-retired' && event.unit.name === 'catalog'));
  assert.deepEqual(world.engine.world.signals, []);
});

inWorld('what holds a path that drains is said, and what was cut at its limit is counted', async (world) => {
  await world.up(sealRelease(world.engine));
  const [path] = world.engine.world.serving({ kind: 'app', name: 'catalog' });
  assert.ok(path);
  world.engine.world.holdConnections(path, 3);
  const ended = world.up(sealRelease(world.engine, { commit: 'second', keys: { 'catalog/api': '2' } }));
  await world.until(() => world.events.some((event) => event.type === 'drain-waiting' && event.connections === 3));
  world.engine.world.reachDrainLimit(path);
  assert.equal((await ended).cut, 3);
  assert.ok(world.events.some((event) => event.type === 'unit-retired' && event.cut === 3));
});
