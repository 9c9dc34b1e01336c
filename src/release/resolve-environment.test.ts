import assert from 'node:assert/strict';
import { test } from 'node:test';
import { environmentsOf, resolveEnvironment } from './resolve-environment.ts';
import { appOf, architectureOf, serviceOf } from './release-fixture.ts';

const limits = { memoryBytes: 5, processes: 5 };
const architecture = architectureOf({
  environments: {
    production: {
      core: { publish: [{ address: '0.0.0.0', port: 443 }] },
      apps: { catalog: { hosts: ['catalog.example.com'], services: { api: { replicas: 9, settings: { EXTRA: '1' }, limits } } } },
      stores: { sessions: { settings: { A: 'b' }, limits } },
    },
  },
});

test('every architecture has local, declared or not', () => {
  assert.deepEqual(environmentsOf(architectureOf()), ['local']);
  assert.deepEqual(environmentsOf(architecture), ['local', 'production']);
});

test('an environment replaces lists and limits whole, and settings one by one', () => {
  const resolved = resolveEnvironment(architecture, 'production');
  assert.ok(resolved.ok);
  const { environments: _, ...rest } = architecture;
  assert.deepEqual(resolved.value, {
    ...rest,
    core: { publish: [{ address: '0.0.0.0', port: 443 }] },
    apps: {
      ...rest.apps,
      catalog: appOf({
        hosts: ['catalog.example.com'],
        services: { api: serviceOf({ replicas: 9, settings: { LOG: 'info', EXTRA: '1' }, limits }) },
      }),
    },
    stores: { sessions: { ...rest.stores['sessions'], settings: { A: 'b' }, limits } },
  });
});

test('local without changes is the architecture without environments', () => {
  const resolved = resolveEnvironment(architecture, 'local');
  assert.ok(resolved.ok);
  const { environments: _, ...rest } = architecture;
  assert.deepEqual(resolved.value, rest);
});

for (const name of ['staging', '__proto__', 'toString']) {
  test(`${name} is no environment`, () => {
    const resolved = resolveEnvironment(architecture, name);
    assert.equal(!resolved.ok && resolved.problem.code, 'UNKNOWN_ENVIRONMENT');
  });
}
