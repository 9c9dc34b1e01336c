import assert from 'node:assert/strict';
import { app, sealWithImage, service, streaming } from './release-fixture.ts';
import { architecture, inWorld, killAt, makeRolloutWorld, type RolloutWorld } from './rollout-world.ts';
import { test } from 'node:test';

const catalog = (forMs: number) => ({
  ...app({ api: service(), providers: service({ entry: false, replicas: 1 }) }, 'catalog.localhost'),
  bake: { forMs },
});

const baking = (forMs: number) =>
  streaming({ apps: { catalog: catalog(forMs), accounts: app({ api: service({ stores: ['sessions'] }) }, 'accounts.localhost') } });

const long = 3_600_000;

const seal = ({ engine }: RolloutWorld, change: string, forMs = long) =>
  sealWithImage(engine, { architecture: baking(forMs), commit: change, keys: { 'catalog/api': change } }).manifest;

async function instancesOf({ engine }: RolloutWorld, name: string) {
  const observed = await engine.observe(architecture);
  assert.ok(observed.ok);
  return observed.value.instances.filter(({ owner }) => owner.name === name);
}

const servingOf = async (world: RolloutWorld, name: string): Promise<string[]> =>
  (await instancesOf(world, name)).filter(({ path }) => path?.phase === 'serving').map(({ generation }) => generation);

type Sealed = ReturnType<typeof seal>;

const generationIn = ({ outputs }: Sealed): string => outputs.environments['local']?.apps['catalog']?.id ?? '';

const standsBy = async (world: RolloutWorld, { outputs }: Sealed): Promise<boolean> => {
  const own = outputs.environments['local']?.apps['catalog'];
  const instances = await instancesOf(world, 'catalog');
  const waits = instances.some(({ generation, path }) => generation === own?.id && path?.phase === 'healthy');
  const members = instances.filter(({ role, body, state }) => role === 'service' && body === own?.body && state === 'running');
  return waits && members.length === 3;
};

/** A first release, and a second one that bakes beside it. */
async function bothThere(world: RolloutWorld) {
  const first = seal(world, 'first');
  await world.up(first);
  const before = await instancesOf(world, 'catalog');
  const second = seal(world, 'second');
  await world.start(second);
  await world.until(() => standsBy(world, first));
  return { first, second, before };
}

/** The same, with a bake that is soon over. */
async function baked(world: RolloutWorld) {
  const first = seal(world, 'first', 500);
  await world.up(first);
  const second = seal(world, 'second', 500);
  const end = await world.up(second);
  assert.equal(world.events.filter(({ type }) => type === 'bake-started').length, 1);
  return { first, second, end };
}

inWorld(
  'what the one before was about to remove is not counted on: it may go at any moment, and another starts in its place',
  async (world) => {
    const { engine } = world;
    let asked = (): void => {};
    const isAsked = new Promise<void>((resolve) => (asked = resolve));
    let goOn = (): void => {};
    const late = new Promise<void>((resolve) => (goOn = resolve));
    const remove = engine.removeInstance.bind(engine);
    let isFirst = true;
    const done: Promise<unknown>[] = [];
    engine.removeInstance = async (on, name, container) => {
      if (!isFirst || !name.startsWith('catalog.api-1.')) return remove(on, name, container);
      isFirst = false;
      asked();
      await late;
      const removed = remove(on, name, container);
      done.push(removed);
      return removed;
    };
    const { first } = await baked(world);
    await isAsked;
    const again = sealWithImage(engine, { architecture: baking(500), commit: 'again', keys: { 'catalog/api': 'first' } }).manifest;
    assert.equal(again.outputs.environments['local']?.apps['catalog']?.id, generationIn(first), 'the same as the first');
    assert.equal((await world.up(again)).outcome, 'live');
    goOn();
    await world.until(() => done.length > 0);
    await Promise.all(done);
    await world.settled(again);
    assert.deepEqual(
      world.events.filter(({ type }) => type === 'instance-lost' || type === 'instance-replaced'),
      [],
    );
  },
);

const askBack = ({ engine }: RolloutWorld, { release, outputs }: Sealed): Promise<unknown> =>
  engine.ask(architecture, { name: 'request.1', image: outputs.controller, request: { ask: 'go-back', release } });

const endOf = ({ events }: RolloutWorld, { release }: Sealed) =>
  events.findLast((event) => event.type === 'rollout-ended' && event.release === release);

inWorld('while an app bakes, the generation before stays up and ready, and its rollout has not ended', async (world) => {
  const { first, second, before } = await bothThere(world);
  assert.deepEqual(await servingOf(world, 'catalog'), [generationIn(second)]);
  const members = (instances: typeof before): string[] =>
    instances.filter(({ role, body }) => role === 'service' && body === before[0]?.body).map(({ container }) => container);
  assert.deepEqual(members(await instancesOf(world, 'catalog')).toSorted(), members(before).toSorted(), 'the very same instances');
  assert.equal(endOf(world, second), undefined);
  const started = world.events.find((event) => event.type === 'bake-started');
  assert.ok(started?.type === 'bake-started');
  assert.deepEqual(started.units, [{ kind: 'app', name: 'catalog' }]);
  assert.equal((await world.ledger.rollouts(1))[0]?.outcome, 'live', 'the next rollout need not wait for it');
  assert.ok(first);
});

inWorld('going back within the bake is a handover to the very instances that served before', async (world) => {
  const { first, second, before } = await bothThere(world);
  const effects: string[] = [];
  world.engine.world.beforeEffect = ({ verb, name }) => void effects.push(`${verb} ${name.replace(/\.\d+$/, '')}`);
  await askBack(world, second);
  await world.until(async () => (await servingOf(world, 'catalog')).join() === generationIn(first));
  const short = generationIn(first).slice(0, 8);
  assert.deepEqual(effects.slice(0, 3), [
    'ask request',
    `promotePath catalog.path.${short}`,
    `drainPath catalog.path.${generationIn(second).slice(0, 8)}`,
  ]);
  await world.until(() => endOf(world, second) !== undefined);
  const end = endOf(world, second);
  assert.ok(end?.type === 'rollout-ended' && end.outcome === 'failed' && end.problem?.code === 'ROLLED_BACK');
  await world.settled(first);
  const services = (await instancesOf(world, 'catalog')).filter(({ role }) => role === 'service').map(({ container }) => container);
  assert.deepEqual(
    services.toSorted(),
    before
      .filter(({ role }) => role === 'service')
      .map(({ container }) => container)
      .toSorted(),
  );
  const [newest, older] = await world.ledger.rollouts(2);
  assert.deepEqual([newest?.outcome, older?.outcome], ['failed', 'live']);
  const inCharge = world.events.findLast(({ type }) => type === 'controller-in-charge');
  assert.ok(inCharge?.type === 'controller-in-charge' && inCharge.release === first.release, 'its own controller keeps it true again');
  assert.deepEqual((await world.engine.observe(architecture)).ok && (await requests(world)), []);
});

const requests = async ({ engine }: RolloutWorld) => {
  const observed = await engine.observe(architecture);
  return observed.ok ? observed.value.requests : [];
};

inWorld('the steps of what stands by have been, and going back runs none again', async (world) => {
  const steps = { before: [{ name: 'migrate', command: ['migrate'], limitMs: 5000 }], after: [] };
  const stepping = (commit: string) => {
    const architectureWithSteps = baking(long);
    const { catalog: own } = architectureWithSteps.apps;
    const services = { ...own!.services, api: service({ steps }) };
    const apps = { ...architectureWithSteps.apps, catalog: { ...own!, services } };
    return sealWithImage(world.engine, { architecture: { ...architectureWithSteps, apps }, commit, keys: { 'catalog/api': commit } })
      .manifest;
  };
  const first = stepping('first');
  await world.up(first);
  const second = stepping('second');
  await world.start(second);
  await world.until(() => standsBy(world, first));
  const ended = (): number => world.events.filter(({ type }) => type === 'step-ended').length;
  assert.equal(ended(), 2);
  await askBack(world, second);
  await world.until(async () => (await servingOf(world, 'catalog')).join() === generationIn(first));
  await world.settled(first);
  const started = world.events.filter((event) => event.type === 'step-started');
  assert.deepEqual([ended(), started.length], [2, 2]);
});

inWorld('a release that was gone back from is in quarantine', async (world) => {
  const { first, second } = await bothThere(world);
  await askBack(world, second);
  await world.until(() => endOf(world, second) !== undefined);
  await world.settled(first);
  const again = await world.up(second, { asked: 'up' });
  assert.equal(again.problem?.code, 'RELEASE_QUARANTINED');
  assert.match(again.problem?.why ?? '', /^it was rolled back at [^,]*$/);
});

inWorld('when the bake is over, nothing is left of the generation before or its controller', async (world) => {
  const { first, second, end } = await baked(world);
  assert.equal(end.outcome, 'live');
  await world.settled(second);
  const observed = await world.engine.observe(architecture);
  assert.ok(observed.ok);
  assert.deepEqual(
    observed.value.controllers.map(({ release }) => release),
    [second.release],
  );
  assert.ok(!observed.value.instances.some(({ generation }) => generation === generationIn(first)));
});

inWorld('a request that comes too late is refused, and taken away', async (world) => {
  const { second } = await baked(world);
  await askBack(world, second);
  await world.until(() => world.events.some(({ type }) => type === 'request-refused'));
  await world.until(async () => (await requests(world)).length === 0);
  assert.deepEqual(await servingOf(world, 'catalog'), [generationIn(second)]);
});

inWorld('a next release may come while one bakes; what it replaces stands by then', async (world) => {
  const { second } = await bothThere(world);
  const third = seal(world, 'third');
  await world.start(third);
  await world.until(() => standsBy(world, second));
  assert.deepEqual(await servingOf(world, 'catalog'), [generationIn(third)]);
  const end = endOf(world, second);
  assert.ok(end?.type === 'rollout-ended' && end.outcome === 'live', 'it was live');
});

inWorld('a controller that is killed while its release bakes finds the bake again', async (world) => {
  const { first, second } = await bothThere(world);
  const observed = await world.engine.observe(architecture);
  assert.ok(observed.ok);
  const controller = observed.value.controllers.find(({ release }) => release === second.release);
  const inCharge = (): number => world.events.filter(({ type }) => type === 'controller-in-charge').length;
  const before = inCharge();
  world.engine.world.kill(controller?.name ?? '');
  await world.until(() => inCharge() > before);
  assert.equal(endOf(world, second), undefined);
  await askBack(world, second);
  await world.until(async () => (await servingOf(world, 'catalog')).join() === generationIn(first));
});

inWorld('a generation before that is not healthy any more is not gone back to', async (world) => {
  const { first, second } = await bothThere(world);
  const own = first.outputs.environments['local']?.apps['catalog']?.images.services ?? {};
  world.engine.world.unhealthy(({ image }) => Object.values(own).includes(image));
  await askBack(world, second);
  await world.until(() => world.events.some(({ type }) => type === 'going-back-failed'));
  assert.deepEqual(await servingOf(world, 'catalog'), [generationIn(second)]);
  assert.equal((await world.ledger.rollouts(1))[0]?.outcome, 'live');
});

void test('killed before, in the middle of or after any effect of going back, it goes back', async () => {
  let kills = 0;
  for (const when of ['beforeEffect', 'midEffect', 'afterEffect'] as const) {
    for (let effect = 1, more = true; more; effect += 1) {
      const world = await makeRolloutWorld();
      try {
        const { first, second } = await bothThere(world);
        const from = world.engine.world.effects;
        await askBack(world, second);
        world.engine.world[when] = killAt(from + 1 + effect);
        await world.until(async () => (await servingOf(world, 'catalog')).join() === generationIn(first));
        await world.until(async () => (await world.ledger.rollouts(1))[0]?.outcome === 'failed');
        await world.settled(first);
        assert.deepEqual(world.engine.world.outages, []);
        more = world.engine.world.effects >= from + 1 + effect;
        kills += 1;
      } finally {
        await world.dispose();
      }
    }
  }
  assert.ok(kills > 20, `${kills} kills`);
});
