import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ledgerFile, opened } from '../ledger/ledger-fixture.ts';
import { deliveryOf } from './inbox-fixture.ts';
import { tokenOf } from './taking-fixture.ts';

const program = fileURLToPath(new URL('read-taken.ts', import.meta.url));
const isRoot = process.getuid?.() === 0;

/** Root may write everywhere, unless it has not this one right. */
const withoutRights = isRoot ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search'] : [];

/** What somebody is told who may write nowhere near the file. */
function toldReader(file: string): unknown {
  const folder = path.dirname(file);
  for (const name of readdirSync(folder)) chmodSync(path.join(folder, name), 0o444);
  chmodSync(folder, 0o555);
  const [command, ...words] = [...withoutRights, process.execPath, program, file];
  const said = execFileSync(command, words, { encoding: 'utf8' });
  chmodSync(folder, 0o755);
  for (const name of readdirSync(folder)) chmodSync(path.join(folder, name), 0o644);
  return said === 'nothing' ? said : JSON.parse(said);
}

it('can be read by who may not write, while a controller writes, when none has it open, and again', async (context) => {
  const file = ledgerFile(context);
  assert.equal(toldReader(file), 'nothing');
  const writing = await opened(file);
  const token = await tokenOf(writing);
  const take = (from: number, to: number, id: string) =>
    writing.takeDeliveries(token, { file: 'a', from, to, deliveries: [deliveryOf(id)] });
  assert.ok(await take(8, 100, 'one'));
  assert.deepEqual(toldReader(file), [['a', 100]]);
  assert.ok(await take(100, 200, 'two'), 'the reader is in nobody’s way');
  assert.deepEqual(toldReader(file), [['a', 200]]);
  await writing.close();
  assert.deepEqual(readdirSync(path.dirname(file)).length, 1, 'nothing is left beside it');
  assert.deepEqual(toldReader(file), [['a', 200]]);
  const again = await opened(file);
  assert.ok(await again.takeDeliveries(token, { file: 'a', from: 200, to: 300, deliveries: [] }));
  assert.deepEqual(toldReader(file), [['a', 300]]);
  await again.close();
});
