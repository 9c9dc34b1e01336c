import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AppPath, renderAppPath } from './app-path.ts';

const SHOP: AppPath = {
  app: 'shop',
  generation: 'g1',
  colour: 'green',
  entry: 'web',
  services: [
    { name: 'web', port: 3000, replicas: 2, health: { kind: 'http', path: '/healthz?deep=1', status: 204 } },
    { name: 'queue', port: 5672, replicas: 1, health: { kind: 'tcp' } },
  ],
  drainLimitMs: 45_000,
};

const PROXY_LINES = [
  ['keeps idle connections until their next answer', 'option idle-close-on-response'],
  ['tries another server at once', 'option redispatch 1'],
  ['retries what cannot have had an effect', 'retry-on conn-failure empty-response'],
  ['makes no request wait a second for its next try', 'timeout connect 300ms'],
  ['repeats no method that is not idempotent', 'http-request disable-l7-retry unless { method GET HEAD OPTIONS PUT DELETE TRACE }'],
  ['believes the core about the client', 'bind :8080 accept-proxy'],
  ['names its generation to the service', 'http-request set-header x-changeless-generation g1'],
  ['replaces what the client says of its address', 'http-request set-header x-forwarded-for %[src]'],
  ['says how the client came', 'http-request set-header x-forwarded-proto http'],
  ['bounds its drain', 'hard-stop-after 45000ms'],
  ['keeps tunnels longer than requests', 'timeout tunnel 1h'],
  ['looks names up often', 'hold valid 500ms'],
  ['asks the platform for names', 'parse-resolv-conf'],
  ['bounds its memory on every engine', 'fd-hard-limit 20000'],
  ['hands its listeners on', 'stats socket "/run/changeless/g1.${CHANGELESS_INCARNATION}.sock" mode 600 level user expose-fd listeners'],
  ['counts how long answers take', 'http-response sc-inc-gpc0(1)'],
  ['reports', 'lua-load /usr/lib/changeless/server.lua'],
  ['checks its servers', 'default-server check inter 1s fastinter 200ms downinter 500ms rise 1 fall 3'],
  ['asks what the health declares', "http-check send meth GET uri '/healthz?deep=1' ver HTTP/1.1 hdr host web"],
  ['expects what the health declares', 'http-check expect status 204'],
  ['finds each replica by name', 'server web-2 web-2.green:3000 resolvers platform init-addr libc,none resolve-prefer ipv4'],
] as const;

for (const [promise, line] of PROXY_LINES) {
  test(`an app's path ${promise}`, () => {
    assert.ok(linesOf(renderAppPath(SHOP).proxy).includes(line), renderAppPath(SHOP).proxy);
  });
}

const WAITING_LINES = [
  ['checks often', 'default-server check inter 40ms rise 1 fall 1'],
  ['says what it asks over HTTP', "setenv CHANGELESS_CHECK_1 'service-web=GET /healthz?deep=1 expecting 204'"],
  ['says what it asks over TCP', "setenv CHANGELESS_CHECK_2 'service-queue=connect to port 5672'"],
  ['reports', 'lua-load /usr/lib/changeless/waiter.lua'],
  [
    'checks services that are not the entry',
    'server queue-1 queue-1.green:5672 resolvers platform init-addr libc,none resolve-prefer ipv4',
  ],
] as const;

for (const [promise, line] of WAITING_LINES) {
  test(`an app's waiter ${promise}`, () => {
    assert.ok(linesOf(renderAppPath(SHOP).waiting).includes(line), renderAppPath(SHOP).waiting);
  });
}

test("an app's waiter takes no port and no stats socket", () => {
  const { waiting } = renderAppPath(SHOP);
  assert.deepEqual(
    linesOf(waiting).filter((line) => /^bind|^stats/.test(line)),
    ['bind "abns@changeless-waiter-${CHANGELESS_INCARNATION}"'],
  );
});

const ELASTIC: AppPath = { ...SHOP, services: SHOP.services.map((service) => ({ ...service, replicas: { min: 2, max: 5 } })) };

test('servers of a service whose instances come and go take the addresses of its one name, and heed who leaves', () => {
  const { proxy, waiting } = renderAppPath(ELASTIC);
  const options = 'resolvers platform init-addr libc,none resolve-prefer ipv4';
  const heed = 'agent-check agent-port 10101 agent-inter 250ms';
  assert.ok(linesOf(proxy).includes(`server-template web 1-5 web.green:3000 ${heed} ${options}`), proxy);
  assert.ok(linesOf(proxy).includes('setenv CHANGELESS_ELASTIC entry'), proxy);
  assert.ok(linesOf(waiting).includes(`server-template queue 1-5 queue.green:5672 ${options.replace('libc,none', 'none')}`), waiting);
  assert.ok(linesOf(waiting).includes('setenv CHANGELESS_LEAST_2 2'), waiting);
});

test('who leaves says so for as long as the app drains; where nobody does, nothing is there for it', () => {
  assert.ok(linesOf(renderAppPath(ELASTIC).leaving ?? '').includes('presetenv CHANGELESS_LEAVING_MS 45000'));
  assert.equal(renderAppPath(SHOP).leaving, undefined);
  assert.doesNotMatch(renderAppPath(SHOP).proxy, /agent|ELASTIC/);
});

test("an app's path routes to its entry and to nothing else", () => {
  assert.doesNotMatch(renderAppPath(SHOP).proxy, /queue-/);
});

const ROUTED: AppPath = {
  ...SHOP,
  policy: {
    routes: [
      { path: '/jobs', service: 'queue' },
      { host: 'a.localhost', path: '/', service: 'queue' },
    ],
  },
};

test('a service that requests are routed to has one backend, with the checks it is healthy by', () => {
  const { proxy } = renderAppPath(ROUTED);
  const [, section = ''] = proxy.split('backend service-queue\n');
  assert.deepEqual(linesOf(section).slice(0, 3), [
    'http-request set-var(txn.service) str(queue)',
    'option tcp-check',
    'server queue-1 queue-1.green:5672 resolvers platform init-addr libc,none resolve-prefer ipv4',
  ]);
  assert.equal([...proxy.matchAll(/^backend service-/gm)].length, 1);
});

test('instances of a service that requests are routed to may come and go', () => {
  const services = SHOP.services.map((service) => (service.name === 'queue' ? { ...service, replicas: { min: 1, max: 4 } } : service));
  // Those of the entry do not.
  const lines = linesOf(renderAppPath({ ...ROUTED, services }).proxy);
  assert.ok(lines.some((line) => line.startsWith('server-template queue 1-4 queue.green:5672 agent-check')));
  assert.ok(lines.includes('setenv CHANGELESS_ELASTIC service-queue'));
});

test('a policy that changes nothing else leaves the waiter as it is', () => {
  assert.equal(renderAppPath(ROUTED).waiting, renderAppPath(SHOP).waiting);
});

test('a path is the same text each time, and differs in its generation only where it is named', () => {
  const next = renderAppPath({ ...SHOP, generation: 'g2' });
  assert.deepEqual(renderAppPath(SHOP), renderAppPath(SHOP));
  assert.equal(next.proxy.replaceAll('g2', 'g1'), renderAppPath(SHOP).proxy);
  assert.equal(next.waiting, renderAppPath(SHOP).waiting);
});

test('neither the waiter nor the proxy reads, as it starts, whom a client of its own would trust', () => {
  const { waiting, proxy } = renderAppPath(SHOP);
  for (const config of [waiting, proxy]) assert.match(config, /^global\n(    .*\n)*    httpclient\.ssl\.verify none\n/);
});

test('a path without TLS knows nothing of it', () =>
  assert.doesNotMatch(renderAppPath(SHOP).proxy, /8443|(?<!httpclient\.)ssl|fc_http_major/));

const web = SHOP.services[0]!;
const BUGS: readonly (readonly [string, AppPath])[] = [
  ['an entry that is no service', { ...SHOP, entry: 'api' }],
  ['a route to a service that is none', { ...SHOP, policy: { routes: [{ path: '/', service: 'api' }] } }],
  ['a service name with a line break', { ...SHOP, entry: 'web\n', services: [{ ...web, name: 'web\n' }] }],
  ['a service name in upper case', { ...SHOP, entry: 'Web', services: [{ ...web, name: 'Web' }] }],
  ['a generation with a blank', { ...SHOP, generation: 'g1 x' }],
  ['a range that begins beyond its end', { ...SHOP, services: [{ ...web, replicas: { min: 3, max: 2 } }] }],
  ['no replicas', { ...SHOP, services: [{ ...web, replicas: 0 }] }],
  ['a port that is none', { ...SHOP, services: [{ ...web, port: 65_536 }] }],
  ['a health path with a quote', { ...SHOP, services: [{ ...web, health: { kind: 'http', path: "/'", status: 200 } }] }],
  ['a health path with a line break', { ...SHOP, services: [{ ...web, health: { kind: 'http', path: '/\n', status: 200 } }] }],
  ['a health path with a variable', { ...SHOP, services: [{ ...web, health: { kind: 'http', path: '/$HOME', status: 200 } }] }],
  ['a status that is none', { ...SHOP, services: [{ ...web, health: { kind: 'http', path: '/', status: 20 } }] }],
  ['a certificate with a blank in its path', { ...SHOP, tls: { certificate: '/run/a b' } }],
  ['a port to redirect to that is none', { ...SHOP, tls: { certificate: '/run/a', redirectPort: 0 } }],
  ['no drain limit', { ...SHOP, drainLimitMs: 0 }],
];

for (const [what, path] of BUGS) {
  test(`${what} is a bug that throws before it reaches a configuration`, () => {
    assert.throws(() => renderAppPath(path), /^Error: datapath: /);
  });
}

function linesOf(config: string): readonly string[] {
  return config.split('\n').map((line) => line.trim());
}
