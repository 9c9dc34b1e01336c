import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ledgerFile, opened } from './ledger-fixture.ts';

const program = fileURLToPath(new URL('append-until-killed.ts', import.meta.url));
const rounds = 8;

/** Names acknowledged by a process that is killed once it has acknowledged `count`; it goes on appending until it is dead. */
async function killedAfter(count: number, file: string, round: number): Promise<string[]> {
  const child = spawn(process.execPath, [program, file, String(round)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const acknowledged: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged.push(line);
    if (acknowledged.length === count) child.kill('SIGKILL');
  }
  assert.deepEqual(await exited, [null, 'SIGKILL']);
  return acknowledged;
}

it(`keeps every acknowledged entry through ${rounds} rounds of SIGKILL, in an unbroken chain`, async (test) => {
  const file = ledgerFile(test);
  const acknowledged: string[] = [];
  for (let round = 0; round < rounds; round += 1) acknowledged.push(...(await killedAfter(1 + 37 * round, file, round)));
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
