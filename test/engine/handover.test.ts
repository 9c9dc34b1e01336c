import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { renderAppPath } from '../../src/datapath/app-path.ts';
import { renderCore } from '../../src/datapath/core-path.ts';
import type { PathConfig } from '../../src/datapath/path-config.ts';
import { renderStorePath } from '../../src/datapath/store-path.ts';
import { engineAnswers, type Proxy, World } from './handover-world.ts';
import { ask, startLoad, type Target } from './keep-alive-load.ts';

const REPLACEMENTS = 4;
const HOST = 'shop.localhost';

const world = new World();
const skip = (await engineAnswers()) ? false : 'no engine with debian:bookworm-slim answers';
let target: Target;
let live: { core: Proxy; path: Proxy };
let orders: Target;
let stored: Proxy;
const images = new Map<string, string>();

before(
  async () => {
    if (skip !== false) return;
    await world.prepare();
    const [address] = await Promise.all([
      world.sandbox('core', 'core'),
      world.sandbox('path', 'shop.path'),
      world.slot('web-1.blue').then(() => world.occupy('web-1.blue')),
      ...['a', 'b'].map((generation) => addImage(`path-${generation}`, appPath(generation))),
      ...['a', 'b'].map((generation) => addImage(`core-${generation}`, core(generation))),
      addImage('path-hasty', appPath('hasty', { drainLimitMs: 300 })),
      ...(['blue', 'green'] as const).map((colour) => addImage(`store-${colour}`, store(colour))),
      addImage('path-broken', appPath('broken', { port: 8081 })),
    ]);
    target = { address, port: 8080, host: HOST };
    live = { path: await serve('path', 'path-a'), core: await serve('core', 'core-a') };
  },
  { timeout: 60_000 },
);

after(async () => {
  if (skip === false) await world.close();
});

test('whole-container replacements of path and core lose no request on kept connections', { skip, timeout: 30_000 }, async () => {
  const load = startLoad(target, 30);
  for (let round = 1; round <= REPLACEMENTS; round += 1) {
    const next = round % 2 === 0 ? 'a' : 'b';
    await Promise.all([replace('path', `path-${next}`), replace('core', `core-${next}`)]);
  }
  await load.stop();
  assert.deepEqual(load.tally.failed, []);
  assert.ok(load.tally.answered > 1_000, `the load was no load: ${load.tally.answered} requests`);
  assert.deepEqual([...load.tally.answeredBy.keys()].toSorted(), ['a', 'b']);
});

test('a waiter reports a server that fails its check, and is not healthy', { skip, timeout: 30_000 }, async () => {
  const waiter = await world.waiter('path', imageOf('path-broken'));
  await waiter.reported('checking');
  const refused = () => JSON.stringify(waiter.reports.at(-1)).includes('L4CON');
  while (!refused()) await waiter.nextLine();
  assert.deepEqual(waiter.reports.at(-1), {
    phase: 'checking',
    failing: [{ server: 'web-1', asked: 'GET /healthz expecting 200', check: 'L4CON', detail: 'Connection refused' }],
  });
  await waiter.signal('TERM');
  assert.equal(await waiter.ended(), 0);
});

test('undoing a successor leaves its predecessor serving, and replaceable', { skip, timeout: 30_000 }, async () => {
  const successor = await serve('path', 'path-b');
  await successor.signal('USR1');
  assert.equal(await successor.ended(), 0);
  assert.deepEqual(await askOften(10), new Set(['a']));
  await replace('path', 'path-b');
  assert.deepEqual(await askOften(10), new Set(['b']));
  await replace('path', 'path-a');
});

test('undoing a substitute of the same generation leaves its predecessor replaceable', { skip, timeout: 30_000 }, async () => {
  const substitute = await serve('path', 'path-a');
  await substitute.signal('USR1');
  await substitute.ended();
  assert.deepEqual(await askOften(10), new Set(['a']));
  await replace('path', 'path-b');
  assert.deepEqual(await askOften(10), new Set(['b']));
  await replace('path', 'path-a');
});

test('a generation comes back while its first proxy still drains a request', { skip, timeout: 30_000 }, async () => {
  const slow = ask(target, '/slow');
  const first = live.path;
  await serveInstead('path', 'path-b');
  await first.reported('draining');
  await serveInstead('path', 'path-a');
  assert.deepEqual(await askOften(10), new Set(['a']));
  await slow;
  assert.equal(await first.ended(), 0);
});

test('a successor of a killed proxy binds afresh, and requests of the gap are answered', { skip, timeout: 30_000 }, async () => {
  const waiter = await waiting('path', 'path-b');
  await live.path.signal('KILL');
  const asked = Promise.all(Array.from({ length: 5 }, () => ask(target)));
  await become(waiter);
  live.path = waiter;
  assert.deepEqual(new Set(await asked), new Set(['b']));
  await replace('path', 'path-a');
});

test('a request that outlives the drain limit is cut, and the proxy says so', { skip, timeout: 30_000 }, async () => {
  await replace('path', 'path-hasty');
  const slow = ask(target, '/slow').then(String, String);
  const hasty = live.path;
  await serveInstead('path', 'path-a');
  await hasty.ended();
  await hasty.reported('draining');
  assert.deepEqual(hasty.reports.at(-1), { phase: 'draining', cut: 1 });
  assert.match(await slow, /answered 50/);
});

test('a store holds new connections while its server is swapped', { skip, timeout: 30_000 }, async () => {
  const [address] = await Promise.all([world.sandbox('store', 'orders.store'), world.slot('orders.blue'), world.slot('orders.green')]);
  const waiter = await world.waiter('store', imageOf('store-blue'));
  await waiter.reported('checking');
  await become(waiter);
  orders = { address, port: 8080, host: HOST };
  stored = waiter;
  const held = ask(orders);
  await world.occupy('orders.blue');
  assert.equal(await held, '');
});

test('a store that holds lets nobody on to a server that is ready before its gate opens', { skip, timeout: 30_000 }, async () => {
  const before = stored;
  stored = await holding('store-green');
  await before.signal('USR1');
  assert.equal(await before.ended(), 0);
  let isAnswered = false;
  const held = ask(orders).then((generation) => ((isAnswered = true), generation));
  await world.occupy('orders.green');
  while (!stored.output.some((line) => line.includes('is UP'))) await stored.nextLine();
  // Longer than it takes to go on where the gate is open.
  await world.slot('orders.later');
  assert.equal(isAnswered, false);
  await become(stored);
  assert.equal(await held, '');
});

test('a store that is stopped while it holds passes those who wait on to its successor', { skip, timeout: 30_000 }, async () => {
  const before = stored;
  const failing = await holding('store-blue');
  await before.signal('USR1');
  await before.ended();
  const held = connect(orders.port, orders.address, () => held.write(`GET / HTTP/1.1\r\nhost: ${HOST}\r\n\r\n`));
  const [answered, over] = [once(held, 'data'), once(held, 'close')];
  stored = await world.waiter('store', imageOf('store-green'));
  await stored.reported('healthy');
  await become(stored);
  await failing.signal('USR1');
  assert.match(String(await answered), /^HTTP\/1.1 200 /);
  // Its client keeps it; idle, it ends before the drain limit would cut it.
  await over;
  assert.equal(await failing.ended(), 0);
  assert.doesNotMatch(JSON.stringify(failing.reports), /cut/);
});

test('the core knows a host in any letter case, with a port, and no other', { skip, timeout: 30_000 }, async () => {
  assert.equal(await ask({ ...target, host: 'SHOP.localhost:8080' }), 'a');
  await assert.rejects(ask({ ...target, host: 'other.localhost' }), /answered 404/);
  await assert.rejects(ask({ ...target, host: '' }), /answered 404/);
});

function appPath(generation: string, { port = 8080, drainLimitMs = 10_000 } = {}): PathConfig {
  return renderAppPath({
    app: 'shop',
    generation,
    colour: 'blue',
    entry: 'web',
    services: [{ name: 'web', port, replicas: 1, health: { kind: 'http', path: '/healthz', status: 200 } }],
    drainLimitMs,
  });
}

function core(generation: string): PathConfig {
  return renderCore({ generation, routes: [{ host: HOST, app: 'shop' }] });
}

function store(colour: 'blue' | 'green'): PathConfig {
  const server = { server: `orders.${colour}`, port: 8080, health: { kind: 'tcp' } } as const;
  return renderStorePath({ generation: 's', ...server, holdLimitMs: 10_000, drainLimitMs: 10_000 });
}

async function holding(image: string): Promise<Proxy> {
  const waiter = await world.waiter('store', imageOf(image));
  await waiter.reported('checking');
  await waiter.signal('HUP');
  await waiter.reported('holding');
  return waiter;
}

async function addImage(name: string, config: PathConfig): Promise<void> {
  images.set(name, await world.image(name, config));
}

function imageOf(name: string): string {
  const image = images.get(name);
  assert.ok(image !== undefined, `no image ${name}`);
  return image;
}

async function waiting(sandbox: 'core' | 'path', image: string): Promise<Proxy> {
  const waiter = await world.waiter(sandbox, imageOf(image));
  await waiter.reported('healthy');
  return waiter;
}

async function become(waiter: Proxy): Promise<Proxy> {
  await waiter.signal('USR2');
  await waiter.reported('serving');
  return waiter;
}

async function serve(sandbox: 'core' | 'path', image: string): Promise<Proxy> {
  return become(await waiting(sandbox, image));
}

/** Lets a new proxy take over and tells the old one to drain. */
async function serveInstead(sandbox: 'core' | 'path', image: string): Promise<void> {
  const old = live[sandbox];
  live[sandbox] = await serve(sandbox, image);
  await old.signal('USR1');
}

/** The same, and waits until the old one has ended by itself. */
async function replace(sandbox: 'core' | 'path', image: string): Promise<void> {
  const old = live[sandbox];
  await serveInstead(sandbox, image);
  assert.equal(await old.ended(), 0);
}

async function askOften(times: number): Promise<ReadonlySet<string>> {
  const answers = [];
  for (let time = 0; time < times; time += 1) answers.push(await ask(target));
  return new Set(answers);
}
