import assert from 'node:assert/strict';
import { test } from 'node:test';
import { architectureModel } from './model-schema.ts';
import type { App } from './model.ts';
import { validateArchitecture } from './validate.ts';

const service = { build: 'x', port: 80 };
const [waf, auth, web] = [service, service, service];
const health = { path: '/healthz' };
const legacy = { host: 'legacy.example.com', port: 443, health };
const withApp = (app: object, more: object = {}): object => ({ name: 's', apps: { a: app }, ...more });

async function findings(value: unknown): Promise<string[]> {
  const result = await validateArchitecture(value, () => undefined);
  return result.ok ? [] : (result.problem.findings ?? []).map(({ key, what }) => `${key}: ${what}`);
}

async function appOf(app: object): Promise<App> {
  const result = await validateArchitecture(withApp(app), () => undefined);
  assert.ok(result.ok, result.ok ? '' : JSON.stringify(result.problem.findings));
  architectureModel.parse(result.value);
  return result.value.apps['a']!;
}

const mistakes: readonly (readonly [what: string, value: object, expected: readonly string[]])[] = [
  ['an app without anything', withApp({}), ['apps.a: expected services, or elsewhere, found neither']],
  [
    'services and elsewhere together',
    withApp({ services: { web }, elsewhere: legacy }),
    ['apps.a.services.web: expected no service but stages in an app that lives elsewhere, found web beside apps.a.elsewhere'],
  ],
  [
    'a stage that is no service',
    withApp({ services: { waf, web }, stages: ['wafe'] }),
    [
      'apps.a.services: expected entry: true in one of waf, web, found it in none',
      'apps.a.stages[0]: expected a service of the app (waf, web), found wafe (did you mean waf?)',
    ],
  ],
  [
    'a stage twice',
    withApp({ services: { waf, auth, web }, stages: ['waf', 'auth', 'waf'] }),
    ['apps.a.stages[2]: expected each stage once, found waf again, which is at apps.a.stages[0]'],
  ],
  [
    'stages with nothing behind them',
    withApp({ services: { waf }, stages: ['waf'] }),
    ['apps.a.stages: expected a service behind them that is no stage itself, found none'],
  ],
  [
    'a stage as the entry',
    withApp({ services: { waf: { ...waf, entry: true }, web }, stages: ['waf'] }),
    ['apps.a.services.waf.entry: expected false in a stage, which is at apps.a.stages[0], found true'],
  ],
  [
    'a route to a stage',
    withApp({ services: { waf, web }, stages: ['waf'], policy: { routes: [{ path: '/x', service: 'waf' }] } }),
    ['apps.a.policy.routes[0].service: expected a service of the app (web), found waf'],
  ],
  [
    'a stage that is scaled by requests',
    withApp({ services: { waf: { ...waf, replicas: { min: 1, max: 2, metric: 'requests', target: 4 } }, web }, stages: ['waf'] }),
    ['apps.a.services.waf.replicas.metric: only requests to the entry of an app are counted; expected cpu, found requests'],
  ],
  [
    'a route of an app that lives elsewhere',
    withApp({ elsewhere: legacy, policy: { routes: [{ path: '/x', service: 'web' }] } }),
    ['apps.a.policy.routes[0].service: expected a service of the app (there is none), found web'],
  ],
  [
    'elsewhere in an environment of an app with services',
    withApp({ services: { web } }, { environments: { p: { apps: { a: { elsewhere: legacy } } } } }),
    ['environments.p.apps.a.elsewhere: expected elsewhere in apps.a too, which has services of its own'],
  ],
  [
    'TLS to an address without a name',
    withApp({ elsewhere: { ...legacy, host: '192.0.2.7', tls: true } }),
    ['apps.a.elsewhere.tls: expected { name: … }, for a certificate is for a name, found none beside an address'],
  ],
  [
    'elsewhere without health',
    withApp({ elsewhere: { host: 'a.example', port: 80 } }),
    ['apps.a.elsewhere.health: expected an object, found nothing'],
  ],
  [
    'an authority that is no certificate',
    withApp({ elsewhere: { ...legacy, tls: { ca: '/etc/ca.pem' } } }),
    ["apps.a.elsewhere.tls.ca: expected certificates as PEM, found '/etc/ca.pem'"],
  ],
  [
    'a host with a scheme',
    withApp({ elsewhere: { ...legacy, host: 'https://a.example' } }),
    ["apps.a.elsewhere.host: expected a host name in lower case, or an IPv4 address, found 'https://a.example'"],
  ],
  [
    'a service with a reserved name',
    withApp({ services: { elsewhere: service } }),
    ['apps.a.services.elsewhere: the name elsewhere is reserved for a part that every architecture has; expected another'],
  ],
];

for (const [what, value, expected] of mistakes) {
  test(`${what} is refused at its key`, async () => assert.deepEqual((await findings(value)).toSorted(), expected.toSorted()));
}

test('the entry is the only service that is no stage, and may count its requests', async () => {
  const { services, stages } = await appOf({
    services: { waf, web: { ...web, replicas: { min: 1, max: 2, metric: 'requests', target: 4 } } },
    stages: ['waf'],
  });
  assert.deepEqual([services['waf']?.entry, services['web']?.entry, stages], [false, true, ['waf']]);
});

test('without stages nothing is said of them', async () => {
  assert.ok(!('stages' in (await appOf({ services: { web }, stages: [] }))));
});

test('an app that lives elsewhere has no services but its stages, and every default', async () => {
  const { services, stages, elsewhere } = await appOf({ services: { waf }, stages: ['waf'], elsewhere: { ...legacy, tls: true } });
  assert.deepEqual([Object.keys(services), services['waf']?.entry, stages], [['waf'], false, ['waf']]);
  assert.deepEqual(elsewhere, {
    host: 'legacy.example.com',
    port: 443,
    tls: { name: 'legacy.example.com' },
    health: { kind: 'http', path: '/healthz', status: 200, timeoutMs: 60_000 },
  });
});

test('a certificate may be for another name, or vouched for by somebody else', async () => {
  const ca = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
  const { elsewhere } = await appOf({
    elsewhere: { ...legacy, host: '192.0.2.7', tls: { name: 'a.example', ca }, hostHeader: 'b.example' },
  });
  assert.deepEqual([elsewhere?.tls, elsewhere?.hostHeader], [{ name: 'a.example', ca }, 'b.example']);
});
