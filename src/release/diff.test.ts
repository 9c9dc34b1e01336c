import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Job, JobStep } from '../architecture/job-model.ts';
import type { ComponentKey } from '../digest.ts';
import type { UnitName } from '../events.ts';
import { diffReleases, explainReplacement } from './diff.ts';
import { describeDifference } from './difference.ts';
import { generationsOf } from './generation.ts';
import type { ReleaseInputs } from './manifest.ts';
import { appOf, arbitraryApp, architectureOf, componentOf, inputsOf, jobOf, jobStepOf, serviceOf, storeOf } from './release-fixture.ts';

const sentences = (from: ReleaseInputs, to: ReleaseInputs, environment = 'local'): string[] => {
  const differences = diffReleases(from, to, environment);
  assert.ok(differences.ok);
  return differences.value.map(describeDifference);
};

const withComponent = (inputs: ReleaseInputs, name: string, change: Parameters<typeof componentOf>[0]): ReleaseInputs => ({
  ...inputs,
  components: { ...inputs.components, [name]: componentOf(change) },
});
const catalog = (change: Parameters<typeof serviceOf>[0]) =>
  inputsOf(architectureOf({ apps: { ...architectureOf().apps, catalog: appOf({ services: { api: serviceOf(change) } }) } }));

const cases: readonly [what: string, to: ReleaseInputs, sentences: readonly string[]][] = [
  ['nothing', inputsOf(), []],
  [
    'a policy',
    inputsOf(
      architectureOf({
        apps: {
          ...architectureOf().apps,
          catalog: appOf({
            policy: {
              patches: { 'CVE-1': [{ method: ['TRACE'] }] },
              maintenance: { body: 'a page', contentType: 'text/plain', retryAfterSeconds: 1, except: [] },
            },
          }),
        },
      }),
    ),
    [
      'catalog: policy.maintenance.body added',
      'catalog: policy.maintenance.contentType added: "text/plain"',
      'catalog: policy.maintenance.except added: []',
      'catalog: policy.maintenance.retryAfterSeconds added: 1',
      'catalog: policy.patches.CVE-1 added: [{"method":["TRACE"]}]',
    ],
  ],
  ['source', withComponent(inputsOf(), 'catalog/api', { tree: 'f'.repeat(40) }), ['catalog/api: source changed']],
  [
    'dockerfile, argument and base at once',
    withComponent(inputsOf(), 'catalog/api', {
      dockerfile: 'Other',
      arguments: { A: '1' },
      bases: { 'debian:bookworm-slim': `sha256:${'e'.repeat(64)}` },
    }),
    [
      'catalog/api: Dockerfile is Other, was Dockerfile; build argument A added: 1; base debian:bookworm-slim is pinned to sha256:eeeeeeeeeeee, was sha256:bbbbbbbbbbbb',
    ],
  ],
  [
    'a setting',
    catalog({ settings: { LOG: 'debug', NEW: '1' } }),
    ['catalog/api: setting LOG is "debug", was "info"', 'catalog/api: setting NEW added: "1"'],
  ],
  ['a file', catalog({ files: { '/etc/app.conf': 'a = 2' } }), ['catalog/api: file /etc/app.conf changed']],
  ['replicas', catalog({ replicas: 5 }), ['catalog/api: replicas is 5, was 2']],
  ['a limit', catalog({ limits: { memoryBytes: 2, processes: 16 } }), ['catalog/api: limit memoryBytes is 2, was 1024']],
  [
    'a health check',
    catalog({ health: { kind: 'http', path: '/up', status: 200, timeoutMs: 60_000 } }),
    ['catalog/api: health.path is "/up", was "/healthz"'],
  ],
  [
    'routes',
    inputsOf(
      architectureOf({ apps: { catalog: appOf({ hosts: ['new.localhost'] }), accounts: appOf({ hosts: ['accounts.localhost'] }) } }),
    ),
    ['core: catalog.localhost leads nowhere, was catalog', 'core: new.localhost leads to catalog'],
  ],
  [
    'an app',
    inputsOf(architectureOf({ apps: { catalog: appOf() } })),
    ['accounts/api: image no longer used', 'app accounts removed', 'core: accounts.localhost leads nowhere, was accounts'],
  ],
  ['a store', inputsOf(architectureOf({ stores: { sessions: storeOf({ port: 7000 }) } })), ['sessions: port is 7000, was 6379']],
  [
    'ports',
    inputsOf(architectureOf({ core: { publish: [{ address: '0.0.0.0', port: 80 }] } })),
    ['core: publishes 0.0.0.0:80, was 127.0.0.1:8080'],
  ],
  [
    'what is counted is shown',
    inputsOf(architectureOf({ core: { publish: [{ address: '127.0.0.1', port: 8080 }], metrics: { address: '127.0.0.1', port: 9464 } } })),
    ['core: publishes 127.0.0.1:8080, 127.0.0.1:9464 for metrics, was 127.0.0.1:8080'],
  ],
  [
    'TLS',
    inputsOf(
      architectureOf({
        core: {
          publish: [
            { address: '127.0.0.1', port: 8080 },
            { address: '127.0.0.1', port: 443, tls: true },
          ],
        },
        apps: { catalog: appOf({ tls: { certificate: 'c', key: 'k' } }), accounts: appOf({ hosts: ['accounts.localhost'] }) },
        secrets: { c: { version: 1 }, k: { version: 2 } },
      }),
    ),
    [
      'catalog: tls.certificate added: "c"',
      'catalog: tls.key added: "k"',
      'secret c: version 1',
      'secret k: version 2',
      'core: catalog.localhost leads to catalog with TLS, was catalog',
      'core: publishes 127.0.0.1:8080, 127.0.0.1:443 for TLS, was 127.0.0.1:8080',
    ],
  ],
  [
    "the core's rules for sources",
    inputsOf(
      architectureOf({
        core: { publish: [{ address: '127.0.0.1', port: 8080 }], sources: { deny: ['192.0.2.7'] }, perSource: { connections: 9 } },
      }),
    ),
    ['core: perSource.connections added: 9', 'core: sources.deny added: ["192.0.2.7"]'],
  ],
  [
    'the proxy',
    { ...inputsOf(), changeless: { ...inputsOf().changeless, proxy: 'x' as ComponentKey } },
    ['changeless: the proxy of every data path changed'],
  ],
];

for (const [what, to, expected] of cases)
  test(`${what}: ${expected.length} sentences`, () => assert.deepEqual(sentences(inputsOf(), to), expected));

test('an environment that only the later release declares is compared with local', () => {
  const to = inputsOf(architectureOf({ environments: { production: { core: { publish: [{ address: '0.0.0.0', port: 80 }] } } } }));
  assert.deepEqual(sentences(inputsOf(), to, 'production'), ['core: publishes 0.0.0.0:80, was 127.0.0.1:8080']);
});

test('every generation that moves has a reason, and the reason names what changed', () => {
  fc.assert(
    fc.property(arbitraryApp, arbitraryApp, (before, after) => {
      const [from, to] = [before, after].map((app) => inputsOf(architectureOf({ apps: { app } })));
      assert.ok(from && to);
      const [old, next, differences] = [generationsOf(from, 'local'), generationsOf(to, 'local'), diffReleases(from, to, 'local')];
      assert.ok(old.ok && next.ok && differences.ok);
      const units: [UnitName, boolean][] = [
        [{ kind: 'app', name: 'app' }, old.value.apps['app']?.id !== next.value.apps['app']?.id],
        [{ kind: 'core', name: 'core' }, old.value.core.id !== next.value.core.id],
      ];
      for (const [unit, hasMoved] of units) if (hasMoved) assert.notDeepEqual(explainReplacement(unit, differences.value), []);
    }),
  );
});

const secretive = (version: number) => ({
  ...catalog({ secrets: { password: 'file' } }),
  architecture: { ...catalog({ secrets: { password: 'file' } }).architecture, secrets: { password: { version }, unused: { version } } },
});

test('another version of a secret is told once, and is a reason of who gets it', () => {
  assert.deepEqual(sentences(secretive(1), secretive(2)), ['secret password: version 1 -> 2']);
  assert.deepEqual(sentences(inputsOf(), secretive(1)), ['catalog/api: secret password added: "file"', 'secret password: version 1']);
  assert.deepEqual(sentences(secretive(2), inputsOf()), [
    'catalog/api: secret password removed, was "file"',
    'secret password: no longer used, was version 2',
  ]);
  const differences = diffReleases(secretive(1), secretive(2), 'local');
  assert.ok(differences.ok);
  assert.deepEqual(explainReplacement({ kind: 'app', name: 'catalog' }, differences.value), ['secret password: version 1 -> 2']);
  for (const unit of [
    { kind: 'app', name: 'accounts' },
    { kind: 'store', name: 'sessions' },
    { kind: 'core', name: 'core' },
  ] as const)
    assert.deepEqual(explainReplacement(unit, differences.value), []);
});

const jobs = (change: Partial<Job> = {}, step: Partial<JobStep> = {}, version = 1) =>
  inputsOf(architectureOf({ jobs: { test: jobOf(change, step) }, secrets: { token: { version } } }));

test('jobs that came, went or changed are told by what changed, and replace nothing', () => {
  const cases: [from: ReleaseInputs, to: ReleaseInputs, told: string[]][] = [
    [inputsOf(), inputsOf(architectureOf({ jobs: { test: jobOf() } })), ['job test added']],
    [inputsOf(architectureOf({ jobs: { test: jobOf() } })), inputsOf(), ['job test removed']],
    [jobs(), jobs(), []],
    [
      jobs(),
      jobs({ on: { schedule: ['0 3 * * *'] }, parameters: { suite: 'all' }, matrix: { jdk: ['17'] }, limitMs: 5 }),
      [
        'job test: limitMs is 5, was 1000',
        'job test: axis jdk added: ["17"]',
        'job test: on.schedule added: ["0 3 * * *"]',
        'job test: parameter suite added: "all"',
      ],
    ],
    [
      jobs(),
      jobs({}, { command: ['make'], agent: 'java' }),
      ['job test, step unit: agent is "java", was "node"', 'job test, step unit: command is ["make"], was ["npm","test"]'],
    ],
    [jobs(), jobs({ steps: [[jobStepOf()], [jobStepOf({ name: 'more' })]] }), ['job test, step more added']],
    [
      jobs({ steps: [[jobStepOf()], [jobStepOf({ name: 'more' })]] }),
      jobs({ steps: [[jobStepOf(), jobStepOf({ name: 'more' })]] }),
      ['job test: order is [["unit","more"]], was [["unit"],["more"]]'],
    ],
    [jobs({}, { secrets: { token: 'token' } }, 1), jobs({}, { secrets: { token: 'token' } }, 2), ['secret token: version 1 -> 2']],
  ];
  for (const [from, to, told] of cases) {
    assert.deepEqual(sentences(from, to), told);
    const differences = diffReleases(from, to, 'local');
    assert.ok(differences.ok);
    for (const unit of [
      { kind: 'app', name: 'catalog' },
      { kind: 'core', name: 'core' },
    ] as const)
      assert.deepEqual(explainReplacement(unit, differences.value), []);
  }
});

test('a reason of one app is none of another', () => {
  const differences = diffReleases(inputsOf(), catalog({ replicas: 5 }), 'local');
  assert.ok(differences.ok);
  assert.deepEqual(explainReplacement({ kind: 'app', name: 'catalog' }, differences.value), ['catalog/api: replicas is 5, was 2']);
  assert.deepEqual(explainReplacement({ kind: 'app', name: 'accounts' }, differences.value), []);
  assert.deepEqual(explainReplacement({ kind: 'core', name: 'core' }, differences.value), []);
});
