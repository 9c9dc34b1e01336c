import assert from 'node:assert/strict';
import { sealRelease } from './release-fixture.ts';
import { architecture, comparable, inWorld, type RolloutWorld } from './rollout-world.ts';
import { ask, elastic, elasticRelease, instances, places, scale, served } from './scale-fixture.ts';

const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => `api-${index + 1}`);
const inBoth = (count: number): string[] => numbered(count).flatMap((name) => [`${name}.blue`, `${name}.green`]);

async function live(world: RolloutWorld, change = {}): ReturnType<typeof makeManifest> {
  return makeManifest(world, change);
}

async function makeManifest(world: RolloutWorld, change = {}) {
  const manifest = elasticRelease(world, change);
  assert.equal((await world.up(manifest)).outcome, 'live');
  await world.settled(manifest);
  return manifest;
}

/** A controller that waits looks again, as it does once a second. */
const somethingHappens = ({ engine }: RolloutWorld): void => engine.world.touch('catalog.api-1.blue', 'exec_start');

const containersOf = async ({ engine }: RolloutWorld): Promise<Map<string, string>> => {
  const observed = await engine.observe(architecture);
  return new Map(observed.ok ? observed.value.instances.map(({ name, container }) => [name, container]) : []);
};

inWorld('a service begins with the least, and has as many places in either colour', async (world) => {
  await live(world);
  assert.deepEqual(instances(world), numbered(2));
  assert.deepEqual(places(world), inBoth(2));
});

inWorld('instances come and go as was asked, and those that stay are not touched', async (world) => {
  const manifest = await live(world);
  const before = await containersOf(world);
  await scale(world, 5, manifest);
  assert.deepEqual(instances(world), numbered(5));
  assert.deepEqual(places(world), inBoth(5));
  await scale(world, 3, manifest);
  assert.deepEqual(instances(world), numbered(3));
  assert.deepEqual(places(world), inBoth(3));
  const after = await containersOf(world);
  for (const [name, container] of before) assert.equal(after.get(name), container, name);
  assert.deepEqual(
    world.events.flatMap((event) => (event.type === 'service-scaled' ? [[event.from, event.to, event.why]] : [])),
    [
      [2, 5, 'asked'],
      [5, 3, 'asked'],
    ],
  );
});

inWorld('nothing is left of having been more', async (world) => {
  const manifest = await live(world);
  const before = comparable(world);
  await scale(world, 4, manifest);
  await scale(world, 2, manifest);
  assert.deepEqual(comparable(world), before);
  assert.deepEqual(world.engine.world.availability.stuck, []);
});

inWorld('what is asked beyond the range, or of a service without one, is refused', async (world) => {
  const manifest = await live(world);
  await scale(world, 6, manifest);
  await scale(world, 1, manifest);
  const { engine } = world;
  const request = { ask: 'scale', app: 'catalog', service: 'providers', count: 3 } as const;
  await engine.ask(architecture, { name: 'scale.other', image: manifest.outputs.controller, request });
  await served(world, manifest);
  assert.deepEqual(instances(world), numbered(2));
  assert.deepEqual(
    world.events.flatMap((event) => (event.type === 'request-refused' ? [event.problem.what] : [])),
    [
      'catalog.api has from 2 to 5 instances, not 6',
      'catalog.api has from 2 to 5 instances, not 1',
      'catalog.providers has no range of instances',
    ],
  );
});

inWorld('of several requests the latest counts', async (world) => {
  const manifest = await live(world);
  await Promise.all([ask(world, 4, manifest), ask(world, 3, manifest)]);
  await served(world, manifest);
  assert.deepEqual(instances(world), numbered(3));
});

inWorld('an instance that leaves first finishes what it has, and gets nothing new', async (world) => {
  const manifest = await live(world);
  await scale(world, 3, manifest);
  world.engine.world.holdRequests('catalog.api-3.blue', 2);
  await ask(world, 2, manifest);
  const isToldToLeave = () => world.engine.world.inventory().some((line) => line.includes('api-3.blue.leaving'));
  await world.until(isToldToLeave);
  for (let turn = 0; turn < 200; turn += 1) {
    somethingHappens(world);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepEqual(instances(world), numbered(3));
  world.engine.world.holdRequests('catalog.api-3.blue', 0);
  somethingHappens(world);
  await served(world, manifest);
  assert.deepEqual(instances(world), numbered(2));
  assert.deepEqual(world.engine.world.cuts, []);
});

inWorld('what outlives the drain limit is cut and counted', async (world) => {
  const manifest = await live(world);
  await scale(world, 3, manifest);
  world.engine.world.holdRequests('catalog.api-3.blue', 2);
  await ask(world, 2, manifest);
  const leaving = 'catalog.api-3.blue.leaving';
  await world.until(() => world.engine.world.inventory().some((line) => line.includes(leaving)));
  world.engine.world.passLimit(leaving);
  await served(world, manifest);
  assert.deepEqual(
    world.events.filter((event) => event.type === 'instance-left').map(({ instance, cut }) => [instance, cut]),
    [['catalog.api-3.blue', 2]],
  );
});

inWorld('one that has begun to leave goes, though nobody asks for it any more', async (world) => {
  const manifest = await live(world);
  await scale(world, 4, manifest);
  world.engine.world.holdRequests('catalog.api-4.blue', 1);
  await ask(world, 3, manifest);
  await world.until(() => world.engine.world.inventory().some((line) => line.includes('api-4.blue.leaving')));
  await world.engine.takeRequest(architecture, 'scale.3');
  world.engine.world.holdRequests('catalog.api-4.blue', 0);
  somethingHappens(world);
  await world.settled(manifest);
  assert.deepEqual(instances(world), numbered(3));
  assert.deepEqual(places(world), inBoth(3));
});

inWorld('a departure that somebody kills is made again', async (world) => {
  const manifest = await live(world);
  await scale(world, 3, manifest);
  world.engine.world.holdRequests('catalog.api-3.blue', 1);
  await ask(world, 2, manifest);
  const leaving = 'catalog.api-3.blue.leaving';
  const runs = () => world.engine.world.inventory().some((line) => line.includes(leaving) && line.endsWith('running'));
  await world.until(runs);
  world.engine.world.kill(leaving);
  await world.until(runs);
  world.engine.world.holdRequests('catalog.api-3.blue', 0);
  somethingHappens(world);
  await served(world, manifest);
  assert.deepEqual(instances(world), numbered(2));
});

inWorld('a new generation begins with as many as serve, and so does the one that is gone back to', async (world) => {
  const first = await live(world);
  await scale(world, 4, first);
  const second = await live(world, { commit: 'second', keys: { 'catalog/api': '2' } });
  assert.deepEqual(instances(world), numbered(4));
  await scale(world, 3, second);
  await world.up(first);
  await world.settled(first);
  assert.deepEqual(instances(world), numbered(3));
  assert.deepEqual(places(world), inBoth(3));
});

inWorld('a change of policy alone keeps all of them', async (world) => {
  const manifest = await live(world);
  await scale(world, 4, manifest);
  const before = await containersOf(world);
  const { apps } = elastic();
  const health = { kind: 'http', path: '/other', status: 200, timeoutMs: 5000 } as const;
  const services = { ...apps['catalog']!.services, api: { ...apps['catalog']!.services['api']!, health } };
  await live(world, { architecture: { ...elastic(), apps: { ...apps, catalog: { ...apps['catalog']!, services } } } });
  const after = await containersOf(world);
  for (const name of numbered(4)) assert.equal(after.get(`catalog.${name}.blue`), before.get(`catalog.${name}.blue`));
});

inWorld('another range takes in those that are there, and lets go those that are too many', async (world) => {
  const manifest = await live(world);
  await scale(world, 5, manifest);
  await live(world, { architecture: elastic({ min: 1, max: 3 }) });
  assert.deepEqual(instances(world), numbered(3));
  await live(world, { architecture: elastic({ min: 4, max: 8 }) });
  assert.deepEqual(instances(world), numbered(4));
});

inWorld('a service gets a range with as many as it has, and loses it again', async (world) => {
  const fixed = sealRelease(world.engine, { architecture: elastic(3) });
  await world.up(fixed);
  const ranged = await live(world);
  assert.deepEqual(instances(world), numbered(3));
  await scale(world, 5, ranged);
  await world.up(fixed);
  await world.settled(fixed);
  assert.deepEqual(instances(world), numbered(3));
  assert.deepEqual(places(world), inBoth(3));
});

inWorld('what dies is restored within the number there is, places as well', async (world) => {
  const manifest = await live(world);
  await scale(world, 4, manifest);
  for (const name of ['catalog.api-4.blue', 'catalog.api-2.blue.slot', 'catalog.api-4.blue.slot']) {
    world.engine.world.kill(name);
    await world.until(() => instances(world).length < 4 || world.engine.world.inventory().some((line) => line.endsWith('down')));
    await world.settled(manifest);
    assert.deepEqual(instances(world), numbered(4), name);
  }
});

inWorld('after the whole engine was down there are as many as before', async (world) => {
  const manifest = await live(world);
  await scale(world, 4, manifest);
  const { world: around } = world.engine;
  const before = around.outages.length;
  around.stopEngine();
  around.startEngine();
  await world.settled(manifest);
  assert.deepEqual(instances(world), numbered(4));
  around.availability.outages.splice(before);
});

inWorld('a rollout that begins while instances leave ends with those that are left', async (world) => {
  const manifest = await live(world);
  await scale(world, 5, manifest);
  world.engine.world.holdRequests('catalog.api-4.blue', 1);
  await ask(world, 2, manifest);
  await world.until(() => world.engine.world.inventory().some((line) => line.includes('api-3.blue.leaving')));
  const second = elasticRelease(world, { commit: 'second', keys: { 'catalog/api': '2' } });
  await world.up(second);
  await served(world, second);
  assert.deepEqual(instances(world), numbered(2));
  assert.deepEqual(places(world), inBoth(2));
});

inWorld('a release that fails while more run than its least leaves all of them', async (world) => {
  const first = await live(world);
  await scale(world, 4, first);
  const before = comparable(world);
  const second = elasticRelease(world, { commit: 'second', keys: { 'catalog/api': '2' } });
  world.engine.world.unhealthy(({ origin }) => origin.release === second.release);
  assert.equal((await world.up(second)).outcome, 'failed');
  await world.settled(first);
  assert.deepEqual(comparable(world), before);
});
