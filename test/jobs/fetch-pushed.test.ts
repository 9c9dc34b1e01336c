import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { fetchPushed, takeOwn, type PushedRequest } from '../../src/architecture/fetch-pushed.ts';
import { openRepository } from '../../src/architecture/repository.ts';
import { credentialsFor } from '../../src/architecture/repository-credentials.ts';
import type { CommitId } from '../../src/digest.ts';
import { startGitForge, type GitForge } from '../git-forge.ts';

const token = 'x-access-token:a token';
const authorization = `Basic ${Buffer.from(token).toString('base64')}`;

type Ground = { root: string; clone: string; forge: GitForge; commit(message: string): CommitId };

async function makeGround(context: TestContext, options: { authorization?: string } = {}): Promise<Ground> {
  const root = mkdtempSync(path.join(tmpdir(), 'changeless-pushed-'));
  const clone = path.join(root, 'clone');
  mkdirSync(clone);
  const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
  const git = (...words: string[]): string =>
    execFileSync('git', ['-C', clone, '-c', 'user.name=T', '-c', 'user.email=t@localhost', ...words], { env, encoding: 'utf8' }).trim();
  git('init', '--quiet', '--initial-branch=main');
  const forge = await startGitForge(root, options);
  context.after(async () => {
    await forge.close();
    rmSync(root, { recursive: true, force: true });
  });
  return {
    root,
    clone,
    forge,
    commit(message) {
      writeFileSync(path.join(clone, 'file'), message);
      git('add', '--all');
      git('commit', '--quiet', '--message', message);
      return git('rev-parse', 'HEAD') as CommitId;
    },
  };
}

let count = 0;
const requestOf = ({ root, forge }: Ground, commit: CommitId, more: Partial<PushedRequest> = {}): PushedRequest => ({
  address: forge.address,
  branch: 'main',
  commit,
  reference: `fetched/${(count += 1)}`,
  cacheFolder: path.join(root, 'cache'),
  credentials: {},
  ...more,
});

void test('a pushed commit is fetched, with what came before it, several times at once and again', async (context) => {
  const ground = await makeGround(context);
  const first = ground.commit('first');
  const second = ground.commit('second');
  ground.forge.push(ground.clone);
  const fetched = await Promise.all([first, second, second].map((commit) => fetchPushed(requestOf(ground, commit))));
  for (const [index, result] of fetched.entries()) {
    assert.ok(result.ok, JSON.stringify(result));
    const repository = await openRepository(result.value);
    assert.ok(repository.ok);
    const resolved = await repository.value.resolve(index === 0 ? first : second);
    assert.equal(resolved.ok && resolved.value.subject, index === 0 ? 'first' : 'second');
    await repository.value.close();
  }
});

void test('a commit that is not on the branch, or not any more, is not taken', async (context) => {
  const ground = await makeGround(context);
  ground.commit('first');
  ground.forge.push(ground.clone);
  const elsewhere = ground.commit('elsewhere');
  ground.forge.push(ground.clone, 'feature');
  const other = await fetchPushed(requestOf(ground, elsewhere));
  assert.ok(!other.ok && other.problem.code === 'PUSH_NOT_TAKEN', JSON.stringify(other));
  // The objects are in the cache by then.
  assert.ok((await fetchPushed(requestOf(ground, elsewhere, { branch: 'feature' }))).ok);
  const again = await fetchPushed(requestOf(ground, elsewhere));
  assert.ok(!again.ok && again.problem.code === 'PUSH_NOT_TAKEN', JSON.stringify(again));
});

void test('a repository that answers nobody is given up', async (context) => {
  const ground = await makeGround(context);
  const commit = ground.commit('first');
  ground.forge.hang();
  const result = await fetchPushed(requestOf(ground, commit, { limitMs: 300 }));
  assert.ok(!result.ok && result.problem.code === 'REPOSITORY_UNAVAILABLE');
  assert.match(result.problem.why ?? '', /stopped \(SIGKILL\) after 0\.3 s/);
});

void test('a repository that is read with a secret is read with it, and the secret is in no problem', async (context) => {
  const ground = await makeGround(context, { authorization });
  const commit = ground.commit('first');
  ground.forge.push(ground.clone);
  const { address } = ground.forge;
  const credentials = credentialsFor(address, { secret: 'a token', keyFile: '', home: '' });
  assert.ok((await fetchPushed(requestOf(ground, commit, { credentials }))).ok);
  assert.deepEqual(credentialsFor(address, { secret: token, keyFile: '', home: '' }), credentials, 'with a user of its own');
  const wrong = credentialsFor(address, { secret: 'wrong-token', keyFile: '', home: '' });
  for (const each of [{}, wrong]) {
    const refused = await fetchPushed(requestOf(ground, commit, { credentials: each }));
    assert.ok(!refused.ok && refused.problem.code === 'REPOSITORY_UNAVAILABLE');
    assert.doesNotMatch(JSON.stringify(refused.problem), /wrong-token|Basic/);
  }
});

void test('what was pushed to the gateway itself is read where it lies', async (context) => {
  const ground = await makeGround(context);
  const commit = ground.commit('first');
  ground.forge.push(ground.clone);
  const repository = path.join(ground.root, 'forge/acme/shop.git');
  const taken = await takeOwn({ repository, commit, cacheFolder: ground.root });
  assert.ok(taken.ok, JSON.stringify(taken));
  const opened = await openRepository(taken.value);
  assert.ok(opened.ok);
  const resolved = await opened.value.resolve(commit);
  assert.equal(resolved.ok && resolved.value.subject, 'first');
  await opened.value.close();
  const missing = await takeOwn({ repository, commit: 'f'.repeat(40) as CommitId, cacheFolder: ground.root });
  assert.ok(!missing.ok && missing.problem.code === 'REPOSITORY_UNAVAILABLE');
});

void test('an address that git would run is not given to it', async (context) => {
  const ground = await makeGround(context);
  const commit = ground.commit('first');
  const result = await fetchPushed(requestOf(ground, commit, { address: `ext::sh -c touch% ${ground.root}/ran` }));
  assert.ok(!result.ok && result.problem.code === 'REPOSITORY_UNAVAILABLE');
});

void test('a key for ssh is used alone, and nobody is asked for anything', () => {
  const variables = credentialsFor('git@forge.example:acme/shop.git', {
    secret: 'key',
    keyFile: '/run/secrets/repository',
    home: '/cache',
  });
  assert.deepEqual(Object.keys(variables), ['GIT_SSH_COMMAND']);
  assert.match(variables['GIT_SSH_COMMAND'] ?? '', /-i \/run\/secrets\/repository -o IdentitiesOnly=yes -o BatchMode=yes/);
});
