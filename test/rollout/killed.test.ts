import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InstanceSpec } from '../../src/engine/engine.ts';
import type { EffectHook } from '../../src/engine/memory/world.ts';
import type { Manifest } from '../../src/release/manifest.ts';
import { app, elsewhere, sealRelease, secretive, service, staged, steps, store, streaming, withCatalog } from './release-fixture.ts';
import { elasticRelease, scale } from './scale-fixture.ts';
import { architecture, comparable, inFreshWorld, killAt, makeRolloutWorld, type RolloutWorld } from './rollout-world.ts';

type Scenario = {
  name: string;
  prepare: (world: RolloutWorld) => Promise<Manifest>;
  /** Gives the release that is to serve afterwards. */
  act: (world: RolloutWorld) => Promise<Manifest>;
  fails?: true;
};

const changed = { commit: 'second', keys: { 'catalog/api': '2', 'accounts/api': '2' } };

const data = 'sessions.data';
// How patient a rollout is enters no generation.
const hasty = streaming({ stores: { sessions: store({ health: { kind: 'tcp', timeoutMs: 500 } }) } });
const newFormat = {
  commit: 'second',
  architecture: streaming({ stores: { sessions: store({ format: '15', upgrade: { command: ['upgrade'] } }) } }),
};
const newSteps = {
  commit: 'second',
  architecture: streaming({
    apps: { ...streaming().apps, catalog: app({ api: service({ steps: steps(['migrate'], ['warm']) }) }, 'catalog.localhost') },
  }),
};
const newServer = { commit: 'second', keys: { sessions: '2' }, architecture: hasty };

const scenarios: Scenario[] = [
  {
    name: 'a first release',
    prepare: async ({ engine }) => sealRelease(engine),
    act: async ({ engine, up }) => upWith(up, sealRelease(engine)),
  },
  { name: 'two apps replaced', prepare: live, act: ({ engine, up }) => upWith(up, sealRelease(engine, changed)) },
  {
    name: 'an app with steps replaced',
    prepare: live,
    act: async ({ engine, up }) => {
      const begun: string[] = [];
      engine.world.onStep = ({ name }) => (begun.push(name), 0);
      const second = await upWith(up, sealRelease(engine, newSteps));
      assert.deepEqual(
        begun.toSorted(),
        ['migrate', 'warm'].map((name) => `catalog.api.${name}.green`),
        'each once',
      );
      return second;
    },
  },
  {
    name: 'an app with stages replaced',
    prepare: async ({ engine, up }) => upWith(up, sealRelease(engine, { architecture: withCatalog(staged()) })),
    act: ({ engine, up }) =>
      upWith(up, sealRelease(engine, { commit: 'second', architecture: withCatalog(staged()), keys: { 'catalog/waf': '2' } })),
  },
  {
    name: 'an app that moves in',
    prepare: async ({ engine, up }) => upWith(up, sealRelease(engine, { architecture: withCatalog(elsewhere()) })),
    act: ({ engine, up }) => upWith(up, sealRelease(engine, { commit: 'second' })),
  },
  {
    name: 'an app whose step fails',
    fails: true,
    prepare: live,
    act: async ({ engine, up }) => {
      engine.world.onStep = () => 1;
      assert.equal((await up(sealRelease(engine, newSteps))).problem?.code, 'STEP_FAILED');
      return sealRelease(engine);
    },
  },
  {
    name: 'a store replaced',
    prepare: live,
    act: ({ engine, up }) => upWith(up, sealRelease(engine, newServer)),
  },
  {
    name: 'a new data generation',
    prepare: live,
    act: ({ engine, up }) => {
      engine.world.onUpgrade = (_, found) => `${found}, upgraded`;
      return upWith(up, sealRelease(engine, newFormat));
    },
  },
  {
    name: 'a store whose new server damages the data',
    fails: true,
    prepare: live,
    act: async ({ engine, up }) => {
      const second = sealRelease(engine, newServer);
      const broken = second.outputs.environments['local']?.stores['sessions']?.images.services['server'];
      const isBroken = (spec: InstanceSpec): boolean =>
        spec.image === broken && spec.mounts.some((mount) => mount.kind === 'volume' && mount.volume === data);
      engine.world.unhealthy(isBroken);
      engine.world.onServer = (spec, found) => (isBroken(spec) ? 'damaged' : found);
      assert.equal((await up(second)).outcome, 'failed');
      return sealRelease(engine);
    },
  },
  { name: 'a service that grows', prepare: liveElastic, act: (world) => scaled(world, 5) },
  {
    name: 'a service that shrinks',
    prepare: async (world) => {
      await liveElastic(world);
      return scaled(world, 5);
    },
    act: (world) => scaled(world, 2),
  },
  {
    name: 'a rollout of a service that has grown',
    prepare: async (world) => {
      await liveElastic(world);
      return scaled(world, 4);
    },
    act: (world) => upWith(world.up, elasticRelease(world, changed)),
  },
  {
    name: 'another version of a secret',
    prepare: liveSecretive,
    act: ({ engine, up }) => upWith(up, sealRelease(engine, { commit: 'second', architecture: secretive(2) })),
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
  world.engine.world.write(architecture, data, 'ten orders');
  return manifest;
}

async function liveSecretive(world: RolloutWorld): Promise<Manifest> {
  const manifest = await upWith(world.up, sealRelease(world.engine, { architecture: secretive(1) }));
  await world.settled(manifest);
  return manifest;
}

/** What instances find, by name without their colour. */
const secretsFound = ({ engine }: RolloutWorld): string[] =>
  ['catalog.api-1', 'catalog.api-2', 'sessions.server'].map((name) =>
    JSON.stringify(['blue', 'green'].map((colour) => engine.world.secretsOf(`${name}.${colour}`))),
  );

async function liveElastic(world: RolloutWorld): Promise<Manifest> {
  const manifest = await upWith(world.up, elasticRelease(world));
  await world.settled(manifest);
  return manifest;
}

async function scaled(world: RolloutWorld, count: number): Promise<Manifest> {
  const manifest = elasticRelease(world);
  await scale(world, count, manifest);
  return manifest;
}

async function upWith(up: RolloutWorld['up'], manifest: Manifest): Promise<Manifest> {
  assert.equal((await up(manifest)).outcome, 'live');
  return manifest;
}

/** Effects of controllers, by number; what whoever gave the order does itself, once it has failed, is none. */
async function undisturbed({ prepare, act, fails }: Scenario): Promise<{ effects: number[]; end: string[] }> {
  const world = await makeRolloutWorld();
  await prepare(world);
  const effects: number[] = [];
  world.engine.world.beforeEffect = ({ number, verb }) => {
    if (verb !== 'startController' && verb !== 'ask' && !(fails && verb === 'removeController')) effects.push(number);
  };
  await world.settled(await act(world));
  const end = comparable(world);
  await world.dispose();
  return { effects, end };
}

type Kill = { scenario: Scenario; end: string[]; at: string; hook: ['beforeEffect' | 'midEffect' | 'afterEffect', EffectHook] };

async function checkKilled(world: RolloutWorld, { scenario, end, at, hook: [when, kill] }: Kill): Promise<void> {
  await scenario.prepare(world);
  world.engine.world[when] = kill;
  const manifest = await scenario.act(world);
  await world.settled(manifest);
  assert.deepEqual(comparable(world), end, at);
  if (scenario.prepare === live) assert.equal(world.engine.world.contentsOf(architecture, data), 'ten orders', at);
  const next = world.engine.world.contentsOf(architecture, `${data}.15`);
  if (scenario.name === 'a new data generation') assert.equal(next, 'ten orders, upgraded', at);
  if (scenario.prepare === liveSecretive)
    assert.deepEqual(
      secretsFound(world).map((each) => /value \d/.exec(each)?.[0]),
      Array(3).fill('value 2'),
      at,
    );
  if (scenario.name !== 'a store replaced' && scenario.prepare !== liveSecretive) assert.deepEqual(world.engine.world.outages, [], at);
  assert.deepEqual(world.engine.world.availability.stuck, [], at);
  assert.equal(world.events.filter(({ type }) => type === 'controller-started').length > 1, true, `${at}: it was killed`);
}

for (const scenario of scenarios)
  void test(`${scenario.name}: the controller may be killed before or after any effect`, async (context) => {
    const { effects, end } = await undisturbed(scenario);
    for (const when of ['beforeEffect', 'midEffect', 'afterEffect'] as const)
      for (const effect of effects) {
        const at = `${when} ${effect}`;
        await inFreshWorld((world) => checkKilled(world, { scenario, end, at, hook: [when, killAt(effect)] }));
      }
    context.diagnostic(`${3 * effects.length} kills`);
  });
