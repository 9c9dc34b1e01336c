import assert from 'node:assert/strict';
import { it } from 'node:test';
import { readAll } from './inbox-fixture.ts';
import { Clone, pushesIn, remote, urlOf } from './git-fixture.ts';

it('takes a push: its commit is there whole, and a delivery in the inbox, with branch, commits and author', async (context) => {
  const { url, files, repository } = await remote(context);
  const clone = await Clone.make(context);
  const first = await clone.commit('one');
  const said = await clone.push(url, 'main');
  assert.equal(said.code, 0, said.stderr);
  const second = await clone.commit('two');
  assert.equal((await clone.push(url, 'main')).code, 0);
  assert.equal((await clone.push(url, 'main:feature/x')).code, 0);
  const deliveries = await readAll(files);
  assert.deepEqual(
    deliveries.map(({ source, kind, branch, before, after }) => ({ source, kind, branch, before, after })),
    [
      { source: 'git', kind: 'push', branch: 'main', before: undefined, after: first },
      { source: 'git', kind: 'push', branch: 'main', before: first, after: second },
      { source: 'git', kind: 'push', branch: 'feature/x', before: undefined, after: second },
    ],
  );
  assert.deepEqual(JSON.parse(Buffer.from(deliveries[0]?.body ?? '').toString()), {
    ref: 'refs/heads/main',
    before: null,
    after: first,
    author: { name: 'Ada Lovelace' },
  });
  const whole = await repository.run(['rev-list', '--objects', second]);
  assert.equal(whole.stdout.trim().split('\n').length, 6);
  assert.equal((await repository.run(['fsck', '--strict'])).code, 0);
});

it('knows what was pushed: the same again is up to date, and a commit that went away and comes back is another delivery', async (context) => {
  const { url, files } = await remote(context);
  const clone = await Clone.make(context);
  const first = await clone.commit('one');
  const second = await clone.commit('two');
  for (const what of [first, second, first, second]) assert.equal((await clone.push(url, `+${what}:refs/heads/main`)).code, 0);
  const again = await clone.push(url, 'main');
  assert.match(again.stderr, /Everything up-to-date/);
  const pushes = await pushesIn(files);
  assert.deepEqual(
    pushes.map(({ after }) => after),
    [first, second, first, second],
  );
  assert.equal(new Set(pushes.map(({ id }) => id)).size, 4);
});

it('refuses a wrong password, and says nothing of what is there', async (context) => {
  const { port, files, events } = await remote(context);
  const clone = await Clone.make(context);
  await clone.commit('one');
  for (const word of ['wrong', '', 'it is', 'older ']) {
    const said = await clone.push(urlOf(port, word), 'main');
    assert.match(said.stderr, /Authentication failed|could not read/, word);
  }
  assert.equal((await clone.push(urlOf(port, 'older'), 'main')).code, 0, 'any line of the secret is a password');
  assert.equal((await fetch(`http://127.0.0.1:${port}/git/shop.git/info/refs?service=git-receive-pack`)).status, 401);
  assert.equal((await fetch(`http://127.0.0.1:${port}/git/other.git/info/refs?service=git-receive-pack`)).status, 404);
  assert.equal((await pushesIn(files)).length, 1);
  assert.ok(events.some(({ type }) => type === 'push-refused'));
});
