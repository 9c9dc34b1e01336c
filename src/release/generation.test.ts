import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReplicaRange } from '../architecture/model.ts';
import * as fc from 'fast-check';
import type { App, Architecture, Service, Store, Tls } from '../architecture/model.ts';
import type { CommitId, ComponentKey } from '../digest.ts';
import { generationsOf, type Generations } from './generation.ts';
import type { Generation, ReleaseInputs } from './manifest.ts';
import { appOf, arbitraryApp, architectureOf, inputsOf, jobOf, serviceOf, storeOf } from './release-fixture.ts';

const generationsIn = (inputs: ReleaseInputs, environment = 'local'): Generations => {
  const result = generationsOf(inputs, environment);
  assert.ok(result.ok);
  return result.value;
};

const withService = (change: Partial<Service>): Architecture =>
  architectureOf({
    apps: { catalog: appOf({ services: { api: serviceOf(change) } }), accounts: appOf({ hosts: ['accounts.localhost'] }) },
  });
const withApp = (change: Partial<App>): Architecture =>
  architectureOf({ apps: { catalog: appOf(change), accounts: appOf({ hosts: ['accounts.localhost'] }) } });
const withStore = (change: Partial<Store>): Architecture => architectureOf({ stores: { sessions: storeOf(change) } });

/** What of the example moves when `inputs` take the place of the plain ones: `catalog body`, `core path`, … */
function moved(inputs: ReleaseInputs, from = inputsOf()): string[] {
  const [before, after] = [generationsIn(from), generationsIn(inputs)];
  const units = (all: Generations): Record<string, Generation> => ({ core: all.core, ...all.apps, ...all.stores });
  return Object.entries(units(after)).flatMap(([name, generation]) => {
    const old = units(before)[name];
    if (old?.id === generation.id) return [];
    return [`${name} ${old?.body === generation.body ? 'path' : 'body'}`];
  });
}

const encrypted = (version: number, tls: Partial<Tls> = {}, port = 8443): ReleaseInputs =>
  inputsOf({
    ...withApp({ tls: { certificate: 'certificate', key: 'key', ...tls } }),
    core: {
      publish: [
        { address: '127.0.0.1', port: 8080 },
        { address: '127.0.0.1', port, tls: true },
      ],
    },
    secrets: { certificate: { version }, key: { version: 1 } },
  });

const steps = (command: string, limitMs: number) => ({ before: [{ name: 'migrate', command: [command], limitMs }], after: [] });
const stepping = inputsOf(withService({ steps: steps('migrate', 60_000) }));

/** What moves between two that have TLS. */
const encryptedCases: readonly [what: string, inputs: ReleaseInputs, moved: readonly string[]][] = [
  ['nothing', encrypted(1), []],
  ['another version of a certificate', encrypted(2), ['catalog path']],
  ['another key', encrypted(1, { key: 'other' }), ['catalog path']],
  ['plain HTTP let on', encrypted(1, { plain: 'allow' }), ['catalog path']],
  ['another port to redirect to', encrypted(1, {}, 443), ['catalog path']],
  ['no TLS', inputsOf(), ['core path', 'catalog path']],
];

const cases: readonly [what: string, inputs: ReleaseInputs, moved: readonly string[]][] = [
  [
    'a port for TLS that no app uses',
    inputsOf(
      architectureOf({
        core: {
          publish: [
            { address: '127.0.0.1', port: 8080 },
            { address: '127.0.0.1', port: 8443, tls: true },
          ],
        },
      }),
    ),
    [],
  ],
  ['a certificate', encrypted(1), ['core path', 'catalog path']],
  ['another commit', { ...inputsOf(), source: { commit: 'e'.repeat(40) as CommitId, tree: 'f'.repeat(40) } }, []],
  [
    'another version of Changeless and its controller',
    { ...inputsOf(), changeless: { ...inputsOf().changeless, version: '9', controller: 'x' as ComponentKey } },
    [],
  ],
  ['another sandbox', { ...inputsOf(), changeless: { ...inputsOf().changeless, sandbox: 'x' as ComponentKey } }, []],
  [
    'another proxy',
    { ...inputsOf(), changeless: { ...inputsOf().changeless, proxy: 'x' as ComponentKey } },
    ['core path', 'catalog path', 'accounts path', 'sessions path'],
  ],
  ['source of a service', inputsOf(architectureOf(), { 'catalog/api': 'f'.repeat(40) }), ['catalog body']],
  ['source of a store', inputsOf(architectureOf(), { sessions: 'f'.repeat(40) }), ['sessions body']],
  ['settings', inputsOf(withService({ settings: { LOG: 'debug' } })), ['catalog body']],
  ['files', inputsOf(withService({ files: {} })), ['catalog body']],
  ['writable paths', inputsOf(withService({ writable: {} })), ['catalog body']],
  ['limits', inputsOf(withService({ limits: { memoryBytes: 2048, processes: 16 } })), ['catalog body']],
  ['replicas', inputsOf(withService({ replicas: 3 })), ['catalog body']],
  ['a range instead of a number', inputsOf(withService({ replicas: { min: 2, max: 4 } })), ['catalog body']],
  ['stores', inputsOf(withService({ stores: [] })), ['catalog body']],
  ['outbound', inputsOf(withService({ outbound: true })), ['catalog body']],
  ['steps', stepping, ['catalog body']],
  ['time to stop', inputsOf(withService({ stopMs: 9 })), ['catalog body']],
  ['port', inputsOf(withService({ port: 81 })), ['catalog path']],
  ['health check', inputsOf(withService({ health: { kind: 'http', path: '/other', status: 200, timeoutMs: 60_000 } })), ['catalog path']],
  ['patience of the rollout', inputsOf(withService({ health: { kind: 'http', path: '/healthz', status: 200, timeoutMs: 5 } })), []],
  ['drain', inputsOf(withApp({ drain: { limitMs: 1 } })), ['catalog path']],
  ['a policy', inputsOf(withApp({ policy: { patches: { 'CVE-1': [{ method: ['TRACE'] }] } } })), ['catalog path']],
  ['host names', inputsOf(withApp({ hosts: ['other.localhost'] })), ['core path']],
  [
    'a folder that was moved',
    inputsOf(withService({ build: { folder: 'elsewhere', dockerfile: 'Dockerfile', arguments: {}, tests: [] } })),
    [],
  ],
  ['published ports', inputsOf(architectureOf({ core: { publish: [{ address: '0.0.0.0', port: 80 }] } })), []],
  [
    'that what is counted is shown',
    inputsOf(architectureOf({ core: { publish: [{ address: '127.0.0.1', port: 8080 }], metrics: { address: '127.0.0.1', port: 9464 } } })),
    ['core path'],
  ],
  [
    "the core's rules for sources",
    inputsOf(architectureOf({ core: { publish: [{ address: '127.0.0.1', port: 8080 }], sources: { deny: ['192.0.2.7'] } } })),
    ['core path'],
  ],
  [
    'what one source may have',
    inputsOf(architectureOf({ core: { publish: [{ address: '127.0.0.1', port: 8080 }], perSource: { connections: 9 } } })),
    ['core path'],
  ],
  ['port of a store', inputsOf(withStore({ port: 6380 })), ['sessions path']],
  ['data path of a store', inputsOf(withStore({ data: '/var' })), ['sessions body']],
  ['settings of a store', inputsOf(withStore({ settings: { A: '1' } })), ['sessions body']],
  ['a job', inputsOf(architectureOf({ jobs: { test: jobOf() } })), []],
  [
    'a secret of a job',
    inputsOf(architectureOf({ jobs: { test: jobOf({}, { secrets: { password: 'password' } }) }, secrets: { password: { version: 1 } } })),
    [],
  ],
  ['a secret that nobody gets', inputsOf(architectureOf({ secrets: { password: { version: 1 } } })), []],
  [
    'a secret of a store',
    inputsOf({ ...withStore({ secrets: { password: 'password' } }), secrets: { password: { version: 1 } } }),
    ['sessions body'],
  ],
];

for (const [what, inputs, expected] of cases) {
  test(`${what}: ${expected.length === 0 ? 'no generation moves' : `moves ${expected.join(', ')} and nothing else`}`, () => {
    assert.deepEqual(moved(inputs), expected);
  });
}

for (const [what, inputs, expected] of encryptedCases) {
  test(`with TLS, ${what} moves ${expected.join(', ') || 'nothing'}`, () => assert.deepEqual(moved(inputs, encrypted(1)), expected));
}

test('how long a step may take is the rollout’s patience; its command is not', () => {
  const { catalog } = generationsIn(stepping).apps;
  assert.deepEqual(generationsIn(inputsOf(withService({ steps: steps('migrate', 5) }))).apps['catalog'], catalog);
  assert.notEqual(generationsIn(inputsOf(withService({ steps: steps('other', 60_000) }))).apps['catalog']?.body, catalog?.body);
});

const secretive = (version: number, file = 'password'): ReleaseInputs =>
  inputsOf({ ...withService({ secrets: { password: file } }), secrets: { password: { version }, other: { version } } });

test('a version, and where it is found, move the bodies of those who get it; how it is encrypted moves nothing', () => {
  const { catalog, accounts } = generationsIn(secretive(1)).apps;
  for (const next of [secretive(2), secretive(1, 'other-file')]) {
    assert.notEqual(generationsIn(next).apps['catalog']?.body, catalog?.body);
    assert.deepEqual(generationsIn(next).apps['accounts'], accounts);
  }
  assert.deepEqual(generationsIn({ ...secretive(1), secrets: { password: { '1': 'sealed anew' } } }).apps['catalog'], catalog);
  const production = { production: { secrets: { password: { version: 2 } } } };
  const { architecture } = secretive(1);
  const inProduction = generationsIn(inputsOf({ ...architecture, environments: production }), 'production').apps['catalog'];
  assert.deepEqual(inProduction, generationsIn(secretive(2)).apps['catalog']);
});

test('changing one app never moves another, a store, or a body of the core', () => {
  fc.assert(
    fc.property(arbitraryApp, arbitraryApp, arbitraryApp, (before, after, neighbour) => {
      const generations = (app: App) => generationsIn(inputsOf(architectureOf({ apps: { app, neighbour } })));
      const [old, next] = [generations(before), generations(after)];
      assert.deepEqual(old.apps['neighbour'], next.apps['neighbour']);
      assert.deepEqual(old.stores, next.stores);
      assert.equal(old.core.body, next.core.body);
    }),
  );
});

test('adding an app moves the core and no other app', () => {
  fc.assert(
    fc.property(arbitraryApp, arbitraryApp, (app, added) => {
      const old = generationsIn(inputsOf(architectureOf({ apps: { app } })));
      const next = generationsIn(inputsOf(architectureOf({ apps: { app, added } })));
      assert.deepEqual(old.apps['app'], next.apps['app']);
      if (added.hosts.length > 0) assert.notEqual(old.core.id, next.core.id);
    }),
  );
});

test('an id does not depend on the order in which members were written', () => {
  fc.assert(
    fc.property(arbitraryApp, arbitraryApp, (one, two) => {
      const forward = generationsIn(inputsOf(architectureOf({ apps: { one, two } })));
      const backward = generationsIn(inputsOf(architectureOf({ apps: { two, one } })));
      assert.deepEqual({ ...forward }, { ...backward });
    }),
  );
});

test('an environment that changes nothing has the generations of local, whatever its name', () => {
  const inputs = inputsOf(architectureOf({ environments: { production: {} } }));
  assert.deepEqual(generationsIn(inputs, 'production'), generationsIn(inputs, 'local'));
});

test('of a range only its ends are in the path, and nothing of it is in the body', () => {
  const ranged = (replicas: ReplicaRange) => generationsIn(inputsOf(withService({ replicas })), 'local').apps['catalog'];
  const plain = ranged({ min: 2, max: 4 });
  const wider = ranged({ min: 2, max: 5 });
  assert.equal(wider?.body, plain?.body);
  assert.notEqual(wider?.id, plain?.id);
  assert.deepEqual(ranged({ min: 2, max: 4, metric: 'cpu', target: 0.5 }), plain);
});

test('of a policy an environment replaces each member that it says', () => {
  const policy = { bodyLimitBytes: 1, maintenance: { body: 'a', contentType: 'b', retryAfterSeconds: 1, except: [] } };
  const environments = { production: { apps: { catalog: { policy: { bodyLimitBytes: 2 } } } } };
  const inputs = inputsOf(architectureOf({ apps: { catalog: appOf({ policy }) }, environments }));
  const expected = inputsOf(architectureOf({ apps: { catalog: appOf({ policy: { ...policy, bodyLimitBytes: 2 } }) } }));
  assert.deepEqual(generationsIn(inputs, 'production').apps, generationsIn(expected).apps);
});

test('what one environment changes moves nothing in another', () => {
  const plain = inputsOf(architectureOf({ environments: { production: {} } }));
  const changed = inputsOf(architectureOf({ environments: { production: { apps: { catalog: { services: { api: { replicas: 9 } } } } } } }));
  assert.deepEqual(generationsIn(changed, 'local'), generationsIn(plain, 'local'));
  assert.notDeepEqual(generationsIn(changed, 'production'), generationsIn(plain, 'production'));
});

test('an environment nobody declared is a problem that lists those there are', () => {
  const result = generationsOf(inputsOf(architectureOf({ environments: { production: {} } })), 'staging');
  assert.ok(!result.ok);
  assert.equal(result.problem.code, 'UNKNOWN_ENVIRONMENT');
  assert.equal(result.problem.why, 'it declares local, production');
});

const listening = (more: Partial<NonNullable<App['gateway']>> = {}, version = 1): ReleaseInputs => {
  const webhooks = { github: { format: 'github', secret: 'hook', repository: 'octo/streaming' } } as const;
  const gateway = appOf({ hosts: ['deliver.localhost'], services: {}, gateway: { replicas: 1, webhooks, ...more } });
  const architecture = architectureOf();
  return inputsOf({ ...architecture, apps: { ...architecture.apps, gateway }, secrets: { hook: { version } } });
};

test('a gateway is new when its webhooks, their secrets, its replicas or its program are, and nothing else is', () => {
  assert.deepEqual(moved(listening(), listening()), []);
  assert.deepEqual(moved(listening({ replicas: 2 }), listening()), ['gateway body']);
  assert.deepEqual(moved(listening({ webhooks: {} }), listening()), ['gateway body']);
  assert.deepEqual(moved(listening({}, 2), listening()), ['gateway body']);
  const { changeless, ...inputs } = listening();
  assert.deepEqual(moved({ ...inputs, changeless: { ...changeless, controller: 'another' as ComponentKey } }, listening()), [
    'gateway body',
  ]);
  const committed = { ...inputs, changeless, source: { commit: 'd'.repeat(40) as CommitId, tree: 'e'.repeat(40) } };
  assert.deepEqual(moved(committed, listening()), []);
});

test('a git remote is of the gateway’s body, and is new with the builder, which has its program and git', () => {
  const built = (builder: string): ReleaseInputs => {
    const inputs = listening({ git: { secret: 'hook' } });
    return { ...inputs, changeless: { ...inputs.changeless, builder: builder as ComponentKey } };
  };
  assert.deepEqual(moved(built('one'), listening()), ['gateway body']);
  assert.deepEqual(moved(built('another'), built('one')), ['gateway body']);
});

test('what has no gateway knows of none', () => {
  assert.deepEqual(moved(listening()), ['core path', 'gateway body']);
});
