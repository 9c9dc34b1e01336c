import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { type CliWorld, makeCliWorld } from './cli-world.ts';

let world: CliWorld;
beforeEach(async () => {
  world = await makeCliWorld();
  for (const tag of ['debian:bookworm-slim', 'node:24-bookworm-slim']) world.engine.world.addImage({ tag });
});
afterEach(() => world.dispose());

const read = (file: string): string => readFileSync(path.join(world.folder, file), 'utf8');

for (const template of ['hello', 'pipeline', 'streaming']) {
  test(`init makes example ${template} a repository that up can run`, async () => {
    const { code, stdout, stderr } = await world.changeless('init', 'demo', '--template', template);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^made {2}demo from example/);
    assert.match(stdout, /changeless up -C demo/);
    for (const file of ['.gitignore', 'README.md', 'architecture.lock', 'architecture.ts', 'package.json', 'tsconfig.json'])
      assert.ok(existsSync(path.join(world.folder, 'demo', file)), file);
    assert.match(read('demo/package.json'), /"changeless": "\^/);
    assert.match(read('demo/architecture.lock'), /"node:24-bookworm-slim": "sha256:/);
    assert.equal(world.git('-C', 'demo', 'status', '--porcelain'), '');
    assert.equal(world.git('-C', 'demo', 'rev-list', '--count', 'HEAD'), '1');
    const up = await world.changeless('up', '-C', 'demo');
    assert.equal(up.code, 0, up.stderr);
    assert.match(up.stdout, /http:\/\/\w+\.localhost:8080/);
  });
}

test('init refuses a folder that holds something, and an example that does not exist', async () => {
  world.write('notes.txt', 'mine');
  const full = await world.changeless('init');
  assert.equal(full.code, 2);
  assert.match(full.stderr, /FOLDER_NOT_EMPTY .*\n {2}why {3}it holds notes\.txt/);
  const unknown = await world.changeless('init', 'demo', '--template', 'nothing');
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /UNKNOWN_TEMPLATE .*\n {2}why {3}there are guestbook, hello, pipeline, streaming/);
  assert.equal(existsSync(path.join(world.folder, 'demo')), false);
});

test('inside a repository init commits the new folder there, and nothing else', async () => {
  world.git('init', '--quiet', '--initial-branch=main');
  world.write('mine.txt', 'mine');
  const { code, stderr } = await world.changeless('init', 'demo');
  assert.equal(code, 0, stderr);
  assert.equal(existsSync(path.join(world.folder, 'demo/.git')), false);
  assert.equal(world.git('status', '--porcelain'), '?? mine.txt');
});

test('a folder that the repository around it ignores gets a repository of its own', async () => {
  world.git('init', '--quiet', '--initial-branch=main');
  world.write('.gitignore', '/demo/\n');
  assert.equal((await world.changeless('init', 'demo')).code, 0);
  assert.equal(existsSync(path.join(world.folder, 'demo/.git')), true);
});

test('every command has help with an example, and the version is told', async () => {
  for (const command of [
    'init',
    'lock',
    'plan',
    'build',
    'up',
    'status',
    'log',
    'show',
    'diff',
    'rollback',
    'verify',
    'explain',
    'logs',
    'down',
    'gc',
  ]) {
    const { code, stdout } = await world.changeless(command, '--help');
    assert.equal(code, 0, command);
    assert.match(stdout, new RegExp(`Example:\\n {2}changeless ${command}`), command);
  }
  assert.equal(
    (await world.changeless('--version')).stdout,
    `${(JSON.parse(readFileSync(path.resolve(import.meta.dirname, '../../package.json'), 'utf8')) as { version: string }).version}\n`,
  );
});
