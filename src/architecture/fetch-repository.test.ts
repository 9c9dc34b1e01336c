import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import type { CommitId } from '../digest.ts';
import { fetchRepository } from './fetch-repository.ts';
import { isRepositoryAddress } from './repository-address.ts';
import { temporaryFolder, testRepository } from './test-repository.ts';

test('another repository is mirrored: its HEAD, branches and files can be read', async () => {
  await using other = await testRepository();
  await using cache = await temporaryFolder();
  const id = await other.commit({ 'lib/Dockerfile': 'FROM scratch\n' });
  for (const address of [other.folder, `file://${other.folder}`]) {
    const fetched = await fetchRepository(address, { cacheFolder: cache.folder });
    assert(fetched.ok, address);
    const [head, main] = await Promise.all([fetched.value.resolve('HEAD'), fetched.value.resolve('main')]);
    assert(head.ok && main.ok);
    assert.deepEqual([head.value.id, main.value.id], [id, id]);
    assert.equal((await fetched.value.find(head.value.tree, 'lib/Dockerfile'))?.kind, 'blob');
    await fetched.value.close();
  }
});

test('a pinned commit is built without the network, also when its branch has moved on', async () => {
  await using other = await testRepository();
  await using cache = await temporaryFolder();
  const pinned = (await other.commit({ a: '1' })) as CommitId;
  const first = await fetchRepository(other.folder, { cacheFolder: cache.folder });
  assert(first.ok);
  await first.value.close();
  await other.git('commit', '--quiet', '--amend', '--message', 'rewritten');
  const updated = await fetchRepository(other.folder, { cacheFolder: cache.folder });
  assert(updated.ok);
  const head = await updated.value.resolve('HEAD');
  assert(head.ok && head.value.id !== pinned);
  await updated.value.close();
  await rm(path.join(other.folder, '.git'), { recursive: true });
  const again = await fetchRepository(other.folder, { cacheFolder: cache.folder, commit: pinned });
  assert(again.ok && (await again.value.resolve(pinned)).ok);
  await again.value.close();
});

test('a repository that does not answer is a problem, without its password', async () => {
  await using cache = await temporaryFolder();
  const fetched = await fetchRepository('https://me:secret@127.0.0.1:1/x.git', { cacheFolder: cache.folder });
  assert(!fetched.ok);
  assert.equal(fetched.problem.code, 'REPOSITORY_UNAVAILABLE');
  assert.doesNotMatch(JSON.stringify(fetched.problem), /secret/);
});

test('an address that would run a program, be an option or mean another place elsewhere is refused', async () => {
  const refused = [
    'ext::sh -c touch% /tmp/x',
    '--upload-pack=touch',
    '-x',
    '',
    '../other',
    'other',
    'fd::7',
    'https://-x',
    'git@-host:x',
    'a::b',
    '/a\nb',
  ];
  for (const address of refused) assert(!isRepositoryAddress(address), address);
  const accepted = ['https://example.com/a.git', 'ssh://git@example.com:22/a', 'git@example.com:a/b.git', 'file:///srv/a', '/srv/a'];
  for (const address of accepted) assert(isRepositoryAddress(address), address);
  await using cache = await temporaryFolder();
  const fetched = await fetchRepository('ext::sh -c true', { cacheFolder: cache.folder });
  assert(!fetched.ok);
  assert.equal(fetched.problem.code, 'REPOSITORY_UNAVAILABLE');
});
