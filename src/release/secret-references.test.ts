import assert from 'node:assert/strict';
import { test } from 'node:test';
import { architectureOf, jobOf, serviceOf, appOf } from './release-fixture.ts';
import { usedVersions } from './secret-references.ts';

test('what jobs alone get is used, in the version of each environment, and what nobody gets is not', () => {
  const architecture = architectureOf({
    apps: { catalog: appOf({ services: { api: serviceOf({ secrets: { password: 'password' } }) } }) },
    jobs: { test: jobOf({}, { secrets: { token: 'npm-token' } }) },
    secrets: { password: { version: 1 }, token: { version: 2 }, unused: { version: 3 } },
    environments: { production: { secrets: { token: { version: 4 } } } },
  });
  assert.deepEqual(usedVersions(architecture), [
    { secret: 'password', version: 1, environment: 'local' },
    { secret: 'token', version: 2, environment: 'local' },
    { secret: 'password', version: 1, environment: 'production' },
    { secret: 'token', version: 4, environment: 'production' },
  ]);
});

test('what channels and the forge are asked with is used, where they are', () => {
  const forge = { kind: 'github', repository: 'shop/web', token: 'forge-token', api: 'https://api.github.com' } as const;
  const architecture = architectureOf({
    channels: { ops: { webhook: { secret: 'slack' }, secret: 'key' } },
    secrets: { slack: { version: 1 }, key: { version: 2 }, 'forge-token': { version: 3 } },
    environments: { production: { forge } },
  });
  assert.deepEqual(
    usedVersions(architecture).map(({ secret, environment }) => `${environment} ${secret}`),
    ['local key', 'local slack', 'production forge-token', 'production key', 'production slack'],
  );
});
