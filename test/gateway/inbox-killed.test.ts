import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { saidUntilKilled } from '../said-until-killed.ts';
import { inboxFilesIn } from '../../src/gateway/inbox-files.ts';
import { inboxFolder, readAll } from './inbox-fixture.ts';

const program = fileURLToPath(new URL('append-until-killed.ts', import.meta.url));
const rounds = 12;

it(`has every acknowledged delivery exactly once and in order, through ${rounds} rounds of SIGKILL`, async (context) => {
  const folder = inboxFolder(context);
  const acknowledged: string[] = [];
  for (let round = 0; round < rounds; round += 1)
    acknowledged.push(...(await saidUntilKilled(1 + 61 * round, [program, folder, String(round)])));
  const kept = (await readAll(inboxFilesIn(folder), { chunkBytes: 1_000_000 })).map(({ id }) => id);
  const isAcknowledged = new Set(acknowledged);
  assert.deepEqual(
    kept.filter((id) => isAcknowledged.has(id)),
    acknowledged,
  );
  assert.ok(acknowledged.length > 61 * rounds);
});
