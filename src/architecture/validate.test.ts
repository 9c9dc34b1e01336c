import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import type { Finding } from '../problem.ts';
import { keyLocator } from './locate.ts';
import { migrate, mistakes, service, withService } from './mistakes-fixture.ts';
import { architectureJsonSchema, architectureModel } from './model-schema.ts';
import { validateArchitecture } from './validate.ts';

const store = { build: 'sessions', port: 6379, data: '/data' };

async function findings(value: unknown): Promise<readonly Finding[]> {
  const validated = await validateArchitecture(value, () => undefined);
  return validated.ok ? [] : (validated.problem.findings ?? []);
}

const told = async (value: unknown): Promise<string[]> => (await findings(value)).map(({ key, what }) => `${key ?? ''}: ${what}`);

test('the least that can be said is an architecture with every default', async () => {
  const validated = await validateArchitecture(
    { ...withService({}), stores: { sessions: store }, agents: { node: { build: 'agent' } } },
    () => undefined,
  );
  assert(validated.ok);
  const container = { settings: {}, files: {}, writable: {}, limits: { memoryBytes: 268_435_456, processes: 128 }, stopMs: 10_000 };
  const source = (folder: string) => ({ folder, dockerfile: 'Dockerfile', arguments: {}, tests: [] });
  const health = { kind: 'tcp', timeoutMs: 60_000 };
  assert.deepEqual(validated.value, {
    name: 'shop',
    core: { publish: [{ address: '127.0.0.1', port: 8080 }] },
    apps: {
      catalog: {
        hosts: ['catalog.localhost'],
        services: {
          api: { build: source('catalog/api'), port: 3000, entry: true, replicas: 1, health, stores: [], outbound: false, ...container },
        },
        drain: { limitMs: 30_000 },
      },
    },
    stores: { sessions: { build: source('sessions'), port: 6379, data: '/data', health, ...container } },
    agents: { node: { build: source('agent') } },
    environments: { local: {} },
  });
});

test('alarms, bakes and channels are kept as they are meant', async () => {
  const value = {
    ...withService({ alarms: { hot: { metric: 'cpu', above: 0.8, forMs: 60_000 } } }),
    channels: { ops: { webhook: 'https://example.com/hook' } },
    environments: { local: { channels: { ops: { webhook: 'http://127.0.0.1:9/' } } } },
  };
  const catalog = (value as unknown as { apps: { catalog: object } }).apps.catalog;
  Object.assign(catalog, { bake: { forMs: 1 }, alarms: { idle: { metric: 'request-rate', below: 1 } } });
  const validated = await validateArchitecture(value, () => undefined);
  assert(validated.ok);
  const app = validated.value.apps['catalog'];
  assert.deepEqual([app?.bake, app?.alarms], [{ forMs: 1 }, { idle: { metric: 'request-rate', below: 1, forMs: 10_000 } }]);
  assert.deepEqual(app?.services['api']?.alarms, { hot: { metric: 'cpu', above: 0.8, forMs: 60_000 } });
  assert.deepEqual(validated.value.channels, { ops: { webhook: 'https://example.com/hook' } });
  assert(architectureModel.safeParse(validated.value).success);
});

test('channels may have secret addresses and keys; a forge is that of an environment, and GitHub where nothing else is said', async () => {
  const forge = { kind: 'github', repository: 'shop/web', token: 'hook' };
  const ops = { webhook: { secret: 'hook' }, secret: 'hook' };
  const value = {
    ...withService({}),
    secrets: { hook: { version: 1 } },
    channels: { ops },
    environments: { live: { forge }, own: { forge: { ...forge, api: 'https://git.example.com/api/v3/' } } },
  };
  const validated = await validateArchitecture(value, () => undefined);
  assert(validated.ok);
  const { channels, environments } = validated.value;
  assert.deepEqual(channels, { ops });
  assert.deepEqual(environments['live']?.forge, { ...forge, api: 'https://api.github.com' });
  assert.deepEqual(environments['own']?.forge, { ...forge, api: 'https://git.example.com/api/v3' });
  assert(architectureModel.safeParse(validated.value).success);
});

const storeHealths = [
  ['tcp', { kind: 'tcp', timeoutMs: 60_000 }],
  [
    { tcp: true, timeoutMs: 5 },
    { kind: 'tcp', timeoutMs: 5 },
  ],
  [{ protocol: 'redis' }, { kind: 'redis', timeoutMs: 60_000 }],
  [
    { protocol: 'postgres', timeoutMs: 5 },
    { kind: 'postgres', timeoutMs: 5 },
  ],
  [{ expect: 'ready' }, { kind: 'exchange', expect: 'ready', timeoutMs: 60_000 }],
  [
    { send: 'hello', expect: 'ready' },
    { kind: 'exchange', send: 'hello', expect: 'ready', timeoutMs: 60_000 },
  ],
] as const;

for (const [written, meant] of storeHealths)
  test(`a store's health is understood: ${JSON.stringify(written)}`, async () => {
    const value = { ...withService({}), stores: { sessions: { ...store, health: written } } };
    const validated = await validateArchitecture(value, () => undefined);
    assert(validated.ok);
    assert.deepEqual(validated.value.stores['sessions']?.health, meant);
  });

test("a store's health of another protocol is not understood", async () => {
  const said = await told({ ...withService({}), stores: { sessions: { ...store, health: { protocol: 'mysql' } } } });
  assert.equal(said.length, 1);
  assert.match(said[0] ?? '', /stores\.sessions\.health/);
});

test('every friendly form is understood', async () => {
  const build = { folder: './x', target: 't', args: { N: 1, B: true }, tests: { command: ['npm', 'test'] } };
  const health = { path: '/healthz', status: 204, timeoutMs: 5 };
  const value = {
    ...withService({ build, health, settings: { N: 1, B: false }, writable: { '/tmp': { size: '2m' } }, limits: { cpus: 0.5 } }),
    core: {
      publish: [80, '0.0.0.0:443', '[::1]:81', { port: 82 }, { address: '::', port: 83 }],
      sources: { allow: ['10.0.0.0/8', '::1'] },
    },
    environments: {
      production: {
        core: { perSource: { requests: { count: 50, perMs: 1_000 } } },
        apps: { catalog: { services: { api: { replicas: 3, limits: { memory: '1g' } } } } },
      },
    },
  };
  const validated = await validateArchitecture(value, () => undefined);
  assert(validated.ok);
  const { core, apps, environments } = validated.value;
  assert.deepEqual(environments['production']?.core, { perSource: { requests: { count: 50, perMs: 1_000 } } });
  assert.deepEqual(core.sources, { allow: ['10.0.0.0/8', '::1'] });
  assert.deepEqual(
    core.publish.map(({ address, port }) => `${address} ${port}`),
    ['127.0.0.1 80', '0.0.0.0 443', '::1 81', '127.0.0.1 82', ':: 83'],
  );
  const api = apps['catalog']?.services['api'];
  assert.deepEqual(api?.build, {
    folder: 'x',
    dockerfile: 'Dockerfile',
    target: 't',
    arguments: { N: '1', B: 'true' },
    tests: [{ command: ['npm', 'test'] }],
  });
  assert.deepEqual(api.health, { kind: 'http', ...health });
  assert.deepEqual([api.settings, api.writable], [{ N: '1', B: 'false' }, { '/tmp': { sizeBytes: 2 * 1024 ** 2 } }]);
  // An environment's limits replace the service's whole, so they are filled up from them.
  const change = environments['production']?.apps?.['catalog']?.services?.['api'];
  assert.deepEqual(change, { replicas: 3, limits: { memoryBytes: 1024 ** 3, processes: 128, cpus: 0.5 } });
  assert(architectureModel.safeParse(validated.value).success);
});

test('steps keep the order they are written in, and wait ten minutes where nothing is said', async () => {
  const steps = { before: { second: migrate, first: { ...migrate, limitMs: 5 } } };
  const validated = await validateArchitecture(withService({ steps }), () => undefined);
  assert(validated.ok);
  assert.deepEqual(validated.value.apps['catalog']?.services['api']?.steps, {
    before: [
      { name: 'second', command: ['migrate'], limitMs: 600_000 },
      { name: 'first', command: ['migrate'], limitMs: 5 },
    ],
    after: [],
  });
  assert(architectureModel.safeParse(validated.value).success);
  const none = await validateArchitecture(withService({ steps: { before: {} } }), () => undefined);
  assert(none.ok && !('steps' in (none.value.apps['catalog']?.services['api'] ?? {})));
});

for (const [name, value, expected] of mistakes) {
  test(`a mistake is told with its key, what was expected and what was found: ${name}`, async () =>
    assert.deepEqual(await told(value), expected));
}

const app = (...hosts: string[]) => ({ ...(hosts.length > 0 && { hosts }), services: { w: service } });

test('two apps with one host name are told, with both places', async () => {
  const clash = 'expected a host name that no other app has, found';
  assert.deepEqual(await told({ name: 's', apps: { a: app('x.localhost'), b: app('y', 'x.localhost') } }), [
    `apps.b.hosts[1]: ${clash} x.localhost, which app a has at apps.a.hosts[0]`,
  ]);
  assert.deepEqual(await told({ name: 's', apps: { a: app('b.localhost'), b: app() } }), [
    `apps.b: ${clash} b.localhost, which app a has at apps.a.hosts[0]`,
  ]);
});

test('two apps with one host name in one environment are told once, and where only the environment makes it', async () => {
  const environments = { p: { apps: { a: { hosts: ['b.localhost'] } } }, q: {} };
  assert.deepEqual(await told({ name: 's', apps: { a: app(), b: app() }, environments }), [
    'environments.p.apps.a.hosts[0]: expected a host name that no other app has in environment p, found b.localhost, which app b has at apps.b',
  ]);
  // The environment takes the clash away where it is, but not in the others.
  assert.equal(
    (await told({ name: 's', apps: { a: app('x'), b: app('x') }, environments: { p: { apps: { a: { hosts: ['y'] } } }, q: {} } })).length,
    1,
  );
});

test('several mistakes are told at once, each with file, line, column and key, in the order of the source', async () => {
  const file = 'demo/architecture.ts';
  const source = [
    "import { app, architecture, service } from 'changeless';",
    'export default architecture({',
    "  name: 'shop',",
    '  apps: {',
    "    a: app({ hosts: ['x.localhost'], services: { w: service({ build: 'w', port: 80000 }) } }),",
    "    b: app({ hosts: ['x.localhost'], services: { w: service({ build: 'w', prot: 80 }) } }),",
    '  },',
    '});',
  ].join('\n');
  const value = {
    name: 'shop',
    apps: {
      a: { hosts: ['x.localhost'], services: { w: { build: 'w', port: 80000 } } },
      b: { hosts: ['x.localhost'], services: { w: { build: 'w', prot: 80 } } },
    },
  };
  const validated = await validateArchitecture(value, keyLocator(new Map([[file, source]]), file));
  assert(!validated.ok);
  assert.equal(validated.problem.code, 'ARCHITECTURE_INVALID');
  const places = (validated.problem.findings ?? []).map(({ key, place }) => [key, `${place?.file}:${place?.line}:${place?.column}`]);
  assert.deepEqual(places, [
    ['apps.a.services.w.port', `${file}:5:81`],
    ['apps.b.hosts[0]', `${file}:6:22`],
    ['apps.b.services.w.port', `${file}:6:53`],
    ['apps.b.services.w.prot', `${file}:6:75`],
  ]);
  const clash = validated.problem.findings?.[1];
  assert.match(clash?.what ?? '', /which app a has at apps\.a\.hosts\[0\] \(demo\/architecture\.ts:5\)/);
  assert.match(clash?.place?.text ?? '', /^ {4}b: app/);
});

test('any value at all is an architecture or has mistakes; validation never throws', async () => {
  const key = fc.constantFrom(
    'name',
    'apps',
    'a',
    'services',
    'build',
    'port',
    'hosts',
    'stores',
    'core',
    'publish',
    'environments',
    'entry',
    'data',
    'jobs',
    'steps',
    'matrix',
    'agent',
    'on',
    'after',
    'toString',
  );
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(1, 80, 'x', 'a', null, true, {}),
      fc.array(tie('any'), { maxLength: 3 }),
      fc.dictionary(key, tie('any')),
    ),
  })).any;
  await fc.assert(
    fc.asyncProperty(value, async (any) => {
      const validated = await validateArchitecture(any, () => undefined);
      if (validated.ok) assert(architectureModel.safeParse(validated.value).success);
      else assert((validated.problem.findings ?? []).length > 0);
    }),
    { numRuns: 300 },
  );
});

test('the JSON schema of the manifest is a schema of objects without other keys', () => {
  const schema = architectureJsonSchema();
  assert.equal(schema['$schema'], 'https://json-schema.org/draft/2020-12/schema');
  assert.equal(schema['additionalProperties'], false);
  assert.deepEqual(schema['required'], ['name', 'core', 'apps', 'stores', 'agents', 'environments']);
});
