import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { run } from './running.ts';
import { environmentIn, freePort, newName, ownPlace, packageFolder, worldAt, type World } from './world.ts';

const root = mkdtempSync(path.join(tmpdir(), 'changeless-packed-'));
const elsewhere = path.join(root, 'elsewhere');
let shop: World;
after(() => shop?.dispose());

/** Runs a program to its good end, as a user who has nothing of this repository; what it printed. */
async function shell(cwd: string, program: string, ...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await run({ program, words, cwd, env: environmentIn(root) });
  assert.equal(code, 0, `${program} ${words.join(' ')}: ${stderr}${stdout}`);
  return stdout;
}

test('the package, installed into an empty folder elsewhere, starts an architecture and makes it live', async () => {
  shop = worldAt({ root, folder: path.join(elsewhere, 'shop'), architecture: newName(), port: await freePort() });
  const tarballs = path.join(root, 'tarballs');
  for (const folder of [tarballs, elsewhere]) mkdirSync(folder);
  await shell(packageFolder, 'npm', 'pack', '--pack-destination', tarballs);
  const [tarball] = readdirSync(tarballs);
  assert.ok(tarball);
  await shell(elsewhere, 'npm', 'install', '--no-audit', '--no-fund', path.join(tarballs, tarball));
  assert.match(await shell(elsewhere, 'npx', 'changeless', 'init', 'shop'), /^made {2}shop from example hello/);
  await shop.commit('A name and a port of its own', ...ownPlace('hello', shop.architecture, shop.port));
  assert.match(await shell(elsewhere, 'npx', 'changeless', 'up', '-C', 'shop'), /^live {2}release/);
  const { greeting, app, instance } = await shop.ask('hello.localhost');
  assert.deepEqual([greeting, app, instance], ['Hello, world', 'hello', 'web-1']);
  assert.match(await shell(elsewhere, 'npx', 'changeless', 'up', '-C', 'shop'), /nothing was changed/);
});
