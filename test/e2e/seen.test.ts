import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { Page } from '../datapath/prometheus.ts';
import { containersOf } from './docker.ts';
import { startLoad } from './load.ts';
import { run } from './running.ts';
import { freePort, makeWorld, until, type World } from './world.ts';

type Latency = { p50: number; p95: number; p99: number };
type Traffic = {
  requestsPerSecond: number;
  errorRatio: number;
  latencyMs?: Latency;
  refused: Record<string, number>;
  routes: Record<string, { perSecond: number; latencyMs?: Latency }>;
};
type Line = { id: string; path: string; status: number; route: string; refused: string };

const file = 'architecture.ts';
const host = 'catalog.localhost';
const rules = "routes: [{ path: '/feeds', service: 'providers' }], patches: { hole: deny({ path: '/hole' }) },";

let world: World;
let metrics: number;
before(async () => {
  metrics = await freePort();
  world = await makeWorld(
    'streaming',
    { file, from: 'app, architecture, policy', to: 'app, architecture, deny, policy' },
    { file, from: '}] },\n  apps: {', to: `}], metrics: ${metrics} },\n  apps: {` },
    { file, from: 'policy({ headers', to: `policy({ ${rules} headers` },
    // The app's own output names the request.
    {
      file: 'catalog/api/server.mjs',
      from: "'/': async (request) => {",
      to: "'/': async (request) => {\n    if (request.headers['x-say']) console.log(`answering ${request.headers['x-request-id']}`);",
    },
  );
});
after(() => world?.dispose());

async function get(port: number, path: string, headers: http.OutgoingHttpHeaders): Promise<{ status: number; id: string; body: string }> {
  const request = http.get({ host: '127.0.0.1', port, path, headers });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  let body = '';
  for await (const chunk of response.setEncoding('utf8')) body += String(chunk);
  return { status: response.statusCode ?? 0, id: String(response.headers['x-request-id']), body };
}

/** What containers of the catalog said on standard output. */
async function said(role: 'path' | 'service'): Promise<string[]> {
  const containers = (await containersOf(world.architecture)).filter((each) => each.unit === 'app/catalog' && each.role === role);
  const logs = await Promise.all(containers.map(({ id }) => run({ program: 'docker', words: ['logs', id] })));
  return logs.flatMap(({ stdout }) => stdout.split('\n').filter((line) => line !== ''));
}

const traffic = async (): Promise<Traffic | undefined> =>
  ((await world.status()).apps['catalog'] as { traffic?: Traffic } | undefined)?.traffic;
const page = async (path: string): Promise<Page> => new Page((await get(metrics, path, { host: 'localhost' })).body);

test('what goes through an app is seen in its log, in status and by Prometheus, while thousands of requests come', async (story) => {
  await world.done('up');
  const loads = [startLoad({ host, port: world.port }, 24), startLoad({ host, port: world.port }, 4, { path: '/feeds/none', status: 404 })];
  const stop = async (): Promise<number> =>
    (await Promise.all(loads.map((load) => load.stop()))).reduce((sum, { answered }) => sum + answered, 0);
  try {
    await until('thousands were answered', async () => Number(loads[0]?.tally.answered) > 3000);
    const busy = await until('status tells of both routes', async () => {
      const seen = await traffic();
      return seen && seen.requestsPerSecond > 50 && seen.routes['/feeds'] && seen.routes['/'] ? seen : undefined;
    });
    story.diagnostic(`${busy.requestsPerSecond}/s, p99 ${busy.latencyMs?.p99} ms`);
    assert.ok(busy.latencyMs && busy.latencyMs.p50 <= busy.latencyMs.p99);
    const human = await world.done('status', '--routes');
    assert.match(human, /\d+\/s, p50 \d+ p95 \d+ p99 \d+ ms/);
    assert.match(human, /\/feeds {2}[\d.]+\/s/);
  } finally {
    story.diagnostic(`${await stop()} answered`);
  }
  const still = await until('status tells that nothing comes any more', async () => {
    const seen = await traffic();
    return seen?.requestsPerSecond === 0 ? seen : undefined;
  });
  assert.equal(still.latencyMs, undefined);
});

test("a request's id in the app's own output is that of its line in the access log, and nobody chooses it", async () => {
  const told = await get(world.port, '/?token=hidden', { host, 'x-say': 'yes', 'x-request-id': 'chosen' });
  assert.equal(told.status, 200);
  assert.equal((await get(world.port, '/hole', { host })).status, 403);
  const lines = await until('both are written down', async () => {
    const all = (await said('path')).map((line) => JSON.parse(line) as Line);
    return all.some(({ refused }) => refused === 'patch:hole') && all;
  });
  assert.ok(lines.length > 3000, `${lines.length} lines`);
  const line = lines.find(({ id }) => id === told.id);
  assert.deepEqual([line?.path, line?.status, line?.route], ['/', 200, '/']);
  assert.ok((await said('service')).includes(`answering ${told.id}`));
  assert.doesNotMatch(JSON.stringify(lines), /hidden|chosen/);
  const { stdout } = await world.changeless('logs', 'catalog', '--tail', '1000');
  assert.match(stdout, new RegExp(`answering ${told.id}`));
  await until('status tells what was refused', async () => (await traffic())?.refused['patch:hole'] === 1);
});

test('Prometheus finds every data path through the core, at a port of its own and not at a host name', async () => {
  const address = `localhost:${metrics}`;
  const targets = JSON.parse((await get(metrics, '/targets', { host: address })).body) as {
    targets: string[];
    labels: Record<string, string>;
  }[];
  assert.deepEqual(
    targets.map((target) => [target.targets, target.labels['__metrics_path__']]),
    ['/core', '/apps/accounts', '/apps/catalog'].map((path) => [[address], path]),
  );
  const [catalog, core] = await Promise.all([page('/apps/catalog'), page('/core')]);
  assert.ok(Number(catalog.value('changeless_requests_total', { app: 'catalog', route: '/', class: '2xx' })) > 3000);
  assert.ok(Number(catalog.value('changeless_requests_total', { app: 'catalog', route: '/feeds', class: '4xx' })) > 0);
  assert.equal(catalog.value('changeless_refused_total', { kind: 'patch', name: 'hole' }), 1);
  assert.equal(catalog.value('changeless_instances', { service: 'api', state: 'up' }), 2);
  assert.equal(catalog.value('changeless_generation', { generation: String((await world.status()).apps['catalog']?.generation) }), 1);
  assert.ok(Number(core.value('changeless_core_requests_total', { app: 'catalog', class: '2xx' })) > 3000);
  assert.deepEqual([...catalog.repeated, ...core.repeated], []);
  for (const path of ['/metrics', '/apps/catalog', '/targets', '/core'])
    assert.deepEqual(
      [(await get(world.port, path, { host })).status, (await get(world.port, path, { host: 'localhost' })).status],
      [404, 404],
    );
  assert.equal((await get(metrics, '/', { host })).status, 404);
});
