import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import type { PolicyInput } from '../../src/architecture/authoring.ts';
import { skip } from '../../src/datapath/haproxy-fixture.ts';
import { Page } from './prometheus.ts';
import { Proxied, Services } from './proxied.ts';

type Line = {
  at: string;
  id?: string;
  client: string;
  method?: string;
  host?: string;
  path?: string;
  status: number;
  route?: string;
  service?: string;
  instance?: string;
  refused?: string;
  retries?: number;
  bytes?: { received: number; sent: number };
  ms?: { total: number; request: number; queue: number; connect: number; answer: number; transfer: number };
};

let services: Services;
before(async () => {
  services = await Services.start();
});
after(() => services.stop());

async function start(story: TestContext, policy?: PolicyInput): Promise<Proxied> {
  const path = await Proxied.start(services, policy);
  story.after(() => path.stop());
  return path;
}

/** So many lines of the access log, each of which has to be JSON. */
async function logged(path: Proxied, count: number): Promise<Line[]> {
  await path.until(() => path.logged.length >= count);
  return path.logged.map((line) => JSON.parse(line) as Line);
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

test('a request has one id, for its service, its client and the access log, whatever the client claims', { skip }, async (story) => {
  const path = await start(story);
  const told = await path.ask({ path: '/a?token=hidden', headers: { 'x-request-id': 'mine' }, source: '192.0.2.7' });
  const [line] = await logged(path, 1);
  assert.match(String(line?.id), UUID);
  assert.deepEqual([told.seen?.headers['x-request-id'], told.headers['x-request-id']], [line?.id, line?.id]);
  assert.doesNotMatch(path.logged.join(), /hidden|mine/);
  const { client, method, host, path: asked, status, route, service, instance, refused, retries } = line ?? {};
  assert.deepEqual(
    { client, method, host, asked, status, route, service, instance, refused, retries },
    {
      client: '192.0.2.7',
      method: 'GET',
      host: 'shop.localhost',
      asked: '/a',
      status: 200,
      route: '/',
      service: 'web',
      instance: 'web-1',
      refused: '-',
      retries: 0,
    },
  );
  assert.ok(Math.abs(Date.parse(String(line?.at)) - Date.now()) < 60_000, line?.at);
  assert.match(String(line?.at), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.ok(Number(line?.bytes?.sent) > 0 && Number(line?.bytes?.received) > 0);
  assert.ok(Object.values(line?.ms ?? { none: -1 }).every((ms) => ms >= 0));
});

const request = (target: string, host: string): string => `GET ${target} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`;
const answered = { afterMs: 0, until: /HTTP\/1\.1 \d+[^]*\r\n\r\n/ };

test(
  'whatever bytes a client sends, a line of the access log is JSON, and none is longer than a pipe takes whole',
  { skip },
  async (story) => {
    const path = await start(story);
    const targets = ['/"\\', `/${'"'.repeat(6000)}`, '/%00%ff%22'];
    const hosts = ['"\\\u0001\t]}', '\u00e9\u{1f600}"'.repeat(200), '\u0001'.repeat(1000), String.fromCharCode(0x2028), 'shop.localhost'];
    for (const target of targets) for (const host of hosts) await path.exchange([request(target, host)], answered);
    const lines = await logged(path, targets.length * hosts.length);
    assert.equal(lines[0]?.path, '/"\\');
    assert.equal(lines[0].host, '"\\\u0001\t]}');
    assert.ok(lines.every(({ id }) => UUID.test(String(id))));
    const longest = Math.max(...path.logged.map((line) => Buffer.byteLength(line) + 1));
    assert.ok(longest > 2000 && longest <= 4096, `the longest has ${longest} bytes`);
  },
);

test('what is no request is in the access log, too', { skip }, async (story) => {
  const path = await start(story);
  await path.exchange(['G"T / HTTP/9.9\r\n\r\n'], answered);
  const [line] = await logged(path, 1);
  assert.deepEqual([line?.status, line?.client], [400, '192.0.2.1']);
});

const ruled: PolicyInput = {
  routes: [
    { path: '/api', service: 'api' },
    { path: '/a"b', service: 'api' },
    // Of one name with what no route takes.
    { path: '/', service: 'web' },
  ],
  patches: { 'CVE-2026-1234': { action: 'deny', path: '/hole' } },
  rateLimits: { login: { requests: 1, periodMs: 600_000, for: { path: '/login' } } },
};

test('the access log says the route, and what refused a request', { skip }, async (story) => {
  const path = await start(story, ruled);
  for (const asked of ['/api/x', '/a%22b', '/other', '/hole', '/login', '/login']) await path.ask({ path: asked });
  const lines = await logged(path, 6);
  assert.deepEqual(
    lines.map(({ route, service, refused, status }) => [route, service, refused, status]),
    [
      ['/api', 'api', '-', 200],
      ['/a"b', 'api', '-', 200],
      ['/', 'web', '-', 200],
      ['/', '-', 'patch:CVE-2026-1234', 403],
      ['/', 'web', '-', 200],
      ['/', '-', 'rate:login', 429],
    ],
  );
});

test('a WebSocket is written down when it ends, and a request that was tried again says how often', { skip }, async (story) => {
  const path = await start(story);
  await path.exchange(['GET /ws HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n', 'hello'], {
    afterMs: 1,
    until: /hello/,
  });
  await path.ask({ path: '/drop' });
  const lines = await logged(path, 2);
  assert.deepEqual(
    lines.map(({ status, retries }) => [status, retries]),
    [
      [101, 0],
      [200, 1],
    ],
  );
});

test('only failures are kept where that is said, or nothing', { skip }, async (story) => {
  const failures = await start(story, { ...ruled, accessLog: 'failures' });
  for (const asked of ['/', '/hole']) await failures.ask({ path: asked });
  assert.deepEqual(
    (await logged(failures, 1)).map(({ refused }) => refused),
    ['patch:CVE-2026-1234'],
  );
  const none = await start(story, { ...ruled, accessLog: 'none' });
  const told = await none.ask({ path: '/' });
  await none.ask({ path: '/hole' });
  assert.equal(told.seen?.headers['x-request-id'], told.headers['x-request-id']);
  await measured(none, 2);
  assert.deepEqual(none.logged, []);
});

test('a proxy that ends leaves nothing but JSON on standard output', { skip }, async (story) => {
  const path = await Proxied.start(services, undefined);
  story.after(() => path.stop());
  await path.ask();
  const ended = path.ended();
  path.signal('SIGUSR1');
  await ended;
  assert.equal((await logged(path, 1)).length, 1);
});

/** Once so many requests were measured. */
const measured = (path: Proxied, count: number): Promise<void> =>
  path.until(() => path.measures.reduce((sum, { requests }) => sum + requests, 0) >= count);

test('what a data path counts is shown to Prometheus, by route and rule, and not where clients ask', { skip }, async (story) => {
  const path = await start(story, ruled);
  for (const asked of ['/api/x', '/api/x?afterMs=120', '/a%22b', '/other', '/hole', '/login', '/login', '/drop'])
    await path.ask({ path: asked });
  const { status, body } = await path.metrics();
  assert.equal(status, 200);
  const page = new Page(body);
  const requests = (route: string, cls: string): number | undefined =>
    page.value('changeless_requests_total', { app: 'shop', route, class: cls });
  assert.deepEqual([requests('/api', '2xx'), requests('/a"b', '2xx'), requests('/', '2xx'), requests('/', '4xx')], [2, 1, 3, 2]);
  assert.equal(requests('none', '4xx'), 0);
  const within = (le: string): number | undefined => page.value('changeless_latency_seconds_bucket', { route: '/api', le });
  assert.deepEqual([within('0.1'), within('0.25'), within('+Inf')], [1, 2, 2]);
  assert.equal(page.value('changeless_latency_seconds_count', { route: '/api' }), 2);
  assert.ok(Number(page.value('changeless_latency_seconds_sum', { route: '/api' })) >= 0.12);
  const refused = (kind: string, name: string): number | undefined => page.value('changeless_refused_total', { kind, name });
  assert.deepEqual([refused('patch', 'CVE-2026-1234'), refused('rate', 'login'), refused('ambiguous-path', '')], [1, 1, 0]);
  // A request that is repeated after an answer that never came HAProxy counts when it is given up and when it is sent.
  assert.equal(page.value('changeless_retries_total', { service: 'web' }), 2);
  assert.equal(page.value('changeless_instances', { service: 'api', state: 'up' }), 1);
  assert.equal(page.value('changeless_generation', { generation: 'a'.repeat(64) }), 1);
  assert.equal(page.value('changeless_log_lines_dropped_total'), 0);
  assert.equal(page.kinds['changeless_latency_seconds'], 'histogram');
  assert.deepEqual(page.repeated, []);
  assert.equal((await path.metrics('/other')).status, 404);
  assert.equal((await path.ask({ path: '/metrics' })).seen?.service, 'web');
});

test('who asks for metrics is not counted, and one who was refused is counted by no route twice', { skip }, async (story) => {
  const path = await start(story);
  await path.metrics();
  await path.exchange(['nonsense\r\n\r\n'], answered);
  await path.ask();
  const page = new Page((await path.metrics()).body);
  assert.equal(page.value('changeless_requests_total', { route: '/', class: '2xx' }), 1);
  assert.equal(page.value('changeless_requests_total', { route: 'none', class: '4xx' }), 1);
  assert.equal(page.value('changeless_requests_total', { route: 'none', class: '2xx' }), 0);
});

test('measures name routes, and all that was retried and refused', { skip }, async (story) => {
  const path = await start(story, ruled);
  for (const asked of ['/api/x', '/hole', '/drop']) await path.ask({ path: asked });
  await measured(path, 3);
  const last = path.measures.at(-1);
  const routes = path.measures.flatMap((each) => Object.entries(each.routes ?? {}));
  const sum = (route: string, cls: '2xx' | '4xx'): number =>
    routes.filter(([name]) => name === route).reduce((all, [, { answers }]) => all + answers[cls], 0);
  assert.deepEqual([sum('/api', '2xx'), sum('/', '2xx'), sum('/', '4xx')], [1, 1, 1]);
  assert.deepEqual(last?.refused, { 'patch:CVE-2026-1234': 1 });
  assert.deepEqual([last?.retries, last?.redispatches], [2, 0]);
});
