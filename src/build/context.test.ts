import assert from 'node:assert/strict';
import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { extract } from 'tar-stream';
import { createMemoryEngine } from '../engine/memory/create-memory-engine.ts';
import { git, makeBuildWorld, type BuildWorld, type Tree } from './build-fixture.ts';
import { packContext, submodulesOf } from './context.ts';

async function worldOf(t: TestContext, given: { tree?: Tree; clone?: string }): Promise<BuildWorld> {
  const world = await makeBuildWorld({ engine: createMemoryEngine(), ...given });
  t.after(world.close);
  return world;
}

async function bytesOf({ repository }: BuildWorld, folder: string): Promise<Buffer> {
  const head = await repository.resolve('HEAD');
  const tree = head.ok ? await repository.find(head.value.tree, folder) : undefined;
  assert.ok(tree);
  return await buffer(packContext({ repository, tree: tree.object, dockerfile: { path: 'Dockerfile', text: 'FROM pinned\n' } }));
}

/** Entries as `mode type path contents-or-target`. */
async function entriesIn(bytes: Buffer): Promise<string[]> {
  const entries: string[] = [];
  for await (const entry of Readable.from([bytes]).pipe(extract())) {
    const { mode, type, name, linkname } = entry.header;
    const contents = (await buffer(entry)).toString();
    entries.push(`${mode.toString(8)} ${type} ${name} ${linkname ?? contents}`.trim());
  }
  return entries;
}

const tree: Tree = {
  'api/Dockerfile': 'FROM debian\n',
  'api/b/run.sh': 'run:#!/bin/sh',
  'api/b/link': 'link:run.sh',
  'api/a.txt': 'a',
  'other/x': 'x',
};

test('a context holds its folder, sorted, with links, executables and the pinned Dockerfile', async (t) => {
  const entries = await entriesIn(await bytesOf(await worldOf(t, { tree }), 'api'));
  assert.deepEqual(entries, [
    '644 file Dockerfile FROM pinned',
    '644 file a.txt a',
    '755 directory b',
    '777 symlink b/link run.sh',
    '755 file b/run.sh #!/bin/sh',
  ]);
});

test('a context is the same bytes in another clone at another time', async (t) => {
  const first = await worldOf(t, { tree });
  const second = await worldOf(t, { clone: first.folder });
  assert.deepEqual(await bytesOf(first, 'api'), await bytesOf(second, 'api'));
});

test('what .dockerignore names stays out, the Dockerfile never', async (t) => {
  const world = await worldOf(t, { tree: { ...tree, 'api/.dockerignore': 'b\nDockerfile\n' } });
  const names = (await entriesIn(await bytesOf(world, 'api'))).map((entry) => entry.split(' ')[2]);
  assert.deepEqual(names, ['.dockerignore', 'Dockerfile', 'a.txt']);
});

test('a submodule is found', async (t) => {
  const world = await worldOf(t, { tree });
  git(world.folder, 'update-index', '--add', '--cacheinfo', `160000,${git(world.folder, 'rev-parse', 'HEAD')},api/module`);
  git(world.folder, 'commit', '--quiet', '--message', 'a submodule');
  assert.deepEqual(await submodulesOf({ repository: world.repository, tree: git(world.folder, 'rev-parse', 'HEAD:api') }), ['module']);
});
