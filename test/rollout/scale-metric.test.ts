import assert from 'node:assert/strict';
import type { PathMeasures } from '../../src/datapath/path-log.ts';
import type { ReplicaRange } from '../../src/architecture/model.ts';
import { architecture, inWorld, type RolloutWorld } from './rollout-world.ts';
import { elastic, elasticRelease, instances } from './scale-fixture.ts';

async function live(world: RolloutWorld, range: ReplicaRange): Promise<void> {
  const manifest = elasticRelease(world, { architecture: elastic(range) });
  assert.equal((await world.up(manifest)).outcome, 'live');
  await world.settled(manifest);
}

const quiet: PathMeasures = {
  number: 1,
  spanMs: 1000,
  retries: 0,
  redispatches: 0,
  requests: 0,
  answers: { '1xx': 0, '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 },
  connections: 0,
  open: 0,
  queue: 0,
  servers: {},
};

/** The controller looks again and again, as it does once a second, until so many run. */
async function untilThereAre(world: RolloutWorld, count: number, meanwhile: () => Promise<void> | void = () => {}): Promise<void> {
  for (let looks = 0; instances(world).length !== count; looks += 1) {
    assert.ok(looks < 20_000, `there never were ${count}, but ${instances(world).length}`);
    await meanwhile();
    world.engine.world.touch('catalog.api-1.blue', 'exec_start');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const scaled = ({ events }: RolloutWorld) =>
  events.flatMap((event) => (event.type === 'service-scaled' ? [[event.from, event.to, event.why]] : []));

inWorld('as many run as the requests in flight and in the queue ask for, and fewer when there are none', async (world) => {
  await live(world, { min: 2, max: 5, metric: 'requests', target: 10 });
  const [path] = world.engine.world.serving({ kind: 'app', name: 'catalog' });
  const observed = await world.engine.observe(architecture);
  const own = (observed.ok ? observed.value.slots : []).flatMap(({ name, address }) =>
    name.startsWith('catalog.api-') ? [address ?? ''] : [],
  );
  // A service that the path leads to as well has its own load.
  const loads = [...own.map((address) => [address, 20 / own.length] as const), ['other', 100] as const];
  const servers = Object.fromEntries(loads.map(([address, inFlight]) => [address, { inFlight, state: 'up' as const }]));
  world.engine.world.measure(path!, { ...quiet, queue: 8, servers });
  await untilThereAre(world, 3);
  world.engine.world.measure(path!, quiet);
  await untilThereAre(world, 2);
  assert.deepEqual(scaled(world), [
    [2, 3, 'requests'],
    [3, 2, 'requests'],
  ]);
});

inWorld('as many run as the processor time of all asks for', async (world) => {
  await live(world, { min: 1, max: 4, metric: 'cpu', target: 0.5 });
  let used = 0;
  await untilThereAre(world, 2, async () => {
    // By the hurrying clock half an hour's work at once: whatever time has passed, it was more than a core.
    used += 2_000_000;
    const observed = await world.engine.observe(architecture);
    for (const { name, role } of observed.ok ? observed.value.instances : [])
      if (role === 'service') world.engine.world.use(name, { cpuMs: used, memoryBytes: 1 });
  });
  assert.deepEqual(scaled(world)[0], [1, 2, 'cpu']);
});
