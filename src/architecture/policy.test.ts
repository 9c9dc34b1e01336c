import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allow, deny, type ArchitectureInput, type PolicyInput } from './authoring.ts';
import { keyLocator } from './locate.ts';
import { architectureModel } from './model-schema.ts';
import { validateArchitecture } from './validate.ts';

const service = { build: 'api', port: 80 };
const shop = (policy: object, more: object = {}): object => ({
  name: 'shop',
  apps: { shop: { hosts: ['shop.localhost'], services: { web: { ...service, entry: true }, api: service }, policy } },
  environments: { production: { apps: { shop: { hosts: ['shop.example'] } } } },
  ...more,
});

const findings = async (value: unknown): Promise<string[]> => {
  const result = await validateArchitecture(value, () => undefined);
  return result.ok ? [] : (result.problem.findings ?? []).map(({ key, what }) => `${key}: ${what}`);
};

const policy = 'apps.shop.policy';
const paths = 'a path that starts with /, decoded, without //, /./, /../, and none of % ? # ; \\';
const unreached = 'expected a rule that some request gets to, found one whose requests all fit';
const mistakes: [what: string, policy: object, expected: string][] = [
  ['an access log of what nobody knows', { accessLog: 'most' }, "accessLog: expected one of all, failures, none, found 'most'"],
  [
    'a request id of its own',
    { headers: { request: { set: { 'X-Request-Id': 'mine' } } } },
    "headers.request.set.X-Request-Id: expected a header that is not set by the data path itself, found 'X-Request-Id'",
  ],
  [
    'a service the app has not',
    { routes: [{ service: 'apo' }] },
    'routes[0].service: expected a service of the app (web, api), found apo (did you mean api?)',
  ],
  [
    'a host the app has nowhere',
    {
      routes: [
        { service: 'api', host: 'shop.example' },
        { service: 'api', host: 'shop.examples' },
      ],
    },
    'routes[1].host: expected a host name of the app (shop.localhost, shop.example), found shop.examples (did you mean shop.example?)',
  ],
  [
    'a host of a patch that the app has nowhere',
    { patches: { p: [deny({ path: '/' }), deny({ host: ['shop.localhost', 'other'] })] } },
    'patches.p[1].host[1]: expected a host name of the app (shop.localhost, shop.example), found other',
  ],
  [
    'two routes that are one',
    {
      routes: [
        { path: '/a', service: 'api' },
        { path: '/a/', service: 'web' },
      ],
    },
    `routes[1]: expected each host and path once, found /a again, which is at ${policy}.routes[0]`,
  ],
  [
    'a redirect behind one that has all its paths',
    {
      redirects: [
        { from: { path: '/a' }, to: '/b' },
        { from: { host: 'shop.localhost', path: { exact: '/a/x' } }, to: '/c' },
      ],
    },
    `redirects[1]: ${unreached} ${policy}.redirects[0]`,
  ],
  [
    'a redirect that leads to itself',
    { redirects: [{ from: { path: '/a' }, to: '/a/b' }] },
    'redirects[0].to: expected a path that is not redirected again by the same rule, found /a/b',
  ],
  [
    'a redirect of one path that leads to it',
    { redirects: [{ from: { path: { exact: '/a' } }, to: '/a' }] },
    'redirects[0].to: expected a path that is not redirected again by the same rule, found /a',
  ],
  [
    'a route whose requests are redirected',
    { redirects: [{ from: { path: '/a' }, to: '/b' }], routes: [{ path: '/a/x', service: 'api' }] },
    `routes[0]: expected a route that some request takes, found one whose requests are all redirected before, at ${policy}.redirects[0]`,
  ],
  [
    'a route that those of all hosts come before',
    {
      routes: [
        { path: '/a', service: 'web' },
        { host: 'shop.localhost', path: '/', service: 'api' },
        { host: 'shop.example', path: '/a', service: 'api' },
      ],
    },
    `routes[0]: expected a route that some request takes, found one that routes with a host come before, such as ${policy}.routes[1]`,
  ],
  [
    'an exception behind the rule it is one of',
    { access: [deny({ path: '/admin' }), allow({ path: '/admin/open', source: '10.0.0.0/8' })] },
    `access[1]: ${unreached} ${policy}.access[0]`,
  ],
  [
    'a rule behind one that lets everybody on',
    { access: [allow({ path: '/' }), deny({ path: '/admin' })] },
    `access[1]: ${unreached} ${policy}.access[0]`,
  ],
  [
    'a rule behind one for more methods and paths',
    { access: [deny({ path: ['/a', '/b'], method: ['PUT', 'POST'] }), deny({ path: [{ exact: '/b/c' }, '/a'], method: 'PUT' })] },
    `access[1]: ${unreached} ${policy}.access[0]`,
  ],
  ['a path that is not decoded', { routes: [{ path: '/a%20b', service: 'api' }] }, `routes[0].path: expected ${paths}, found '/a%20b'`],
  ['a path that has two spellings', { access: [deny({ path: '/a/../b' })] }, `access[0].path: expected ${paths}, found '/a/../b'`],
  [
    'a rule for everything by mistake',
    { access: [deny({})] },
    'access[0]: expected at least one of host, path, method, query, header, source, found an object',
  ],
  ['a rule that is neither', { access: [{ path: '/' }] }, `access[0].action: expected deny(), found nothing`],
  ['a patch that allows', { patches: { p: allow({ path: '/' }) } }, "patches.p.action: expected deny(), found 'allow'"],
  [
    'a network that is none',
    { access: [deny({ source: '10.0.0.0/33' })] },
    "access[0].source: expected an address or a network such as '10.0.0.0/8', found '10.0.0.0/33'",
  ],
  [
    'a header that frames a message',
    { headers: { response: { remove: ['Content-Length'] } } },
    "headers.response.remove[0]: expected a header that is not set by the data path itself, found 'Content-Length'",
  ],
  [
    'a header with a line break',
    { headers: { request: { set: { a: 'x\r\ny: z' } } } },
    "headers.request.set.a: expected text without control characters, found 'x\r\ny: z'",
  ],
  [
    'a header that no request has when rules see it',
    { access: [deny({ header: { x_mode: 'raw' } })] },
    "access[0].header.x_mode: expected the name of a header that gets through: letters, digits, hyphens, found 'x_mode'",
  ],
  [
    'a redirect to a host by accident',
    { redirects: [{ from: { path: '/a' }, to: '//evil.example' }] },
    "redirects[0].to: expected a path, or an address that starts with http:// or https://, encoded, without ? and #, found '//evil.example'",
  ],
  [
    'a status that does not redirect',
    { redirects: [{ from: { path: '/a' }, to: '/b', status: 303 }] },
    'redirects[0].status: expected one of 301, 302, 307, 308, found 303',
  ],
  [
    'a method that may not be repeated',
    { retries: { methods: ['POST'] } },
    "retries.methods[0]: expected one of GET, HEAD, OPTIONS, PUT, DELETE, TRACE, which may be repeated, found 'POST'",
  ],
  [
    'a time longer than the core waits',
    { timeouts: { responseMs: 600_001 } },
    'timeouts.responseMs: expected a whole number from 1 to 600000, found 600001',
  ],
  ['a key that is misspelt', { bodylimit: 1 }, 'bodylimit: unknown key; did you mean bodyLimit?'],
  [
    'more rate limits than there may be',
    { rateLimits: Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`r${index}`, { requests: 1, periodMs: 1 }])) },
    'rateLimits: expected at most 8 rate limits, found an object',
  ],
];

for (const [what, written, expected] of mistakes)
  test(`${what} is a mistake that is told at its key`, async () => {
    assert.deepEqual(await findings(shop(written)), [`${policy}.${expected}`]);
  });

test('rules that some request gets to are none of these mistakes', async () => {
  const redirects = [
    { from: { path: { exact: '/a' } }, to: '/a/b' },
    { from: { path: '/a' }, to: '/b' },
    { from: { path: '/ab' }, to: '/b' },
    { from: { host: 'shop.localhost' }, to: 'https://shop.example/' },
    { from: { path: '/c' }, to: '/b' },
  ];
  const routes = [
    { path: '/d', service: 'api' },
    { path: '/d/e', service: 'web' },
    { host: 'shop.localhost', path: '/e', service: 'api' },
    { host: 'shop.localhost', path: '/d', service: 'api' },
    { path: '/', service: 'web' },
  ];
  const access = [
    allow({ path: '/admin', source: '10.0.0.0/8' }),
    allow({ path: '/open' }),
    // In another letter case it is denied.
    deny({ path: '/open' }),
    deny({ path: '/admin', header: { a: 'b' } }),
    deny({ path: '/admin', method: ['PUT', 'POST'] }),
    deny({ path: '/admin/x', method: ['PUT', 'GET'] }),
    deny({ path: { matches: '^/admin' } }),
    deny({ path: { exact: '/admin' } }),
    deny({ path: '/admin' }),
    deny({ source: '10.0.0.0/8' }),
  ];
  assert.deepEqual(await findings(shop({ redirects: redirects.slice(0, 3), routes, access })), []);
  assert.deepEqual(await findings(shop({ redirects })), []);
});

test("an environment's policy is checked as the app's is", async () => {
  const found = await findings(shop({}, { environments: { p: { apps: { shop: { policy: { routes: [{ service: 'no' }] } } } } } }));
  assert.deepEqual(found, ['environments.p.apps.shop.policy.routes[0].service: expected a service of the app (web, api), found no']);
});

test('a mistake in a rule is placed where it is written, through allow and deny', () => {
  const source = `import { deny } from 'changeless';\nexport default {\n patches: { a: deny({\n  path: '/x',\n }) } };`;
  const place = keyLocator(new Map([['a.ts', source]]), 'a.ts')(['patches', 'a', 'path'], 'value');
  assert.equal(place?.line, 4);
});

const everything: PolicyInput = {
  routes: [
    { path: '/api/', service: 'api', headers: { request: { set: { a: 'b' } } }, bodyLimit: '1m' },
    { host: 'shop.localhost', service: 'web' },
  ],
  redirects: [
    { from: { host: 'shop.example' }, to: 'https://shop.localhost' },
    { from: { path: { exact: '/a/' } }, to: '/b', status: 301, keepQuery: false },
  ],
  headers: { response: { set: { 'x-a': '1' }, remove: ['server'] } },
  access: [allow({ path: ['/admin/', { matches: '^/x' }], source: '10.0.0.0/8' }), deny({ path: '/admin' })],
  rateLimits: { login: { requests: 5, periodMs: 60_000, for: { path: '/login', method: 'POST' } } },
  bodyLimit: '10m',
  timeouts: { responseMs: 5000 },
  retries: { methods: ['GET'] },
  compression: {},
  maintenance: { body: 'soon' },
  patches: { 'CVE-2026-1234': deny({ query: { q: true }, header: { a: 'b', c: { contains: 'd' } } }) },
};

test('a policy has every default filled in, and is what the schema of the manifest says', async () => {
  const result = await validateArchitecture(shop(everything), () => undefined);
  assert.ok(result.ok, JSON.stringify(result));
  assert.deepEqual(architectureModel.parse(result.value), result.value);
  const { policy: filled = {} } = result.value.apps['shop'] ?? {};
  assert.deepEqual(filled.routes?.[0], {
    path: '/api',
    service: 'api',
    headers: { request: { set: { a: 'b' }, add: {}, remove: [] } },
    bodyLimitBytes: 1024 * 1024,
  });
  assert.deepEqual(filled.redirects, [
    { host: 'shop.example', path: '/', exact: false, to: 'https://shop.localhost', status: 308, keepQuery: true },
    { path: '/a/', exact: true, to: '/b', status: 301, keepQuery: false },
  ]);
  assert.deepEqual(filled.access?.[0], {
    action: 'allow',
    match: { path: [{ under: '/admin' }, { matches: '^/x' }], source: ['10.0.0.0/8'] },
  });
  assert.deepEqual(filled.rateLimits?.['login']?.burst, 5);
  assert.deepEqual(filled.patches, {
    'CVE-2026-1234': [{ query: { q: { present: true } }, header: { a: { exact: 'b' }, c: { contains: 'd' } } }],
  });
});

test('an app without a policy, or with an empty one, says nothing of it', async () => {
  for (const written of [
    undefined,
    {},
    { routes: [], redirects: [], access: [], rateLimits: {}, patches: {}, timeouts: {}, headers: {} },
  ]) {
    const input = {
      name: 'shop',
      apps: { shop: { services: { web: service }, ...(written && { policy: written }) } },
    } satisfies ArchitectureInput;
    const result = await validateArchitecture(input, () => undefined);
    assert.ok(result.ok);
    assert.ok(!('policy' in (result.value.apps['shop'] ?? {})));
  }
});

test('an environment takes a member of the policy away by saying an empty one', async () => {
  const written = shop(everything, {
    environments: { production: { apps: { shop: { hosts: ['shop.example'], policy: { routes: [], bodyLimit: 1 } } } } },
  });
  const result = await validateArchitecture(written, () => undefined);
  assert.ok(result.ok, JSON.stringify(result));
  assert.deepEqual(result.value.environments['production']?.apps?.['shop']?.policy, { routes: [], bodyLimitBytes: 1 });
});
