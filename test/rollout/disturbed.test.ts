import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Manifest } from '../../src/release/manifest.ts';
import { Killed } from '../../src/engine/memory/world.ts';
import { failed } from '../../src/result.ts';
import { sealRelease } from './release-fixture.ts';
import { architecture, inFreshWorld, type RolloutWorld, refuse } from './rollout-world.ts';

/** What the simulation found (test/simulation), each told by hand. */
const inWorld = (name: string, body: (world: RolloutWorld, first: Manifest) => Promise<void>): void => {
  void test(name, () => inFreshWorld((world) => body(world, sealRelease(world.engine))));
};

const refused = { code: 'ENGINE_REFUSED', what: 'no' } as const;
const absent = { code: 'ENGINE_ABSENT', what: 'no container engine answers' } as const;

const controllersOf = async ({ engine }: RolloutWorld): Promise<string[]> => {
  const controllers = await engine.controllers(architecture);
  assert.ok(controllers.ok);
  return controllers.value.map(({ release }) => release);
};

/** The next `times` looks at the engine fail. */
function blind({ engine }: RolloutWorld, times: number): void {
  const look = engine.observe.bind(engine);
  let left = times;
  engine.observe = async (name) => {
    left -= 1;
    return left >= 0 ? failed(absent) : look(name);
  };
}

inWorld('a predecessor that could not be removed at once is removed later', async (world, first) => {
  await world.up(first);
  world.engine.world.failNext('removeController', refused);
  const second = sealRelease(world.engine, { commit: 'second' });
  assert.equal((await world.up(second)).outcome, 'live');
  await world.until(async () => {
    // Any event makes the controller in charge look again.
    world.engine.world.touch('catalog.api-1.blue', 'exec_start');
    return (await controllersOf(world)).length === 1;
  });
  assert.deepEqual(await controllersOf(world), [second.release]);
});

inWorld('a controller that has not come to claim yet is nobody’s predecessor', async (world, first) => {
  await world.up(first);
  const second = sealRelease(world.engine, { commit: 'second' });
  const { release, inputs, outputs } = second;
  const run = world.engine.world.lifecycle.onController;
  world.engine.world.onController = undefined;
  const spec = { name: 'slow', image: outputs.controller, release, commit: inputs.source.commit, environment: 'local', history: [] };
  await world.engine.startController(architecture, spec);
  world.engine.world.onController = run;
  const third = sealRelease(world.engine, { commit: 'third' });
  assert.equal((await world.up(third)).outcome, 'live');
  assert.deepEqual((await controllersOf(world)).toSorted(), [second.release, third.release].toSorted());
});

inWorld(
  'a controller that is removed in the midst of its rollout leaves the one before in charge, which clears away what it began',
  async (world, first) => {
    await world.up(first);
    const before = world.engine.world.inventory().filter((line) => !line.includes('controller'));
    const second = sealRelease(world.engine, { commit: 'second', keys: { 'catalog/api': '2' } });
    world.engine.world.unhealthy(({ role }) => role === 'service');
    const name = await world.start(second);
    await world.until(() => world.events.some((event) => event.type === 'health-waiting'));
    await world.engine.removeController(architecture, name);
    await world.until(() => world.events.some((event) => event.type === 'rollout-ended' && event.release === second.release));
    await world.settled(first);
    assert.deepEqual(
      world.engine.world.inventory().filter((line) => !line.includes('controller')),
      before,
    );
    const [last] = await world.ledger.rollouts(1);
    assert.deepEqual([last?.outcome, last?.problem?.code], ['failed', 'CONTROLLER_DIED']);
  },
);

inWorld('a first release that fails is taken back although the engine does not answer for a while', async (world, first) => {
  refuse(world, 'promotePath');
  world.engine.world.beforeEffect = ({ verb }) => {
    if (verb !== 'promotePath') return;
    world.engine.world.beforeEffect = undefined;
    blind(world, 8);
  };
  assert.equal((await world.up(first)).outcome, 'failed');
  const observed = await world.engine.observe(architecture);
  assert.ok(observed.ok);
  const { networks, slots, instances } = observed.value;
  assert.deepEqual([networks, slots, instances], [[], [], []]);
});

inWorld('a release that is live is not taken back because the engine does not answer for a while', async (world, first) => {
  await world.up(first);
  world.engine.world.afterEffect = ({ verb }) => {
    if (verb !== 'removeInstance') return;
    world.engine.world.afterEffect = undefined;
    blind(world, 20);
  };
  const second = sealRelease(world.engine, { commit: 'second', keys: { 'catalog/api': '2' } });
  assert.equal((await world.up(second)).outcome, 'live');
});

inWorld('how a rollout failed is said although its controller was killed before it could', async (world, first) => {
  await world.up(first);
  refuse(world, 'promotePath');
  const { ledger } = world;
  const end = ledger.end.bind(ledger);
  ledger.end = async (...ended) => {
    ledger.end = end;
    await end(...ended);
    throw new Killed('after the ledger had it');
  };
  const second = sealRelease(world.engine, { commit: 'second', keys: { 'catalog/api': '2' } });
  assert.equal((await world.up(second)).problem?.code, 'ENGINE_REFUSED');
});

inWorld('a rollout that was overtaken is said to have been superseded', async (world, first) => {
  await world.up(first);
  const second = sealRelease(world.engine, { commit: 'second', keys: { 'catalog/api': '2' } });
  world.engine.world.midEffect = async ({ verb }) => {
    if (verb !== 'startInstance') return;
    world.engine.world.midEffect = undefined;
    // Its lease has lapsed, and another has begun.
    await world.ledger.claim({ release: first.release, commit: 'uncommitted', environment: 'local', controller: 'other', leaseMs: -1 });
  };
  assert.equal((await world.up(second)).outcome, 'superseded');
});

inWorld('where its own path still drains, a release that serves again starts another', async (world, first) => {
  await world.up(first);
  await world.settled(first);
  const [path] = world.engine.world.serving({ kind: 'app', name: 'catalog' });
  assert.ok(path);
  world.engine.world.holdConnections(path);
  // As a later rollout does it that fails afterwards.
  await world.engine.drainPath(architecture, path);
  await world.until(() => {
    world.engine.world.touch('catalog.api-1.blue', 'exec_start');
    return world.engine.world.serving({ kind: 'app', name: 'catalog' }).length === 1;
  });
  assert.notDeepEqual(world.engine.world.serving({ kind: 'app', name: 'catalog' }), [path]);
  assert.deepEqual(world.engine.world.cuts, []);
  world.engine.world.releaseConnections(path);
  await world.settled(first);
});

inWorld('a place for a trial that the engine refuses once, for another just took its network away, is made again', async (world, first) => {
  await world.up(first);
  await world.settled(first);
  const second = sealRelease(world.engine, { commit: 'second', keys: { sessions: '2' } });
  world.engine.world.failNext('ensureSlot', refused);
  assert.equal((await world.up(second)).outcome, 'live');
});
