import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { skip } from '../../src/datapath/haproxy-fixture.ts';
import type { PolicyInput } from '../../src/architecture/authoring.ts';
import { handling } from './handling-cases.ts';
import { Proxied, Services } from './proxied.ts';
import { refusing } from './refusing-cases.ts';
import { routing } from './routing-cases.ts';

/**
 * What a rule does: what is seen where it stands, and where it is taken out (or, with `base`, where only that is left). The two have to
 * differ, so the rule is what makes the difference.
 */
export type Case = {
  rule: string;
  policy: PolicyInput;
  base?: PolicyInput;
  see: (path: Proxied) => Promise<unknown>;
  with: unknown;
  without: unknown;
};

let services: Services;
before(async () => {
  services = await Services.start();
});
after(() => services.stop());

async function seenBehind(policy: PolicyInput | undefined, see: Case['see']): Promise<unknown> {
  const path = await Proxied.start(services, policy);
  try {
    return await see(path);
  } finally {
    await path.stop();
  }
}

test('every rule makes the difference', { skip, concurrency: 6 }, async (suite) => {
  const all = [...routing, ...refusing, ...handling].map(({ rule, policy, base, see, ...expected }) =>
    suite.test(rule, { timeout: 20_000 }, async () => {
      assert.notDeepEqual(expected.with, expected.without);
      const [ruled, bare] = await Promise.all([seenBehind(policy, see), seenBehind(base, see)]);
      assert.deepEqual(ruled, expected.with);
      assert.deepEqual(bare, expected.without);
    }),
  );
  await Promise.all(all);
});
