import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Alarm, Architecture } from '../../src/architecture/model.ts';
import { app, sealWithImage, service, streaming, type ReleaseChange } from './release-fixture.ts';
import { architecture, inWorld, makeRolloutWorld, type RolloutWorld } from './rollout-world.ts';
import type { Manifest } from '../../src/release/manifest.ts';

const errors: Alarm<'error-ratio'> = { metric: 'error-ratio', above: 0.1, forMs: 2000 };

const watched = ({ bakeMs = 3_600_000, ...change }: { bakeMs?: number } & Partial<Architecture> = {}): Architecture =>
  streaming({
    apps: {
      catalog: {
        ...app({ api: service(), providers: service({ entry: false, replicas: 1 }) }, 'catalog.localhost'),
        ...(bakeMs > 0 && { bake: { forMs: bakeMs } }),
        alarms: { errors },
      },
      accounts: app(
        { api: service({ stores: ['sessions'], alarms: { dying: { metric: 'restarts', above: 0, forMs: 60_000 } } }) },
        'accounts.localhost',
      ),
    },
    ...change,
  });

const seal = ({ engine }: RolloutWorld, of: Architecture, change: ReleaseChange = {}): Manifest =>
  sealWithImage(engine, { architecture: of, ...change }).manifest;

const changed: ReleaseChange = { commit: 'second', keys: { 'catalog/api': '2', 'accounts/api': '2' } };

async function pathsOf({ engine }: RolloutWorld, name: string) {
  const observed = await engine.observe(architecture);
  assert.ok(observed.ok);
  return observed.value.instances.filter(({ owner, path }) => owner.name === name && path?.phase === 'serving');
}

const generationIn = ({ outputs }: Manifest, name: string): string => outputs.environments['local']?.apps[name]?.id ?? '';

const servingOf = async (world: RolloutWorld, name: string): Promise<string> =>
  (await pathsOf(world, name)).map(({ generation }) => generation).join();

/** What the catalog's path says of itself from now on, at each look at it. */
async function answering(world: RolloutWorld, share: number): Promise<() => Promise<void>> {
  return async () => {
    for (const { name } of await pathsOf(world, 'catalog'))
      world.engine.world.measure(name, {
        number: 1,
        spanMs: 1000,
        retries: 0,
        redispatches: 0,
        requests: 100,
        answers: { '1xx': 0, '2xx': 100 - 100 * share, '3xx': 0, '4xx': 0, '5xx': 100 * share },
        connections: 1,
        open: 1,
        queue: 0,
        servers: {},
      });
  };
}

async function untilSaid(world: RolloutWorld, type: string, tick: () => Promise<void>): Promise<void> {
  const from = world.events.length;
  await world.until(async () => {
    await tick();
    return world.events.slice(from).some((event) => event.type === type);
  });
}

async function baking(world: RolloutWorld, of: Architecture) {
  const first = seal(world, of);
  await world.up(first);
  const second = seal(world, of, changed);
  await world.start(second);
  await world.until(() => world.events.some(({ type }) => type === 'bake-started'));
  return { first, second };
}

inWorld('an alarm that fires while its app bakes brings back the release before', async (world) => {
  const { first, second } = await baking(world, watched());
  await untilSaid(world, 'going-back', await answering(world, 0.5));
  await world.until(async () => (await servingOf(world, 'catalog')) === generationIn(first, 'catalog'));
  const end = (): unknown => world.events.findLast((event) => event.type === 'rollout-ended' && event.release === second.release);
  await world.until(() => end() !== undefined);
  const [record] = await world.ledger.rollouts(1);
  assert.deepEqual([record?.outcome, record?.problem?.code], ['failed', 'ALARM_FIRED']);
  assert.match(record?.problem?.why ?? '', /^catalog\/errors: error-ratio was above 10 % for 2 s \(50 %\)$/);
  await world.settled(first);
  assert.equal(await servingOf(world, 'accounts'), generationIn(first, 'accounts'), 'all of it goes back');
  assert.equal((await world.up(second, { asked: 'up' })).problem?.code, 'RELEASE_QUARANTINED');
});

inWorld('an app that answers well bakes in peace', async (world) => {
  const { second } = await baking(world, watched({ bakeMs: 4000 }));
  await untilSaid(world, 'rollout-ended', await answering(world, 0.05));
  assert.ok(!world.events.some(({ type }) => type === 'alarm-fired' || type === 'going-back'));
  assert.equal(await servingOf(world, 'catalog'), generationIn(second, 'catalog'));
});

inWorld('without a bake an alarm is told, and told again when it has come to rest', async (world) => {
  const first = seal(world, watched({ bakeMs: 0 }));
  await world.up(first);
  await untilSaid(world, 'alarm-fired', await answering(world, 0.5));
  const bad = await answering(world, 0.5);
  for (let round = 0; round < 20; round += 1) await bad();
  await untilSaid(world, 'alarm-cleared', await answering(world, 0));
  assert.equal(world.events.filter(({ type }) => type === 'alarm-fired').length, 1, 'once, however long it fires');
  assert.equal(await servingOf(world, 'catalog'), generationIn(first, 'catalog'));
});

inWorld('an alarm that fired already before the release came takes nothing back', async (world) => {
  const first = seal(world, watched());
  await world.up(first);
  const bad = await answering(world, 0.5);
  await untilSaid(world, 'alarm-fired', bad);
  const second = seal(world, watched({ bakeMs: 4000 }), changed);
  await world.start(second);
  await untilSaid(world, 'rollout-ended', bad);
  assert.ok(!world.events.some(({ type }) => type === 'going-back'));
  assert.equal(await servingOf(world, 'catalog'), generationIn(second, 'catalog'));
});

inWorld('an independent app whose alarm fires is held back, and the rest of the release stays', async (world) => {
  const { first, second } = await baking(world, watched({ rollout: 'per-app' }));
  await untilSaid(world, 'unit-held-back', await answering(world, 0.5));
  await world.until(async () => (await servingOf(world, 'catalog')) === generationIn(first, 'catalog'));
  assert.equal(await servingOf(world, 'accounts'), generationIn(second, 'accounts'));
  const end = () => world.events.findLast((event) => event.type === 'rollout-ended' && event.release === second.release);
  await world.until(() => end() !== undefined);
  const said = end();
  assert.ok(said?.type === 'rollout-ended' && said.outcome === 'live');
  assert.deepEqual([said.held, said.problem?.code], [[{ kind: 'app', name: 'catalog' }], 'ALARM_FIRED']);
  await world.until(async () => (await world.engine.controllers(architecture)).ok && (await controllersOf(world)).length === 1);
  // Its own controller, started anew, keeps it so.
  world.engine.world.kill((await controllersOf(world))[0] ?? '');
  const from = world.events.length;
  await world.until(() => world.events.slice(from).some(({ type }) => type === 'controller-in-charge'));
  assert.equal(await servingOf(world, 'catalog'), generationIn(first, 'catalog'));
});

const controllersOf = async ({ engine }: RolloutWorld): Promise<string[]> => {
  const controllers = await engine.controllers(architecture);
  return controllers.ok ? controllers.value.map(({ name }) => name) : [];
};

void test('killed before any effect after its alarm fired, an independent app is held back all the same', async () => {
  for (const verb of ['promotePath', 'drainPath', 'removeInstance'] as const) {
    const world = await makeRolloutWorld();
    try {
      const { first } = await baking(world, watched({ rollout: 'per-app' }));
      let isKilled = false;
      world.engine.world.beforeEffect = async (effect) => {
        const told = world.events.some(({ type }) => type === 'unit-held-back');
        if (isKilled || !told || effect.verb !== verb) return;
        isKilled = true;
        const { Killed } = await import('../../src/engine/memory/world.ts');
        throw new Killed(`before ${verb}`);
      };
      await untilSaid(world, 'unit-held-back', await answering(world, 0.5));
      await world.until(async () => isKilled && (await servingOf(world, 'catalog')) === generationIn(first, 'catalog'));
      assert.deepEqual(world.engine.world.outages, []);
    } finally {
      await world.dispose();
    }
  }
});

inWorld('an app that nobody asks anything has a rate of nothing', async (world) => {
  const idle = watched({ bakeMs: 0 });
  const catalog = { ...idle.apps['catalog']!, alarms: { idle: { metric: 'request-rate', below: 1, forMs: 2000 } as const } };
  await world.up(seal(world, { ...idle, apps: { ...idle.apps, catalog } }));
  await untilSaid(world, 'alarm-fired', async () => undefined);
});

inWorld('channels of the environment are told what a person should know', async (world) => {
  const channels = { ops: { webhook: 'http://ops' } };
  await baking(world, watched({ channels, environments: { local: { channels: { night: { webhook: 'http://night' } } } } }));
  await untilSaid(world, 'rollout-ended', await answering(world, 0.5));
  const to = (url: string): string[] =>
    world.posted.filter((each) => each.url === url).map(({ body }) => (JSON.parse(body) as { text: string }).text);
  await world.until(() => to('http://ops').length + to('http://night').length >= 8);
  assert.deepEqual(
    to('http://ops').map((text) => text.replaceAll(/[0-9a-f]{12}/g, 'RELEASE')),
    [
      'streaming (local): release RELEASE is live',
      'streaming (local): alarm catalog/errors: error-ratio was above 10 % for 2 s (50 %)',
      'streaming (local): going back from release RELEASE to RELEASE: catalog/errors: error-ratio was above 10 % for 2 s (50 %)',
      'streaming (local): release RELEASE failed: an alarm fired while release RELEASE baked',
    ],
  );
  assert.deepEqual(to('http://night'), to('http://ops'));
});

inWorld('an instance that ends by itself counts for the alarm of its service', async (world) => {
  await world.up(seal(world, watched({ bakeMs: 0 })));
  world.engine.world.kill('accounts.api-1.blue');
  await untilSaid(world, 'alarm-fired', async () => undefined);
  const fired = world.events.find(({ type }) => type === 'alarm-fired');
  assert.ok(fired?.type === 'alarm-fired' && fired.alarm === 'accounts.api/dying');
});
