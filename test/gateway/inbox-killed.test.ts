import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { inboxFilesIn } from '../../src/gateway/inbox-files.ts';
import { inboxFolder, readAll } from './inbox-fixture.ts';

const program = fileURLToPath(new URL('append-until-killed.ts', import.meta.url));
const rounds = 12;

/** Ids acknowledged by a process that is killed once it has acknowledged `count`; it goes on appending until it is dead. */
async function killedAfter(count: number, folder: string, round: number): Promise<string[]> {
  const child = spawn(process.execPath, [program, folder, String(round)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const acknowledged: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged.push(line);
    if (acknowledged.length === count) child.kill('SIGKILL');
  }
  assert.deepEqual(await exited, [null, 'SIGKILL']);
  return acknowledged;
}

it(`has every acknowledged delivery exactly once and in order, through ${rounds} rounds of SIGKILL`, async (context) => {
  const folder = inboxFolder(context);
  const acknowledged: string[] = [];
  for (let round = 0; round < rounds; round += 1) acknowledged.push(...(await killedAfter(1 + 61 * round, folder, round)));
  const kept = (await readAll(inboxFilesIn(folder), { chunkBytes: 1_000_000 })).map(({ id }) => id);
  const isAcknowledged = new Set(acknowledged);
  assert.deepEqual(
    kept.filter((id) => isAcknowledged.has(id)),
    acknowledged,
  );
  assert.ok(acknowledged.length > 61 * rounds);
});
