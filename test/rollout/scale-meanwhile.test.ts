import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Architecture, Service } from '../../src/architecture/model.ts';
import type { Manifest } from '../../src/release/manifest.ts';
import { app, sealWithImage, service, steps, type ReleaseChange } from './release-fixture.ts';
import { architecture, inWorld, killAt, makeRolloutWorld, type RolloutWorld } from './rollout-world.ts';
import { ask, elastic, instances } from './scale-fixture.ts';

const hour = 3_600_000;
const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => `api-${index + 1}`);

/** A catalog whose instances come and go, beside accounts that may take long to become healthy, and films. */
function beside(accounts: Partial<Service> = {}, whole: Partial<Architecture> = {}): Architecture {
  const health = { kind: 'http', path: '/healthz', status: 200, timeoutMs: hour } as const;
  const { apps, ...rest } = elastic();
  const api = service({ health, stores: ['sessions'], ...accounts });
  const films = app({ api: service() }, 'films.localhost');
  return { ...rest, apps: { ...apps, accounts: app({ api }, 'accounts.localhost'), films }, ...whole };
}

const seal = ({ engine }: RolloutWorld, change: ReleaseChange): Manifest => sealWithImage(engine, change).manifest;

async function live(world: RolloutWorld, of: Architecture): Promise<Manifest> {
  const manifest = seal(world, { architecture: of });
  assert.equal((await world.up(manifest)).outcome, 'live');
  await world.settled(manifest);
  return manifest;
}

const isSaid = ({ events }: RolloutWorld, type: string, from = 0): boolean => events.slice(from).some((event) => event.type === type);

const isAsked = ({ engine }: RolloutWorld): boolean => engine.world.inventory().some((line) => line.includes(': request '));

/** Until the request is taken; a controller that waits looks again, as it does once a second. */
async function scaled(world: RolloutWorld, count: number, manifest: Manifest): Promise<void> {
  await ask(world, count, manifest);
  await world.until(() => {
    world.engine.world.touch('catalog.api-1.blue', 'exec_start');
    return !isAsked(world);
  });
  assert.deepEqual(instances(world), numbered(count));
}

type Waiting = {
  before?: Architecture;
  next?: Architecture;
  prepare?: (world: RolloutWorld, next: Manifest) => void;
  says: string;
  holds?: true;
};

const independent = beside({}, { rollout: 'per-app' });

const accountsIn = ({ outputs }: Manifest): string | undefined => outputs.environments['local']?.apps['accounts']?.id;

const notHealthy: Waiting['prepare'] = ({ engine }, next) => engine.world.unhealthy(({ generation }) => generation === accountsIn(next));

/** What a release of other accounts (and films, where apps are independent) waits for, however long. */
const waitings: Record<string, Waiting> = {
  'waits for another app to become healthy': { prepare: notHealthy, says: 'health-waiting' },
  'waits for an independent app to become healthy': {
    before: independent,
    next: independent,
    prepare: notHealthy,
    says: 'health-waiting',
  },
  'is held for a look': { says: 'rollout-held', holds: true },
  'runs a step of another app': {
    next: beside({ steps: steps(['migrate'], [], hour) }),
    prepare: ({ engine }) => (engine.world.onStep = () => 'runs'),
    says: 'step-started',
  },
  'waits for another app to drain': {
    prepare({ engine }) {
      for (const path of engine.world.serving({ kind: 'app', name: 'accounts' })) engine.world.holdConnections(path, 3);
    },
    says: 'drain-waiting',
  },
};

/** The rollout of the second release, as it waits; and the first. */
async function waiting(world: RolloutWorld, { before = beside(), next = beside(), prepare, says, holds }: Waiting) {
  const first = await live(world, before);
  const keys = { 'accounts/api': '2', ...(next.rollout && { 'films/api': '2' }) };
  const second = seal(world, { architecture: next, commit: 'second', keys });
  prepare?.(world, second);
  const from = world.events.length;
  await world.start(second, { ...(holds && { holds }) });
  await world.until(() => isSaid(world, says, from));
  return { first, second, from };
}

for (const [what, how] of Object.entries(waitings))
  inWorld(`while a release ${what}, instances of an app that it does not change come and go`, async (world) => {
    const { second, from } = await waiting(world, how);
    await scaled(world, 5, second);
    await scaled(world, 3, second);
    assert.deepEqual([isSaid(world, 'request-refused'), isSaid(world, 'rollout-ended', from)], [false, false]);
  });

inWorld('what a release changes is scaled once it is live', async (world) => {
  await live(world, beside());
  const second = seal(world, { architecture: beside(), commit: 'second', keys: { 'catalog/api': '2' } });
  await world.start(second, { holds: true });
  await world.until(() => isSaid(world, 'rollout-held'));
  await ask(world, 4, second);
  await world.engine.ask(architecture, {
    name: 'request.look',
    image: second.outputs.controller,
    request: { ask: 'let-live', release: second.release },
  });
  await world.until(() => !isAsked(world));
  await world.settled(second);
  assert.deepEqual(instances(world), numbered(4));
  const moment = (type: string): number => world.events.findLastIndex((event) => event.type === type);
  assert.ok(moment('service-scaled') > moment('unit-switched'), 'nothing of it was scaled before');
  assert.ok(!isSaid(world, 'request-refused'));
});

inWorld('what dies of an independent app is restored while another one is waited for', async (world) => {
  const { from } = await waiting(world, waitings['waits for an independent app to become healthy'] as Waiting);
  world.engine.world.kill('catalog.api-1.blue');
  await world.until(() => isSaid(world, 'instance-replaced', from));
  assert.deepEqual(instances(world), numbered(2));
  assert.ok(!isSaid(world, 'rollout-ended', from));
});

inWorld('while an app bakes its instances come and go, and what stands by serves again with as many', async (world) => {
  const { apps } = elastic();
  const baking = beside({}, { apps: { ...apps, catalog: { ...apps['catalog']!, bake: { forMs: hour } } } });
  const first = await live(world, baking);
  const second = seal(world, { architecture: baking, commit: 'second', keys: { 'catalog/api': '2' } });
  await world.start(second);
  await world.until(() => isSaid(world, 'bake-started'));
  for (const count of [5, 3]) {
    await ask(world, count, second);
    await world.until(() => !isAsked(world));
  }
  const { engine } = world;
  await engine.ask(architecture, {
    name: 'request.back',
    image: second.outputs.controller,
    request: { ask: 'go-back', release: second.release },
  });
  await world.until(() => isSaid(world, 'rollout-ended') && !isAsked(world));
  await world.settled(first);
  assert.deepEqual(instances(world), numbered(3));
});

for (const what of ['waits for another app to become healthy', 'waits for an independent app to become healthy'])
  for (const when of ['beforeEffect', 'midEffect', 'afterEffect'] as const)
    void test(`killed at any moment (${when}) of a scaling, a release that ${what} goes on with both`, { timeout: 120_000 }, async () => {
      let more = true;
      for (let effect = 0; more; effect += 1) {
        const world = await makeRolloutWorld();
        try {
          const { second } = await waiting(world, waitings[what] as Waiting);
          const from = world.engine.world.effects + 2;
          await ask(world, 4, second);
          world.engine.world[when] = killAt(from + effect);
          await world.until(() => !isAsked(world));
          assert.deepEqual(instances(world), numbered(4));
          more = world.engine.world.effects >= from + effect;
          world.engine.world.unhealthy(() => false);
          await world.settled(second);
          assert.deepEqual(instances(world), numbered(4));
          assert.deepEqual(world.engine.world.outages, []);
        } finally {
          await world.dispose();
        }
      }
    });
