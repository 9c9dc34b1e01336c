import assert from 'node:assert/strict';
import { test } from 'node:test';
import { app, sealRelease, service, store, streaming, withCatalog } from './release-fixture.ts';
import { architecture, makeRolloutWorld, type RolloutWorld, refuse } from './rollout-world.ts';

const inWorld = (name: string, body: (world: RolloutWorld) => Promise<void>): void => {
  void test(name, async () => {
    const world = await makeRolloutWorld();
    try {
      await body(world);
      assert.deepEqual(world.engine.world.cuts, [], 'no held connection was cut');
    } finally {
      await world.dispose();
    }
  });
};

const containersOf = async ({ engine }: RolloutWorld, name: string, role = 'service'): Promise<string[]> => {
  const observed = await engine.observe(architecture);
  assert.ok(observed.ok);
  return observed.value.instances
    .filter((instance) => instance.owner.name === name && instance.role === role)
    .map(({ container }) => container)
    .toSorted();
};

inWorld('a first release comes live, and its idle places are made ready', async (world) => {
  const first = sealRelease(world.engine);
  assert.equal((await world.up(first)).outcome, 'live');
  await world.settled(first);
  for (const owner of [
    { kind: 'app', name: 'catalog' },
    { kind: 'app', name: 'accounts' },
    { kind: 'store', name: 'sessions' },
    { kind: 'core', name: 'core' },
  ] as const)
    assert.equal(world.engine.world.serving(owner).length, 1, owner.name);
  const observed = await world.engine.observe(architecture);
  assert.ok(observed.ok);
  assert.ok(observed.value.slots.some(({ name, ready }) => name === 'catalog.api-1.green.slot' && ready));
});

inWorld('an unchanged app keeps its very containers while another is replaced without a gap', async (world) => {
  await world.up(sealRelease(world.engine));
  const [accounts, accountsPath, catalog, sessions] = await Promise.all([
    containersOf(world, 'accounts'),
    containersOf(world, 'accounts', 'path'),
    containersOf(world, 'catalog'),
    containersOf(world, 'sessions', 'server'),
  ]);
  const second = sealRelease(world.engine, { commit: 'second', keys: { 'catalog/api': '2' } });
  assert.equal((await world.up(second)).outcome, 'live');
  assert.deepEqual(await containersOf(world, 'accounts'), accounts);
  assert.deepEqual(await containersOf(world, 'accounts', 'path'), accountsPath);
  assert.deepEqual(await containersOf(world, 'sessions', 'server'), sessions);
  assert.ok((await containersOf(world, 'catalog')).every((container) => !catalog.includes(container)));
  assert.deepEqual(world.engine.world.outages, []);
});

inWorld('a change of policy alone replaces the path over the same instances', async (world) => {
  await world.up(sealRelease(world.engine));
  const before = await containersOf(world, 'catalog');
  const changed = streaming();
  const { catalog } = changed.apps;
  assert.ok(catalog);
  const second = sealRelease(world.engine, {
    commit: 'second',
    architecture: streaming({ apps: { ...changed.apps, catalog: { ...catalog, drain: { limitMs: 5000 } } } }),
  });
  assert.equal((await world.up(second)).outcome, 'live');
  assert.deepEqual(await containersOf(world, 'catalog'), before);
  assert.equal((await containersOf(world, 'catalog', 'path')).length, 1);
  assert.deepEqual(world.engine.world.outages, []);
});

inWorld('a commit that changes nothing that runs replaces only the controller', async (world) => {
  const first = sealRelease(world.engine);
  await world.up(first);
  await world.settled(first);
  const before = world.engine.world.inventory();
  const second = sealRelease(world.engine, { commit: 'second' });
  assert.equal((await world.up(second)).outcome, 'live');
  await world.settled(second);
  const withoutController = (lines: string[]): string[] => lines.filter((line) => !line.includes('controller'));
  assert.deepEqual(withoutController(world.engine.world.inventory()), withoutController(before));
  const observed = await world.engine.observe(architecture);
  assert.ok(observed.ok);
  assert.deepEqual(
    observed.value.controllers.map(({ release }) => release),
    [second.release],
  );
});

inWorld('an app that never becomes healthy fails the whole release, and nothing of it is left', async (world) => {
  const first = sealRelease(world.engine);
  await world.up(first);
  await world.settled(first);
  const before = world.engine.world.inventory();
  const second = sealRelease(world.engine, { commit: 'second', keys: { 'catalog/api': '2', 'accounts/api': '2' } });
  const broken = second.outputs.environments['local']?.apps['accounts']?.images.services['api'];
  world.engine.world.unhealthy((spec) => spec.image === broken);
  const end = await world.up(second);
  assert.equal(end.outcome, 'failed');
  assert.equal(end.problem?.code, 'ROLLOUT_UNHEALTHY');
  assert.match(end.problem?.what ?? '', /accounts never became healthy/);
  assert.match(end.problem?.why ?? '', /GET \/healthz on api-1/);
  assert.match(end.problem?.safe ?? '', new RegExp(`${first.release.slice(0, 12)} still serves`));
  await world.settled(first);
  assert.deepEqual(world.engine.world.inventory(), before);
  assert.deepEqual(world.engine.world.outages, []);
});

inWorld('a first release that fails leaves no instance and keeps data volumes', async (world) => {
  const first = sealRelease(world.engine);
  world.engine.world.unhealthy((spec) => spec.owner.name === 'catalog' && spec.role === 'service');
  assert.equal((await world.up(first)).outcome, 'failed');
  const observed = await world.engine.observe(architecture);
  assert.ok(observed.ok);
  assert.deepEqual(observed.value.instances, []);
  assert.deepEqual(
    observed.value.volumes.map(({ name }) => name),
    ['sessions.data'],
  );
});

inWorld('a step that the engine refuses before the switch takes the rollout back', async (world) => {
  const first = sealRelease(world.engine);
  await world.up(first);
  await world.settled(first);
  const before = world.engine.world.inventory();
  refuse(world, 'promotePath');
  const second = sealRelease(world.engine, { commit: 'second', keys: { 'catalog/api': '2', 'accounts/api': '2' } });
  const end = await world.up(second);
  assert.equal(end.outcome, 'failed');
  assert.equal(end.problem?.code, 'ENGINE_REFUSED');
  await world.settled(first);
  assert.deepEqual(world.engine.world.inventory(), before);
  assert.deepEqual(world.engine.world.outages, []);
});

inWorld('a path that could not take over is tried again, and nothing is lost', async (world) => {
  const first = sealRelease(world.engine);
  await world.up(first);
  world.engine.world.failNext('promotePath', { code: 'ENGINE_REFUSED', what: 'no' });
  const second = sealRelease(world.engine, { commit: 'second', keys: { 'catalog/api': '2', 'accounts/api': '2' } });
  assert.equal((await world.up(second)).outcome, 'live');
});

inWorld('a place the engine refuses for a moment is tried again', async (world) => {
  world.engine.world.failNext('ensureSlot', { code: 'ENGINE_REFUSED', what: 'the name is in use' });
  assert.equal((await world.up(sealRelease(world.engine))).outcome, 'live');
});

inWorld('a place the engine goes on refusing fails the rollout', async (world) => {
  for (let time = 0; time < 100; time += 1)
    world.engine.world.failNext('ensureSlot', { code: 'ENGINE_REFUSED', what: 'the name is in use' });
  assert.equal((await world.up(sealRelease(world.engine))).problem?.code, 'ENGINE_REFUSED');
});

inWorld('going back is a rollout to the earlier release: its images again', async (world) => {
  const first = sealRelease(world.engine);
  await world.up(first);
  await world.settled(first);
  const images = world.engine.world
    .inventory()
    .filter((line) => /instance/.test(line) && !/path/.test(line))
    .map((line) => /t\/\S+|sha256:\S+/.exec(line)?.[0]);
  await world.up(sealRelease(world.engine, { commit: 'second', keys: { 'catalog/api': '2' } }));
  assert.equal((await world.up(first)).outcome, 'live');
  await world.settled(first);
  assert.deepEqual(
    world.engine.world
      .inventory()
      .filter((line) => /instance/.test(line) && !/path/.test(line))
      .map((line) => /t\/\S+|sha256:\S+/.exec(line)?.[0]),
    images,
  );
  assert.deepEqual(world.engine.world.outages, []);
});

inWorld('an instance that dies is started again in its place', async (world) => {
  const first = sealRelease(world.engine);
  await world.up(first);
  await world.settled(first);
  const before = world.engine.world.inventory();
  world.engine.world.kill('catalog.api-1.blue');
  await world.until(() => world.events.some((event) => event.type === 'instance-replaced' && event.instance === 'catalog.api-1.blue'));
  await world.settled(first);
  assert.deepEqual(world.engine.world.inventory(), before);
});

inWorld('a place that dies takes its members with it and all come back', async (world) => {
  const first = sealRelease(world.engine);
  await world.up(first);
  await world.settled(first);
  const before = world.engine.world.inventory();
  // Asking them to end first would take as long as their drain limit, for clients that cannot reach them.
  world.engine.world.beforeEffect = ({ verb, name }) => assert.notEqual(verb, 'removeInstance', name);
  for (const slot of [
    'catalog.api-1.blue.slot',
    'catalog.path.slot',
    'core.path.slot',
    'sessions.server.blue.slot',
    'sessions.path.slot',
  ]) {
    world.engine.world.killSlot(slot);
    await world.settled(first);
    await world.until(() => JSON.stringify(world.engine.world.inventory()) === JSON.stringify(before));
  }
});

inWorld('an engine that stopped and started has everything back without help', async (world) => {
  const first = sealRelease(world.engine);
  await world.up(first);
  await world.settled(first);
  const before = world.engine.world.inventory();
  world.engine.world.stopEngine();
  world.engine.world.startEngine();
  await world.until(() => JSON.stringify(world.engine.world.inventory()) === JSON.stringify(before));
  assert.equal(world.events.filter(({ type }) => type === 'rollout-started').length, 1);
});

inWorld('apps and stores come and go, and leave no place and no network behind', async (world) => {
  const first = sealRelease(world.engine);
  await world.up(first);
  await world.settled(first);
  const before = world.engine.world.inventory();
  const base = streaming();
  const second = sealRelease(world.engine, {
    commit: 'second',
    architecture: streaming({
      apps: { ...base.apps, third: app({ web: service({ replicas: 1, outbound: true, stores: ['cache'] }) }, 'third.localhost') },
      stores: { ...base.stores, cache: store() },
    }),
  });
  assert.equal((await world.up(second)).outcome, 'live');
  await world.settled(second);
  assert.equal(world.engine.world.serving({ kind: 'app', name: 'third' }).length, 1);
  assert.equal((await world.up(first)).outcome, 'live');
  await world.settled(first);
  const withoutNames = (lines: string[]): string[] => lines.filter((line) => !/core\.path|controller|cache\.data/.test(line));
  assert.deepEqual(withoutNames(world.engine.world.inventory()), withoutNames(before));
});

inWorld('published ports that change move the core once everything else has switched', async (world) => {
  await world.up(sealRelease(world.engine));
  const second = sealRelease(world.engine, {
    commit: 'second',
    architecture: streaming({ core: { publish: [{ address: '127.0.0.1', port: 9090 }] } }),
  });
  assert.equal((await world.up(second)).outcome, 'live');
  await world.settled(second);
  assert.deepEqual(
    world.engine.world.outages.map(({ owner }) => owner.kind),
    ['core'],
  );
});

inWorld('a draining path that holds connections keeps its instances until they have ended', async (world) => {
  const first = sealRelease(world.engine);
  await world.up(first);
  const old = await containersOf(world, 'catalog');
  const [path] = world.engine.world.serving({ kind: 'app', name: 'catalog' });
  assert.ok(path);
  world.engine.world.holdConnections(path);
  const second = sealRelease(world.engine, { commit: 'second', keys: { 'catalog/api': '2' } });
  const ended = world.up(second);
  await world.until(() => world.events.some((event) => event.type === 'unit-draining' && event.unit.name === 'catalog'));
  assert.ok(
    (await containersOf(world, 'catalog')).some((container) => old.includes(container)),
    'the old instances are still there',
  );
  world.engine.world.releaseConnections(path);
  assert.equal((await ended).outcome, 'live');
  assert.ok((await containersOf(world, 'catalog')).every((container) => !old.includes(container)));
});

inWorld('a core that connections hold lives on, keeps no rollout from its end and goes with the last of them', async (world) => {
  const withHost = (host: string) => ({ architecture: withCatalog(app({ api: service() }, host)) });
  const first = sealRelease(world.engine, { commit: 'first', ...withHost('one.localhost') });
  await world.up(first);
  const [old] = world.engine.world.serving({ kind: 'core', name: 'core' });
  assert.ok(old);
  world.engine.world.holdConnections(old);
  assert.equal((await world.up(sealRelease(world.engine, { commit: 'second', ...withHost('two.localhost') }))).outcome, 'live');
  const third = sealRelease(world.engine, { commit: 'third', ...withHost('three.localhost') });
  assert.equal((await world.up(third)).outcome, 'live');
  const cores = async (): Promise<string[]> => {
    const observed = await world.engine.observe(architecture);
    assert.ok(observed.ok);
    return observed.value.instances.filter(({ owner }) => owner.kind === 'core').map(({ name, path }) => `${path?.phase} ${name === old}`);
  };
  await world.until(async () => (await cores()).length === 2);
  assert.deepEqual((await cores()).toSorted(), ['draining true', 'serving false']);
  world.engine.world.releaseConnections(old);
  await world.until(async () => (await cores()).length === 1);
  await world.settled(third);
});

inWorld('a second rollout while one runs is held, and the first goes on', async (world) => {
  await world.up(sealRelease(world.engine));
  const [path] = world.engine.world.serving({ kind: 'app', name: 'catalog' });
  assert.ok(path);
  world.engine.world.holdConnections(path);
  const second = sealRelease(world.engine, { commit: 'second', keys: { 'catalog/api': '2' } });
  const ended = world.up(second);
  await world.until(() => world.events.some((event) => event.type === 'unit-draining'));
  const third = await world.up(sealRelease(world.engine, { commit: 'third' }));
  assert.equal(third.problem?.code, 'ROLLOUT_HELD');
  world.engine.world.releaseConnections(path);
  assert.equal((await ended).outcome, 'live');
});

inWorld('a controller whose failed rollout nobody cleared away goes, once there was time to read how it ended', async (world) => {
  const first = sealRelease(world.engine);
  await world.up(first);
  await world.settled(first);
  refuse(world, 'promotePath');
  const second = sealRelease(world.engine, { commit: 'second', keys: { 'catalog/api': '2' } });
  await world.start(second);
  const names = async (): Promise<string[]> => {
    const controllers = await world.engine.controllers(architecture);
    assert.ok(controllers.ok);
    return controllers.value.map(({ release }) => release);
  };
  await world.until(() => world.events.some((event) => event.type === 'rollout-ended' && event.outcome === 'failed'));
  await world.until(async () => {
    // Any event makes the controller in charge look again.
    world.engine.world.touch('catalog.api-1.blue', 'exec_start');
    return (await names()).length === 1;
  });
  assert.deepEqual(await names(), [first.release]);
});
