import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ledgerFile, opened } from '../ledger/ledger-fixture.ts';
import { deliveryOf } from './inbox-fixture.ts';
import { tokenOf } from './taking-fixture.ts';

const program = fileURLToPath(new URL('read-taken.ts', import.meta.url));
const isRoot = process.getuid?.() === 0;

/** Root may write everywhere, unless it has not this one right. */
const withoutRights = isRoot ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search'] : [];

/** What somebody is told, again and again, who may write nowhere near the file. */
function readerOf(context: TestContext, file: string): () => Promise<unknown> {
  const [command, ...words] = [...withoutRights, process.execPath, program, file];
  const child = spawn(command, words, { stdio: ['pipe', 'pipe', 'inherit'] });
  context.after(() => child.kill());
  const lines = createInterface({ input: child.stdout });
  const folder = path.dirname(file);
  return async () => {
    for (const name of readdirSync(folder)) chmodSync(path.join(folder, name), 0o444);
    chmodSync(folder, 0o555);
    child.stdin.write('again\n');
    const [said] = (await once(lines, 'line')) as [string];
    chmodSync(folder, 0o755);
    for (const name of readdirSync(folder)) chmodSync(path.join(folder, name), 0o644);
    return said === 'nothing' ? said : JSON.parse(said);
  };
}

it('can be read by who may not write, while a controller writes, when none has it open, and again', async (context) => {
  const file = ledgerFile(context);
  const [reader, early] = [readerOf(context, file), readerOf(context, file)];
  assert.equal(await early(), 'nothing');
  const writing = await opened(file);
  const token = await tokenOf(writing);
  const take = (from: number, to: number, id: string) =>
    writing.takeDeliveries(token, { file: 'a', from, to, deliveries: [deliveryOf(id)] });
  assert.ok(await take(8, 100, 'one'));
  assert.deepEqual(await early(), [['a', 100]]);
  assert.ok(await take(100, 200, 'two'), 'the reader is in nobody’s way');
  assert.deepEqual(await early(), [['a', 200]]);
  await writing.close();
  assert.deepEqual([await early(), await reader()], [[['a', 200]], [['a', 200]]]);
  const again = await opened(file);
  assert.ok(await again.takeDeliveries(token, { file: 'a', from: 200, to: 300, deliveries: [] }));
  assert.deepEqual([await early(), await reader()], [[['a', 300]], [['a', 300]]]);
  await again.close();
});

it('is read anew when another file has taken its place', async (context) => {
  const file = ledgerFile(context);
  const reader = readerOf(context, file);
  const first = await opened(file);
  await first.takeDeliveries(await tokenOf(first), { file: 'a', from: 8, to: 100, deliveries: [] });
  assert.deepEqual(await reader(), [['a', 100]]);
  await first.close();
  const folder = path.dirname(file);
  for (const name of readdirSync(folder)) renameSync(path.join(folder, name), path.join(folder, name.replace('ledger.', 'moved.')));
  const next = await opened(file);
  await next.takeDeliveries(await tokenOf(next), { file: 'b', from: 8, to: 50, deliveries: [] });
  assert.deepEqual(await reader(), [['b', 50]]);
  await next.close();
});
