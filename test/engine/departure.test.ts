import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { renderAppPath } from '../../src/datapath/app-path.ts';
import { renderCore } from '../../src/datapath/core-path.ts';
import type { PathMeasures } from '../../src/datapath/path-log.ts';
import { engineAnswers, type Proxy, World } from './handover-world.ts';
import { ask, startLoad, type Target } from './keep-alive-load.ts';

const HOST = 'shop.localhost';
const world = new World();
const skip = (await engineAnswers()) ? false : 'no engine with debian:bookworm-slim answers';
const images = { path: '', hasty: '', core: '' };
const addresses = new Map<string, string>();
let target: Target;
let path: Proxy;

before(
  async () => {
    if (skip !== false) return;
    await world.prepare();
    const [address] = await Promise.all([
      world.sandbox('core', 'core'),
      world.sandbox('path', 'shop.path'),
      ...['one', 'two'].map((name) => place(name)),
      world.image('path', appPath(30_000)).then((image) => (images.path = image)),
      world.image('hasty', appPath(300)).then((image) => (images.hasty = image)),
      world.image('core', renderCore({ generation: 'c', routes: [{ host: HOST, app: 'shop' }] })).then((image) => (images.core = image)),
    ]);
    target = { address, port: 8080, host: HOST };
    await world.occupy('one');
  },
  { timeout: 60_000 },
);

after(async () => {
  if (skip === false) await world.close();
});

test('a waiter is healthy when all that have the name are, and there are enough of them', { skip, timeout: 30_000 }, async () => {
  path = await world.waiter('path', images.path);
  const failing = () => path.reports.at(-1);
  const refused = [{ server: addresses.get('two'), asked: 'GET /healthz expecting 200', check: 'L4CON', detail: 'Connection refused' }];
  const isRefused = () => JSON.stringify(failing()) === JSON.stringify({ phase: 'checking', failing: refused });
  while (!isRefused()) await path.nextLine();
  await world.occupy('two');
  await path.reported('healthy');
  const core = await world.waiter('core', images.core);
  await core.reported('healthy');
  for (const proxy of [path, core]) {
    await proxy.signal('USR2');
    await proxy.reported('serving');
  }
  await heard((servers) => stateOf(servers, 'one') === 'up' && stateOf(servers, 'two') === 'up');
});

test('one comes and goes under load, finishes what it has, and nothing is lost', { skip, timeout: 60_000 }, async () => {
  const load = startLoad(target, 20);
  await place('three');
  await world.occupy('three');
  await heard((servers) => stateOf(servers, 'three') === 'up');
  const slow = Promise.all(Array.from({ length: 9 }, () => ask(target, '/slow')));
  const departure = await world.departure('three', images.path);
  await heard((servers) => stateOf(servers, 'three') === 'draining' && inFlight(servers, 'three') === 0);
  await world.vacate('three', 'server');
  await heard((servers) => stateOf(servers, 'three') === 'down');
  await departure.signal('TERM');
  assert.equal(await departure.ended(), 3);
  await world.vacate('three', 'slot');
  await heard((servers) => stateOf(servers, 'three') === undefined);
  await slow;
  await load.stop();
  assert.deepEqual(load.tally.failed, []);
  assert.ok(load.tally.answered > 500, `the load was no load: ${load.tally.answered} requests`);
});

test('what was said of one that left is not said of one that comes later', { skip, timeout: 30_000 }, async () => {
  await place('four');
  await world.occupy('four');
  await heard((servers) => stateOf(servers, 'four') === 'up');
});

test(
  'a departure lasts as long as the app drains, and says by its exit code that it was not taken back',
  { skip, timeout: 30_000 },
  async () => {
    const departure = await world.departure('four', images.hasty);
    assert.equal(await departure.ended(), 0);
    await heard((servers) => stateOf(servers, 'four') === 'draining');
  },
);

const appPath = (drainLimitMs: number) =>
  renderAppPath({
    app: 'shop',
    generation: `g${drainLimitMs}`,
    colour: 'blue',
    entry: 'web',
    services: [{ name: 'web', port: 8080, replicas: { min: 1, max: 4 }, health: { kind: 'http', path: '/healthz', status: 200 } }],
    drainLimitMs,
  });

async function place(name: string): Promise<void> {
  addresses.set(name, await world.slot('web.blue', name));
}

type Servers = PathMeasures['servers'];

const stateOf = (servers: Servers, name: string): string | undefined => servers[addresses.get(name) ?? '']?.state;

const inFlight = (servers: Servers, name: string): number | undefined => servers[addresses.get(name) ?? '']?.inFlight;

/** Until the path says last that it is so. */
async function heard(isSo: (servers: Servers) => boolean): Promise<void> {
  const last = (): Servers | undefined => {
    const report = path.reports.at(-1);
    return report?.phase === 'serving' ? report.measures?.servers : undefined;
  };
  for (let servers = last(); !servers || !isSo(servers); servers = last()) await path.nextLine();
}
