import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { renderAppPath } from '../../src/datapath/app-path.ts';
import { renderCore } from '../../src/datapath/core-path.ts';
import type { PathConfig } from '../../src/datapath/path-config.ts';
import type { PathMeasures } from '../../src/datapath/path-log.ts';
import { renderStorePath } from '../../src/datapath/store-path.ts';
import { engineAnswers, type Proxy, World } from './handover-world.ts';
import { ask, type Target } from './keep-alive-load.ts';

const HOST = 'shop.localhost';
const world = new World();
const skip = (await engineAnswers()) ? false : 'no engine with debian:bookworm-slim answers';
const images = new Map<string, string>();
let shop: Target;
let store: Target;
let proxies: { core: Proxy; path: Proxy; store: Proxy };

before(
  async () => {
    if (skip !== false) return;
    await world.prepare();
    const health = { kind: 'tcp' } as const;
    const [core, , stored] = await Promise.all([
      world.sandbox('core', 'core'),
      world.sandbox('path', 'shop.path'),
      world.sandbox('store', 'orders.store'),
      world.slot('web-1.blue').then(() => world.occupy('web-1.blue')),
      addImage('path', appPath(8080)),
      addImage('broken', appPath(8081)),
      addImage('core', renderCore({ generation: 'c', routes: [{ host: HOST, app: 'shop' }] })),
      addImage(
        'store',
        renderStorePath({ generation: 's', server: 'web-1.blue', port: 8080, health, holdLimitMs: 1000, drainLimitMs: 1000 }),
      ),
    ]);
    shop = { address: core, port: 8080, host: HOST };
    store = { address: stored, port: 8080, host: HOST };
    const [path, coreProxy, storeProxy] = await Promise.all([serving('path', 'path'), serving('core', 'core'), serving('store', 'store')]);
    proxies = { path, core: coreProxy, store: storeProxy };
  },
  { timeout: 60_000 },
);

after(async () => {
  if (skip === false) await world.close();
});

test(
  'a path says how many requests went through it, how long they took and who has those that are open',
  { skip, timeout: 30_000 },
  async () => {
    const { path, core } = proxies;
    const slow = Promise.all(Array.from({ length: 3 }, () => ask(shop, '/slow')));
    await measured(path, (all) => all.some(({ servers }) => servers['web-1']?.inFlight === 3));
    for (let count = 0; count < 20; count += 1) await ask(shop);
    await slow;
    for (const proxy of [path, core]) {
      const all = await measured(proxy, (lines) => sum(lines, ({ answers }) => answers['2xx']) === 23 && isQuiet(lines.at(-1)));
      assert.equal(
        sum(all, ({ requests }) => requests),
        23,
      );
      const times = all.flatMap(({ latencyMs }) => latencyMs ?? []);
      const longest = Math.max(...times.map(({ p99 }) => p99));
      assert.ok(longest >= 2500 && longest < 3500, `${longest} ms is not the 2.5 s that the slowest took`);
      assert.ok(Math.min(...times.map(({ p50 }) => p50)) < 100, 'half of the requests took no time');
      assert.ok(all.every(({ spanMs }) => spanMs > 0 && spanMs < 10_000));
    }
    assert.ok('shop' in lastOf(core).servers);
  },
);

test('while nothing changes nothing is said', { skip, timeout: 30_000 }, async () => {
  const { path } = proxies;
  const before = measuresOf(path).length;
  await ask(shop, '/slow');
  const all = await measured(path, (lines) => lines.length > before && isQuiet(lines.at(-1)) && sum(lines.slice(before), answered) === 1);
  const said = all.slice(before).map(({ spanMs: _, ...rest }) => rest);
  const repeated = said.filter((line, index) => line.requests + line.connections === 0 && isSame(line, said[index - 1]));
  assert.deepEqual(repeated, []);
});

test('what the proxy answers itself counts as an error, and a server that does not answer is down', { skip, timeout: 30_000 }, async () => {
  const broken = await world.waiter('path', imageOf('broken'));
  await broken.reported('checking');
  await broken.signal('USR2');
  await broken.reported('serving');
  await proxies.path.signal('USR1');
  await proxies.path.ended();
  await measured(broken, (lines) => lines.at(-1)?.servers['web-1']?.state === 'down');
  await assert.rejects(ask(shop), /answered 503/);
  const all = await measured(broken, (lines) => sum(lines, ({ answers }) => answers['5xx']) === 1);
  assert.equal(
    sum(all, ({ requests }) => requests),
    1,
  );
});

test("a store's path says how many connections it has", { skip, timeout: 30_000 }, async () => {
  const slow = ask(store, '/slow');
  const all = await measured(proxies.store, (lines) => lines.at(-1)?.servers['web-1']?.inFlight === 1);
  assert.equal(
    sum(all, ({ connections }) => connections),
    1,
  );
  assert.equal(all.at(-1)?.open, 1);
  await slow;
  await measured(proxies.store, (lines) => lines.at(-1)?.open === 0);
});

const appPath = (port: number) =>
  renderAppPath({
    app: 'shop',
    generation: `g${port}`,
    colour: 'blue',
    entry: 'web',
    services: [{ name: 'web', port, replicas: 1, health: { kind: 'http', path: '/healthz', status: 200 } }],
    drainLimitMs: 10_000,
  });

const addImage = async (name: string, config: PathConfig): Promise<void> => void images.set(name, await world.image(name, config));

function imageOf(name: string): string {
  const image = images.get(name);
  assert.ok(image !== undefined, `no image ${name}`);
  return image;
}

async function serving(sandbox: string, image: string): Promise<Proxy> {
  const waiter = await world.waiter(sandbox, imageOf(image));
  await waiter.reported('healthy');
  await waiter.signal('USR2');
  await waiter.reported('serving');
  return waiter;
}

const measuresOf = ({ reports }: Proxy): PathMeasures[] =>
  reports.flatMap((report) => (report.phase === 'serving' && report.measures ? [report.measures] : []));

const lastOf = (proxy: Proxy): PathMeasures => measuresOf(proxy).at(-1)!;

/** All that the proxy said, once it is so. */
async function measured(proxy: Proxy, isSo: (lines: readonly PathMeasures[]) => boolean): Promise<PathMeasures[]> {
  while (!isSo(measuresOf(proxy))) await proxy.nextLine();
  return measuresOf(proxy);
}

const sum = (lines: readonly PathMeasures[], of: (line: PathMeasures) => number): number => lines.reduce((all, line) => all + of(line), 0);

const answered = ({ answers }: PathMeasures): number => Object.values(answers).reduce((all, count) => all + count, 0);

const isQuiet = (line: PathMeasures | undefined): boolean => line !== undefined && line.requests + line.connections + answered(line) === 0;

const isSame = (line: unknown, other: unknown): boolean => JSON.stringify(line) === JSON.stringify(other);
