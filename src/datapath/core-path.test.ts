import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Core, renderCore } from './core-path.ts';

const CORE: Core = {
  generation: 'c1',
  routes: [
    { host: 'shop.localhost', app: 'shop' },
    { host: 'www.example.com', app: 'shop' },
    { host: 'gateway.localhost', app: 'gateway' },
  ],
};

const GUARDED: Core = {
  ...CORE,
  sources: { allow: ['10.0.0.0/8', '2001:db8::/32'], deny: ['10.6.6.6'] },
  perSource: { connections: 20, newConnections: { count: 30, perMs: 10_000 }, requests: { count: 100, perMs: 90_000 } },
};

const LINES = [
  ['keeps idle connections until their next answer', 'option idle-close-on-response'],
  ['keeps no connection to an app', 'option http-server-close'],
  ['asks for an address again when it tries again', 'option redispatch 1'],
  ['waits for an app that is being healed', 'retries 10'],
  ['gives up a dead address quickly', 'timeout connect 500ms'],
  ['repeats no method that is not idempotent', 'http-request disable-l7-retry unless { method GET HEAD OPTIONS PUT DELETE TRACE }'],
  ['listens on 8080', 'bind :8080'],
  ['finds a host without its port, in any letter case', 'use_backend host:%[req.hdr(host),field(1,:),lower]'],
  ['answers for hosts it does not know', 'default_backend preview'],
  [
    'finds what is held only at one label before a host of its app',
    String.raw`http-request set-var(txn.preview) str(shop.preview) if { req.hdr(host) -m reg -i ^[0-9a-f]{12}\.www\.example\.com(:[0-9]+)?$ }`,
  ],
  [
    'looks for its address only when it is asked for',
    'http-request do-resolve(txn.address,platform,ipv4) var(txn.preview) if { var(txn.preview) -m found }',
  ],
  ['lets no client say which generation it wants', 'http-request del-header x-changeless-preview'],
  ['gives each host name a backend', 'backend host:www.example.com'],
  [
    'passes the client on to the app',
    'server shop shop.path:8080 send-proxy-v2 resolvers platform init-addr libc,none resolve-prefer ipv4',
  ],
  ['limits one source', 'tcp-request connection reject if { sc0_conn_cur gt 5000 }'],
  ['bounds its memory on every engine', 'fd-hard-limit 50000'],
  ['looks names up often', 'hold valid 500ms'],
] as const;

for (const [promise, line] of LINES) {
  test(`the core ${promise}`, () => {
    assert.ok(linesOf(renderCore(CORE).proxy).includes(line), renderCore(CORE).proxy);
  });
}

const GUARDED_LINES = [
  ['closes the connections of who is in no range that is allowed', 'tcp-request connection reject unless allowed'],
  ['allows every range', 'acl allowed src 2001:db8::/32'],
  ['closes the connections of who is denied', 'tcp-request connection reject if { src 10.6.6.6 }'],
  [
    'counts for as long as its longest span',
    'stick-table type ipv6 size 100k expire 90000ms store conn_cur,conn_rate(10000ms),http_req_rate(90000ms)',
  ],
  ['limits the connections of one source', 'tcp-request connection reject if { sc0_conn_cur gt 20 }'],
  ['limits how often one source connects', 'tcp-request connection reject if { sc0_conn_rate gt 30 }'],
] as const;

for (const [promise, line] of GUARDED_LINES) {
  test(`a core with rules for sources ${promise}`, () => {
    const { proxy } = renderCore(GUARDED);
    assert.ok(linesOf(proxy).includes(line), proxy);
    assert.ok(!linesOf(renderCore(CORE).proxy).includes(line));
  });
}

test('who may not connect is not counted', () => {
  const lines = linesOf(renderCore(GUARDED).proxy);
  assert.ok(lines.indexOf('tcp-request connection reject unless allowed') < lines.indexOf('tcp-request connection track-sc0 src'));
});

test('the core checks no app, before and after it serves', () => {
  const { waiting, proxy } = renderCore(CORE);
  assert.doesNotMatch(proxy, /check/);
  assert.doesNotMatch(waiting, /\n {4}server /);
});

test('the core lives until its last connection ends, unless a limit is asked for', () => {
  assert.doesNotMatch(renderCore(CORE).proxy, /hard-stop-after/);
  assert.match(renderCore({ ...CORE, drainLimitMs: 1_500 }).proxy, /^ {4}hard-stop-after 1500ms$/m);
});

test('the answer to an unknown host names nothing that exists', () => {
  const answer = linesOf(renderCore(CORE).proxy).filter((line) => line.includes('status 404'));
  assert.equal(answer.length, 1);
  assert.doesNotMatch(answer[0] ?? '', /shop|gateway|path|haproxy/);
});

test('the core listens for encrypted connections where an app has a certificate, and names no other host there', () => {
  const routes = [{ host: 'www.example.com', app: 'shop', tls: true }, ...CORE.routes.filter(({ host }) => host !== 'www.example.com')];
  const { proxy } = renderCore({ ...CORE, routes });
  assert.deepEqual(
    [...proxy.matchAll(/^backend tls:(.*)$/gm)].map(([, host]) => host),
    ['www.example.com'],
  );
  assert.match(proxy, /server shop shop\.path:8443 send-proxy-v2 /);
  assert.doesNotMatch(renderCore(CORE).proxy, /8443|(?<!httpclient\.)ssl/);
});

test('the core needs no app to be rendered', () => {
  assert.doesNotMatch(renderCore({ generation: 'c1', routes: [] }).proxy, /^backend host:/m);
});

const BUGS: readonly (readonly [string, Core])[] = [
  ['a host with a blank', route('shop.localhost http-request', 'shop')],
  ['a host with a line break', route('shop.localhost\n', 'shop')],
  ['a host in upper case', route('Shop.localhost', 'shop')],
  ['a host with a port', route('shop.localhost:80', 'shop')],
  ['a range with a blank', { ...CORE, sources: { allow: ['10.0.0.0/8 192.0.2.1'] } }],
  ['a range that is none', { ...CORE, sources: { deny: ['10.0.0.0/8/8'] } }],
  ['a certified host with a blank', { generation: 'c1', routes: [{ host: 'a b', app: 'shop', tls: true }] }],
  ['a limit of nothing', { ...CORE, perSource: { connections: 0 } }],
  ['an app with a dot', route('shop.localhost', 'shop.path')],
  ['a host of two apps', { ...CORE, routes: [...CORE.routes, { host: 'shop.localhost', app: 'other' }] }],
];

for (const [what, core] of BUGS) {
  test(`${what} is a bug that throws before it reaches a configuration`, () => {
    assert.throws(() => renderCore(core), /^Error: datapath: /);
  });
}

function route(host: string, app: string): Core {
  return { generation: 'c1', routes: [{ host, app }] };
}

function linesOf(config: string): readonly string[] {
  return config.split('\n').map((line) => line.trim());
}
