import assert from 'node:assert/strict';
import { chmod, chown, mkdir, readFile, symlink } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import type { CommitId } from '../digest.ts';
import { openRepository } from './repository.ts';
import { temporaryFolder, testRepository } from './test-repository.ts';

test('a folder outside any repository is refused, with what to do', async () => {
  await using place = await temporaryFolder();
  const opened = await openRepository(place.folder);
  assert(!opened.ok);
  assert.equal(opened.problem.code, 'NOT_A_REPOSITORY');
  assert.match(opened.problem.next ?? '', /git init/);
});

test('a folder that does not exist is refused by that name', async () => {
  await using place = await temporaryFolder();
  const opened = await openRepository(path.join(place.folder, 'gone'));
  assert(!opened.ok);
  assert.match(opened.problem.why ?? '', /no such folder/);
});

test('a bare repository is refused as such', async () => {
  await using world = await testRepository();
  await world.git('init', '--quiet', '--bare', 'bare.git');
  const opened = await openRepository(path.join(world.folder, 'bare.git'));
  assert(!opened.ok);
  assert.match(opened.problem.why ?? '', /bare/);
});

test('a folder below the top opens the repository it is in, whatever git the surroundings speak of', async () => {
  await using world = await testRepository();
  await world.commit({ 'a/b/c.txt': 'x' });
  process.env['GIT_DIR'] = '/nowhere';
  try {
    const opened = await openRepository(path.join(world.folder, 'a/b'));
    assert(opened.ok);
    assert.equal(opened.value.top, world.folder);
    assert((await opened.value.resolve('HEAD')).ok);
    await opened.value.close();
  } finally {
    delete process.env['GIT_DIR'];
  }
});

test('a repository without a commit says so', async () => {
  await using world = await testRepository();
  const resolved = await world.repository.resolve('HEAD');
  assert(!resolved.ok);
  assert.equal(resolved.problem.code, 'UNKNOWN_COMMIT');
  assert.match(resolved.problem.what, /has no commit yet/);
});

test('a commit is resolved by branch, tag, shortened id and expression', async () => {
  await using world = await testRepository();
  const first = await world.commit({ a: '1' }, 'first line\ngoes on\n\nbody');
  const second = await world.commit({ a: '2' }, 'second');
  await world.git('tag', '--annotate', 'v1', '--message', 'release', first);
  for (const [name, id] of [
    ['main', second],
    ['HEAD', second],
    ['v1', first],
    ['HEAD~1', first],
    [second.slice(0, 9), second],
  ] as const) {
    const resolved = await world.repository.resolve(name);
    assert(resolved.ok, name);
    assert.equal(resolved.value.id, id);
  }
  const resolved = await world.repository.resolve(first);
  assert(resolved.ok);
  const { tree, ...rest } = resolved.value;
  assert.match(tree, /^[0-9a-f]{40}$/);
  assert.deepEqual(rest, { id: first, subject: 'first line goes on', author: 'Ada', at: '2026-01-02T03:04:05.000Z' });
});

test('an unknown commit is refused with the name that was meant', async () => {
  await using world = await testRepository();
  await world.commit({ a: '1' });
  const resolved = await world.repository.resolve('mian');
  assert(!resolved.ok);
  assert.equal(resolved.problem.code, 'UNKNOWN_COMMIT');
  assert.match(resolved.problem.what, /did you mean main\?/);
});

test('what is no commit, or would be an option, is no commit', async () => {
  await using world = await testRepository();
  await world.commit({ a: '1' });
  for (const name of ['', '--all', '-h', 'HEAD:a', 'HEAD\nmain', 'main:', '0'.repeat(40), '..', 'HEAD^{tree}']) {
    const resolved = await world.repository.resolve(name);
    assert(!resolved.ok, JSON.stringify(name));
  }
  assert((await world.repository.resolve('HEAD')).ok, 'the reader still answers in step');
});

test('entries are listed below a folder, with paths relative to it', async () => {
  await using world = await testRepository();
  await world.commit({ 'top.txt': 't', 'a/x y.txt': '1', 'a/b/ü.txt': '2' });
  const head = await world.repository.resolve('HEAD');
  assert(head.ok);
  const paths = async (options: Parameters<typeof world.repository.list>[1]): Promise<string[]> =>
    (await world.repository.list(head.value.tree, options)).map((entry) => entry.path);
  assert.deepEqual(await paths({ recursive: true }), ['a/b/ü.txt', 'a/x y.txt', 'top.txt']);
  assert.deepEqual(await paths({ recursive: false }), ['a', 'top.txt']);
  assert.deepEqual(await paths({ folder: 'a', recursive: true }), ['b/ü.txt', 'x y.txt']);
  assert.deepEqual(await paths({ folder: 'a', recursive: true, folders: true }), ['b', 'b/ü.txt', 'x y.txt']);
  assert.deepEqual(await paths({ recursive: true, foldersOnly: true }), ['a', 'a/b']);
  assert.deepEqual(await paths({ folder: 'gone', recursive: true }), []);
});

test('a path is found in a tree without leaving it', async () => {
  await using world = await testRepository();
  await world.commit({ 'a/b.txt': 'contents' });
  const head = await world.repository.resolve('HEAD');
  assert(head.ok);
  const { tree } = head.value;
  const find = (where: string) => world.repository.find(tree, where);
  assert.equal((await find('a'))?.kind, 'tree');
  assert.deepEqual(await find('a/'), await find('./a'));
  assert.equal((await find(''))?.object, tree);
  assert.equal((await find('.'))?.object, tree);
  const blob = await find('a/b.txt');
  assert(blob);
  assert.equal(Buffer.from(await world.repository.read(blob.object)).toString(), 'contents');
  for (const gone of ['b', 'a/c', '../a', '/a', 'a\nb']) assert.equal(await find(gone), undefined, gone);
});

test('many questions at once are answered each by its own object', async () => {
  await using world = await testRepository();
  const files = Array.from({ length: 300 }, (_, index) => [`f${index}`, `${index}`.repeat(index * 40)] as const);
  await world.commit(Object.fromEntries(files));
  const head = await world.repository.resolve('HEAD');
  assert(head.ok);
  const read = await Promise.all(
    files.map(async ([name]) =>
      Buffer.from(await world.repository.read((await world.repository.find(head.value.tree, name))?.object ?? '')).toString(),
    ),
  );
  assert.deepEqual(
    read,
    files.map(([, contents]) => contents),
  );
});

test('changes name what differs from HEAD, untracked files included and ignored ones not', async () => {
  await using world = await testRepository();
  await world.commit({ '.gitignore': 'dist\n', kept: '1', changed: '1', 'old name': '1', gone: '1' });
  assert.deepEqual(await world.repository.changes(), []);
  await world.write({ changed: '2', 'new/ü file': '1', 'dist/x': '1' });
  await world.git('rm', '--quiet', 'gone');
  await world.git('mv', 'old name', 'other name');
  assert.deepEqual((await world.repository.changes()).toSorted(), ['changed', 'gone', 'new/ü file', 'old name', 'other name']);
});

test('a snapshot is the working folder as a tree, and leaves index and HEAD alone', async () => {
  await using world = await testRepository();
  await world.commit({ a: '1', b: '1' });
  await world.write({ a: '2', c: 'new' });
  // This first status itself refreshes the index.
  const status = await world.git('status', '--porcelain');
  const index = await readFile(path.join(world.folder, '.git/index'));
  const snapshot = await world.repository.snapshot();
  assert(snapshot.ok);
  assert.equal(snapshot.value.id, 'uncommitted');
  const paths = await world.repository.list(snapshot.value.tree, { recursive: true });
  assert.deepEqual(
    paths.map((entry) => entry.path),
    ['a', 'b', 'c'],
  );
  const changed = await world.repository.find(snapshot.value.tree, 'a');
  assert.equal(Buffer.from(await world.repository.read(changed?.object ?? '')).toString(), '2');
  assert.deepEqual(await readFile(path.join(world.folder, '.git/index')), index);
  assert.equal(await world.git('status', '--porcelain'), status);
});

test('commits between two are newest first, and none when one is unknown', async () => {
  await using world = await testRepository();
  const first = await world.commit({ a: '1' }, 'one');
  await world.commit({ a: '2' }, 'two');
  await world.commit({ a: '3' }, 'three');
  assert.deepEqual(
    (await world.repository.between(first, 'HEAD')).map(({ subject }) => subject),
    ['three', 'two'],
  );
  assert.deepEqual(await world.repository.between('HEAD', first), []);
  assert.deepEqual(await world.repository.between('f'.repeat(40), 'HEAD'), []);
});

test('the live commit is written back as a ref', async () => {
  await using world = await testRepository();
  const id = (await world.commit({ a: '1' })) as CommitId;
  await world.repository.writeLive('local', id);
  assert.equal((await world.git('rev-parse', 'refs/changeless/local/live')).trim(), id);
});

test('nothing that the repository configures is run', async () => {
  await using world = await testRepository();
  await world.commit({ '.gitattributes': '* filter=evil\n', a: '1' });
  const witness = path.join(world.folder, '..', `${path.basename(world.folder)}-ran`);
  await world.write({ 'evil.sh': `#!/bin/sh\ntouch ${witness}\ncat\n`, 'hooks/post-index-change': `#!/bin/sh\ntouch ${witness}\n` });
  await chmod(path.join(world.folder, 'evil.sh'), 0o755);
  await chmod(path.join(world.folder, 'hooks/post-index-change'), 0o755);
  await world.git('config', 'core.fsmonitor', path.join(world.folder, 'evil.sh'));
  await world.git('config', 'core.hooksPath', path.join(world.folder, 'hooks'));
  await world.write({ a: '2' });
  assert((await world.repository.changes()).includes('a'));
  assert((await world.repository.snapshot()).ok);
  await assert.rejects(readFile(witness));
});

test('a clone that belongs to another user can be read, and its filters do not run', { skip: process.getuid?.() !== 0 }, async () => {
  await using world = await testRepository();
  await world.commit({ '.gitattributes': '* filter=evil\n', a: '1' });
  const witness = path.join(world.folder, 'ran');
  await world.git('config', 'filter.evil.clean', `touch ${witness}; cat`);
  await world.write({ a: '22' });
  for (const part of ['.', '.git']) await chown(path.join(world.folder, part), 65534, 65534);
  const opened = await openRepository(world.folder);
  assert(opened.ok);
  assert((await opened.value.resolve('HEAD')).ok);
  assert.deepEqual(await opened.value.changes(), ['a']);
  assert((await opened.value.snapshot()).ok);
  await opened.value.close();
  await assert.rejects(readFile(witness));
});

test('a linked worktree and a symbolic link to the folder open like the folder itself', async () => {
  await using world = await testRepository();
  await world.commit({ a: '1' });
  await world.git('worktree', 'add', '--quiet', 'other', '-b', 'side');
  await mkdir(path.join(world.folder, 'links'));
  await symlink(world.folder, path.join(world.folder, 'links/top'));
  for (const [where, top] of [
    ['other', path.join(world.folder, 'other')],
    ['links/top', world.folder],
  ] as const) {
    const opened = await openRepository(path.join(world.folder, where));
    assert(opened.ok, where);
    assert.equal(opened.value.top, top);
    assert((await opened.value.snapshot()).ok);
    await opened.value.close();
  }
});
