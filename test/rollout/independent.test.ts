import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Manifest } from '../../src/release/manifest.ts';
import { desiredOf } from '../../src/rollout/desired.ts';
import { withHeldBack } from '../../src/rollout/kept-unit.ts';
import { planRollout } from '../../src/rollout/plan-rollout.ts';
import { sealWithImage, streaming, type ReleaseChange } from './release-fixture.ts';
import { architecture, comparable, inWorld, killAt, makeRolloutWorld, type RolloutWorld } from './rollout-world.ts';

const perApp = streaming({ rollout: 'per-app' });

/** A release of independent apps, with an image that holds its manifest. */
const seal = ({ engine }: RolloutWorld, change: ReleaseChange) => sealWithImage(engine, { architecture: perApp, ...change });

const breakApp = ({ engine }: RolloutWorld, { outputs }: Manifest, name: string): void => {
  const images = Object.values(outputs.environments['local']?.apps[name]?.images.services ?? {});
  engine.world.unhealthy(({ image }) => images.includes(image));
};

const instancesOf = async ({ engine }: RolloutWorld, name: string) => {
  const observed = await engine.observe(architecture);
  assert.ok(observed.ok);
  return observed.value.instances.filter(({ owner }) => owner.name === name);
};

const servingOf = async (world: RolloutWorld, name: string): Promise<string | undefined> =>
  (await instancesOf(world, name)).find(({ path }) => path?.phase === 'serving')?.generation;

const generationIn = ({ outputs }: Manifest, name: string): string | undefined => outputs.environments['local']?.apps[name]?.id;

/** Catalog broken and accounts changed by one commit; the catalog's containers before it. */
async function oneBroken(world: RolloutWorld) {
  const first = seal(world, {});
  await world.up(first.manifest);
  const before = await instancesOf(world, 'catalog');
  const second = seal(world, { commit: 'second', keys: { 'catalog/api': '2', 'accounts/api': '2' } });
  breakApp(world, second.manifest, 'catalog');
  const end = await world.up(second.manifest);
  return { first, second, before, end };
}

inWorld('an independent app that fails stays as it was, and the others do not wait for it', async (world) => {
  const { first, second, before, end } = await oneBroken(world);
  assert.equal(end.outcome, 'live');
  assert.deepEqual(end.held, [{ kind: 'app', name: 'catalog' }]);
  assert.equal(end.problem?.code, 'ROLLOUT_UNHEALTHY');
  const live = world.events.findLast(({ type }) => type === 'release-live');
  assert.ok(live?.type === 'release-live' && live.durationMs > 5000, 'the time counts from the beginning, what failed included');
  const containers = (instances: { container: string }[]): string[] => instances.map(({ container }) => container).toSorted();
  assert.deepEqual(containers(await instancesOf(world, 'catalog')), containers(before));
  assert.equal(await servingOf(world, 'catalog'), generationIn(first.manifest, 'catalog'));
  assert.equal(await servingOf(world, 'accounts'), generationIn(second.manifest, 'accounts'));
  const moment = (type: string, name: string): number =>
    world.events.findLastIndex((event) => event.type === type && 'unit' in event && event.unit.name === name);
  assert.ok(moment('unit-retired', 'accounts') < moment('unit-held-back', 'catalog'), 'accounts were done before catalog was given up');
});

inWorld('an app that never becomes healthy delays no correction of another by the next commit', async (world) => {
  const first = seal(world, {});
  await world.up(first.manifest);
  const second = seal(world, { commit: 'second', keys: { 'catalog/api': '2' } });
  breakApp(world, second.manifest, 'catalog');
  await world.start(second.manifest);
  await world.until(() => world.events.some(({ type }) => type === 'health-waiting'));
  const third = seal(world, { commit: 'third', keys: { 'catalog/api': '2', 'accounts/api': '3' } });
  const begun = world.events.length;
  const end = await world.up(third.manifest, { asked: 'up' });
  assert.equal(end.outcome, 'live');
  assert.deepEqual(end.held, [{ kind: 'app', name: 'catalog' }]);
  const said = world.events.slice(begun);
  const switched = said.findIndex((event) => event.type === 'unit-switched' && event.unit.name === 'accounts');
  const given = said.findIndex((event) => event.type === 'unit-held-back' && event.unit.name === 'catalog');
  assert.ok(switched !== -1 && switched < given, 'accounts did not wait for catalog to be given up');
  assert.deepEqual(
    (await world.ledger.rollouts(2)).map(({ outcome }) => outcome),
    ['live', 'superseded'],
  );
  assert.equal(await servingOf(world, 'catalog'), generationIn(first.manifest, 'catalog'));
});

inWorld('what was held back is kept true by the next controller, also when that one is started anew', async (world) => {
  const { first, second } = await oneBroken(world);
  const healed = async (): Promise<void> => {
    world.engine.world.kill('catalog.api-1.blue');
    await world.until(async () => (await instancesOf(world, 'catalog')).every(({ state }) => state === 'running'));
    const api = (await instancesOf(world, 'catalog')).find(({ name }) => name === 'catalog.api-1.blue');
    assert.equal(api?.generation, generationIn(first.manifest, 'catalog'));
  };
  await healed();
  const controllers = await world.engine.controllers(architecture);
  assert.ok(controllers.ok);
  assert.deepEqual(
    controllers.value.map(({ release }) => release),
    [second.manifest.release],
  );
  const charges = (): number => world.events.filter(({ type }) => type === 'controller-in-charge').length;
  const before = charges();
  world.engine.world.kill(controllers.value[0]?.name ?? '');
  await world.until(() => charges() > before);
  await healed();
  assert.equal(await servingOf(world, 'catalog'), generationIn(first.manifest, 'catalog'));
});

inWorld('an app that was held back comes live with the commit that corrects it', async (world) => {
  await oneBroken(world);
  const third = seal(world, { commit: 'third', keys: { 'catalog/api': '3', 'accounts/api': '2' } });
  const end = await world.up(third.manifest);
  assert.deepEqual([end.outcome, end.held], ['live', undefined]);
  assert.equal(await servingOf(world, 'catalog'), generationIn(third.manifest, 'catalog'));
  await world.settled(third.manifest);
});

inWorld('where every independent app fails the release fails', async (world) => {
  const first = seal(world, {});
  await world.up(first.manifest);
  const second = seal(world, { commit: 'second', keys: { 'catalog/api': '2', 'accounts/api': '2' } });
  world.engine.world.unhealthy(({ origin }) => origin.release === second.manifest.release);
  const end = await world.up(second.manifest);
  assert.equal(end.outcome, 'failed');
  assert.equal(end.problem?.code, 'ROLLOUT_UNHEALTHY');
  await world.settled(first.manifest);
});

/** What the failed first release of independent apps left on the engine. */
async function leftOfFirst(world: RolloutWorld, code: string): Promise<string[]> {
  const { manifest } = seal(world, {});
  if (code === 'ROLLOUT_UNHEALTHY') world.engine.world.unhealthy(({ owner }) => owner.kind === 'app');
  else world.engine.world.failNext('ensureNetwork', { code: 'ENGINE_REFUSED', what: 'no' });
  const end = await world.up(manifest);
  assert.deepEqual([end.outcome, end.problem?.code], ['failed', code]);
  assert.match(end.problem?.safe ?? '', /^nothing served before and nothing serves now; what was started has been removed, data is kept$/);
  return comparable(world).filter((line) => !/: (volume|controller) /.test(line));
}

for (const [what, code] of [
  ['a network cannot be made', 'ENGINE_REFUSED'],
  ['every app fails', 'ROLLOUT_UNHEALTHY'],
] as const)
  void test(`a first release of independent apps leaves nothing where ${what}`, async (context) => {
    const world = await makeRolloutWorld();
    context.after(world.dispose);
    assert.deepEqual(await leftOfFirst(world, code), []);
  });

inWorld('a new app that fails is left out, and nothing of it is there', async (world) => {
  const { accounts, ...others } = perApp.apps;
  assert.ok(accounts);
  await world.up(seal(world, { architecture: { ...perApp, apps: others } }).manifest);
  const second = seal(world, { commit: 'second', keys: { 'catalog/api': '2' } });
  breakApp(world, second.manifest, 'accounts');
  const end = await world.up(second.manifest);
  assert.deepEqual([end.outcome, end.held?.map(({ name }) => name)], ['live', ['accounts']]);
  assert.deepEqual(await instancesOf(world, 'accounts'), []);
  assert.equal(await servingOf(world, 'catalog'), generationIn(second.manifest, 'catalog'));
});

inWorld('an app whose earlier release nobody can read any more is left as it is', async (world) => {
  const first = seal(world, {});
  await world.up(first.manifest);
  await world.engine.images.remove(first.image);
  const before = await instancesOf(world, 'catalog');
  const second = seal(world, { commit: 'second', keys: { 'catalog/api': '2', 'accounts/api': '2' } });
  breakApp(world, second.manifest, 'catalog');
  assert.equal((await world.up(second.manifest)).outcome, 'live');
  assert.deepEqual(
    (await instancesOf(world, 'catalog')).map(({ container }) => container),
    before.map(({ container }) => container),
  );
});

const containersOf = async (world: RolloutWorld, name: string): Promise<string[]> =>
  (await instancesOf(world, name)).map(({ container }) => container).toSorted();

inWorld('an independent app that could not be built stays as it was, and the others are rolled out', async (world) => {
  const first = seal(world, {});
  await world.up(first.manifest);
  const before = await containersOf(world, 'catalog');
  const second = seal(world, { commit: 'second', keys: { 'catalog/api': '2', 'accounts/api': '2' }, unbuilt: ['catalog'] });
  const end = await world.up(second.manifest);
  assert.deepEqual([end.outcome, end.held, end.problem?.code], ['live', [{ kind: 'app', name: 'catalog' }], 'TESTS_FAILED']);
  assert.deepEqual(await containersOf(world, 'catalog'), before);
  assert.equal(await servingOf(world, 'accounts'), generationIn(second.manifest, 'accounts'));
  world.engine.world.kill('catalog.api-1.blue');
  await world.until(async () => (await instancesOf(world, 'catalog')).every(({ state }) => state === 'running'));
  assert.equal(await servingOf(world, 'catalog'), generationIn(first.manifest, 'catalog'), 'it is kept true as it was');
  const third = seal(world, { commit: 'third', keys: { 'catalog/api': '3', 'accounts/api': '2' } });
  assert.deepEqual((await world.up(third.manifest)).held, undefined);
  assert.equal(await servingOf(world, 'catalog'), generationIn(third.manifest, 'catalog'));
  await world.settled(third.manifest);
});

inWorld('what goes together with an app that could not be built, or shares a store that changes with it, stays too', async (world) => {
  const { catalog, accounts } = perApp.apps;
  assert.ok(catalog && accounts);
  const using = { ...catalog, services: { ...catalog.services, api: { ...accounts.services['api']! } } };
  const search = { ...accounts, hosts: ['search.localhost'], services: { api: { ...accounts.services['api']!, stores: [] } } };
  const all = { ...perApp, apps: { catalog: using, accounts, search } };
  const first = seal(world, { architecture: all });
  await world.up(first.manifest);
  const keys = { 'catalog/api': '2', 'accounts/api': '2', 'search/api': '2', sessions: '2' };
  const second = seal(world, { architecture: all, commit: 'second', keys, unbuilt: ['accounts'] });
  const end = await world.up(second.manifest);
  assert.deepEqual(end.held?.map(({ name }) => name).toSorted(), ['accounts', 'catalog', 'sessions']);
  for (const name of ['accounts', 'catalog']) assert.equal(await servingOf(world, name), generationIn(first.manifest, name), name);
  assert.equal(await servingOf(world, 'search'), generationIn(second.manifest, 'search'));
});

inWorld('a first release comes up without the app that could not be built', async (world) => {
  const { manifest } = seal(world, { unbuilt: ['catalog'] });
  const end = await world.up(manifest);
  assert.deepEqual([end.outcome, end.held?.map(({ name }) => name)], ['live', ['catalog']]);
  assert.deepEqual(await instancesOf(world, 'catalog'), []);
  assert.equal(await servingOf(world, 'accounts'), generationIn(manifest, 'accounts'));
});

const ways = {
  fails: { fails: true, change: {} },
  'could not be built': { fails: false, change: { unbuilt: ['catalog'] } },
} as const;

/** Catalog broken, accounts changed: the effects of the rollout, and what there is once nothing is left to do. */
async function heldBack(way: keyof typeof ways, disturb: (world: RolloutWorld) => void): Promise<string[]> {
  const world = await makeRolloutWorld();
  const first = seal(world, {});
  await world.up(first.manifest);
  await world.settled(first.manifest);
  const second = seal(world, { commit: 'second', keys: { 'catalog/api': '2', 'accounts/api': '2' }, ...ways[way].change });
  if (ways[way].fails) breakApp(world, second.manifest, 'catalog');
  disturb(world);
  const { outcome, held } = await world.up(second.manifest);
  assert.deepEqual([outcome, held], ['live', [{ kind: 'app', name: 'catalog' }]]);
  const desired = desiredOf(second.manifest, 'local');
  assert.ok(desired.ok);
  await world.until(async () => {
    const [kept, observed] = [await withHeldBack(world.engine, desired.value, held ?? []), await world.engine.observe(architecture)];
    const outlook = { token: 0, heldBack: new Set<string>(), hurry: true };
    return observed.ok && planRollout(kept, observed.value, outlook).name === 'settled';
  });
  await world.until(() => comparable(world).filter((line) => line.includes(': controller')).length === 1);
  assert.deepEqual(world.engine.world.outages, []);
  const there = comparable(world);
  await world.dispose();
  return there;
}

for (const way of ['fails', 'could not be built'] as const)
  void test(`one of two independent apps ${way}: the controller may be killed before or after any effect`, async (context) => {
    const effects: number[] = [];
    const end = await heldBack(way, ({ engine }) => {
      engine.world.beforeEffect = ({ number, verb }) => void (verb !== 'startController' && effects.push(number));
    });
    for (const when of ['beforeEffect', 'midEffect', 'afterEffect'] as const)
      for (const effect of effects)
        assert.deepEqual(await heldBack(way, ({ engine }) => void (engine.world[when] = killAt(effect))), end, `${when} ${effect}`);
    context.diagnostic(`${effects.length * 3} kills`);
  });

inWorld('apps that are rolled out side by side share their looks at the engine', async (world) => {
  const { accounts } = perApp.apps;
  assert.ok(accounts);
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const appOf = (name: string) => ({
    ...accounts,
    hosts: [`${name}.localhost`],
    services: { api: { ...accounts.services['api']!, stores: [] } },
  });
  const many = { ...perApp, apps: Object.fromEntries(names.map((name) => [name, appOf(name)])) };
  await world.up(seal(world, { architecture: many }).manifest);
  const keys = Object.fromEntries(names.map((name) => [`${name}/api`, '2']));
  const second = seal(world, { architecture: many, commit: 'second', keys }).manifest;
  const look = world.engine.observe.bind(world.engine);
  const hasBegun = (): boolean => world.events.some((event) => event.type === 'rollout-started' && event.release === second.release);
  let [underWay, most, looks] = [0, 0, 0];
  world.engine.observe = async (name) => {
    const counts = hasBegun();
    underWay += Number(counts);
    looks += Number(counts);
    most = Math.max(most, underWay);
    await new Promise((resolve) => setImmediate(resolve));
    const observed = await look(name);
    underWay -= Number(counts);
    return observed;
  };
  assert.equal((await world.up(second)).outcome, 'live');
  assert.ok(looks > 5, 'they look');
  assert.ok(most <= 2, `one at a time, beside the last one of the controller before: ${most} at once`);
});
