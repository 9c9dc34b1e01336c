import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { saidUntilKilled } from '../said-until-killed.ts';
import { ledgerFile, opened } from './ledger-fixture.ts';

const program = fileURLToPath(new URL('append-until-killed.ts', import.meta.url));
const rounds = 8;

it(`keeps every acknowledged entry through ${rounds} rounds of SIGKILL, in an unbroken chain`, async (test) => {
  const file = ledgerFile(test);
  const acknowledged: string[] = [];
  for (let round = 0; round < rounds; round += 1)
    acknowledged.push(...(await saidUntilKilled(1 + 37 * round, [program, file, String(round)])));
  const ledger = await opened(file);
  const kept = new Set(
    (await ledger.events({ type: 'instance-lost', limit: 1_000_000 })).map((event) => event.type === 'instance-lost' && event.instance),
  );
  assert.deepEqual(
    acknowledged.filter((name) => !kept.has(name)),
    [],
  );
  assert.ok(acknowledged.length > 37 * rounds);
  assert.equal(await ledger.verifyChain(), undefined);
  await ledger.close();
});
