import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { App, Elsewhere } from '../architecture/model.ts';
import type { ComponentKey } from '../digest.ts';
import { diffReleases, explainReplacement } from './diff.ts';
import { generationsOf } from './generation.ts';
import type { Generation, ReleaseInputs } from './manifest.ts';
import { appOf, architectureOf, inputsOf, serviceOf } from './release-fixture.ts';

const catalogIn = (inputs: ReleaseInputs, environment = 'local'): Generation => {
  const result = generationsOf(inputs, environment);
  assert.ok(result.ok);
  return result.value.apps['catalog']!;
};

/** Whether the catalog's body is replaced, its path over it, or nothing. */
function moved(before: ReleaseInputs, after: ReleaseInputs): 'body' | 'path' | 'nothing' {
  const [one, other] = [catalogIn(before), catalogIn(after)];
  if (one.body !== other.body) return 'body';
  return one.id === other.id ? 'nothing' : 'path';
}

const withApp = (change: Partial<App>): ReleaseInputs => inputsOf(architectureOf({ apps: { catalog: appOf(change) } }));
const why = (before: ReleaseInputs, after: ReleaseInputs): string[] => {
  const differences = diffReleases(before, after, 'local');
  assert.ok(differences.ok);
  return explainReplacement({ kind: 'app', name: 'catalog' }, differences.value);
};

const services = { api: serviceOf(), auth: serviceOf({ entry: false }), waf: serviceOf({ entry: false }) };
const staged = (stages: readonly string[], more: Partial<App> = {}): ReleaseInputs => withApp({ services, stages, ...more });

test('stages, and their order, are in the body: no request may pass over one while they change', () => {
  assert.equal(moved(withApp({ services }), staged(['waf'])), 'body');
  assert.equal(moved(staged(['waf', 'auth']), staged(['auth', 'waf'])), 'body');
  assert.deepEqual(why(staged(['waf', 'auth']), staged(['auth', 'waf'])), ['catalog: stages is ["auth","waf"], was ["waf","auth"]']);
});

test('a change of policy leaves stages alone', () => {
  assert.equal(moved(staged(['waf']), staged(['waf'], { policy: { bodyLimitBytes: 1 } })), 'path');
});

const legacy: Elsewhere = { host: 'a.example', port: 80, health: { kind: 'http', path: '/', status: 200, timeoutMs: 1000 } };
const at = (change: Partial<Elsewhere> = {}): ReleaseInputs => withApp({ services: {}, elsewhere: { ...legacy, ...change } });

const changes: readonly (readonly [what: string, Partial<Elsewhere>, 'body' | 'path' | 'nothing'])[] = [
  ['another host', { host: 'b.example' }, 'body'],
  ['another port', { port: 81 }, 'body'],
  ['TLS', { tls: { name: 'a.example' } }, 'path'],
  ['another host header', { hostHeader: 'c.example' }, 'path'],
  ['another health', { health: { kind: 'http', path: '/healthz', status: 200, timeoutMs: 1000 } }, 'path'],
  ['more patience', { health: { kind: 'http', path: '/', status: 200, timeoutMs: 2000 } }, 'nothing'],
];

for (const [what, change, expected] of changes) {
  test(`${what} of what lives elsewhere replaces ${expected}`, () => {
    assert.equal(moved(at(), at(change)), expected);
    assert.equal(why(at(), at(change)).length === 0, expected === 'nothing');
  });
}

test('its way out is the proxy, so it is replaced with it', () => {
  const { changeless, ...rest } = at();
  assert.equal(moved(at(), { ...rest, changeless: { ...changeless, proxy: 'other' as ComponentKey } }), 'body');
});

test('an app that moves in gets another body, and plan says so', () => {
  const own = withApp({});
  assert.equal(moved(at(), own), 'body');
  assert.ok(why(at(), own).some((line) => line === 'catalog: elsewhere.host removed, was "a.example"'));
});

test('an environment may say another place', () => {
  const architecture = architectureOf({
    apps: { catalog: appOf({ services: {}, elsewhere: legacy }) },
    environments: { production: { apps: { catalog: { elsewhere: { ...legacy, host: 'b.example' } } } } },
  });
  assert.deepEqual(catalogIn(inputsOf(architecture), 'production'), catalogIn(at({ host: 'b.example' })));
});
