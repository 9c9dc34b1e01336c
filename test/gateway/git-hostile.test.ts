import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Problem } from '../../src/problem.ts';
import { done, failed } from '../../src/result.ts';
import { Clone, ownFolder, pushesIn, remote } from './git-fixture.ts';
import { bodyOf, deltaBomb, halfPush, none, packOf, rawPush, type Command } from './raw-push.ts';

async function pushed(context: Parameters<typeof remote>[0], options: Parameters<typeof remote>[1] = {}) {
  const at = await remote(context, options);
  const clone = await Clone.make(context);
  const commit = await clone.commit('one');
  return { ...at, clone, commit, pack: packOf(clone, commit) };
}

it('takes a branch’s name for data, whatever a shell would take it for', async (context) => {
  const { url, clone, files } = await pushed(context);
  const name = 'a;touch${IFS}x&&\'"`id`|$(id)>y#é';
  const said = await clone.push(url, `main:refs/heads/${name}`);
  assert.equal(said.code, 0, said.stderr);
  assert.deepEqual(
    (await pushesIn(files)).map(({ branch }) => branch),
    [name],
  );
});

it('takes branches alone, by names that are some, and deletes none', async (context) => {
  const { url, port, clone, commit, pack, files, repository } = await pushed(context);
  const refs = ['refs/heads/../../HEAD', 'refs/heads/-x', 'refs/heads/a\nb', 'refs/heads/', 'refs/heads/a.lock', 'refs/heads/a..b', 'HEAD'];
  const others = [
    'refs/tags/v1',
    'refs/changeless/deliveries/main',
    'refs/changeless/received/1',
    'refs/notes/x',
    '../../x',
    'refs/heads/@{1}',
  ];
  for (const ref of [...refs, ...others]) {
    const { status, report } = await rawPush(port, bodyOf([[none, commit, ref]], pack));
    assert.ok(status === 400 || report[1]?.startsWith('ng '), `${ref}: ${status} ${report.join()}`);
  }
  await clone.git('tag', 'v1');
  assert.match((await clone.push(url, 'v1')).stderr, /\[remote rejected\] v1 -> v1 \(only branches are taken/);
  assert.deepEqual([await pushesIn(files), await repository.heads()], [[], []]);
  assert.equal((await clone.push(url, 'main', 'v1')).code, 1);
  assert.match((await clone.push(url, ':main')).stderr, /remote rejected\] main \(branches are not deleted here/);
  const { report } = await rawPush(port, bodyOf([[commit, none, 'refs/heads/main']]));
  assert.deepEqual(report, ['unpack ok', 'ng refs/heads/main branches are not deleted here']);
  assert.deepEqual(
    (await repository.heads()).map(({ branch, commit: at }) => [branch, at]),
    [['main', commit]],
  );
});

it('moves a branch only from where its pusher saw it, and to a commit', async (context) => {
  const { port, clone, commit, pack } = await pushed(context);
  const second = await clone.commit('two');
  const tree = await clone.id('HEAD^{tree}');
  const tell = async (command: Command): Promise<string | undefined> =>
    (await rawPush(port, bodyOf([command], packOf(clone, second)))).report[1];
  assert.equal(await tell([commit, second, 'refs/heads/main']), 'ng refs/heads/main the branch is not there any more');
  assert.equal((await rawPush(port, bodyOf([[none, commit, 'refs/heads/main']], pack))).report[1], 'ok refs/heads/main');
  assert.equal(await tell([none, second, 'refs/heads/main']), `ng refs/heads/main the branch is at ${commit.slice(0, 8)} now; fetch first`);
  assert.equal(await tell([none, tree, 'refs/heads/tree']), 'ng refs/heads/tree this is no commit');
  assert.match((await tell([none, second, 'refs/heads/main/below'])) ?? '', /^ng refs\/heads\/main\/below the branch cannot be written/);
  assert.equal(await tell([none, 'e'.repeat(40), 'refs/heads/absent']), 'ng refs/heads/absent missing necessary objects');
  assert.equal(await tell([commit, second, 'refs/heads/main']), 'ok refs/heads/main');
});

it('refuses a pack that is longer than its limit, and one that would need more memory, and goes on', async (context) => {
  const { url, port, clone, commit, files, volume } = await pushed(context, {
    limits: { packBytes: 300_000, memoryBytes: 48 * 1024 * 1024 },
  });
  await clone.commit(randomBytes(1_000_000));
  const long = await clone.push(url, 'main:long');
  assert.match(long.stderr, /remote: .*maximum allowed size[\s\S]*\[remote rejected\]/);
  await clone.commit(Buffer.alloc(100 * 1024 * 1024), 'zeros');
  await clone.git('rm', '--quiet', 'file');
  const tree = (await clone.git('write-tree')).stdout.trim();
  const zeros = (await clone.git('commit-tree', tree, '-m', 'zeros')).stdout.trim();
  const large = await clone.push(url, `${zeros}:refs/heads/large`);
  assert.equal(large.code, 0, `100 MB of zeros are read in pieces: ${large.stderr}`);
  const bomb = await rawPush(port, bodyOf([[none, commit, 'refs/heads/bomb']], deltaBomb(1500)));
  assert.match(bomb.report[0] ?? '', /^unpack (?!ok)/);
  assert.match(bomb.shown, /memory/i);
  assert.equal((await clone.push(url, `${commit}:refs/heads/main`)).code, 0);
  assert.deepEqual(
    (await pushesIn(files)).map(({ branch }) => branch),
    ['large', 'main'],
  );
  const left = readdirSync(path.join(volume, 'repository.git/objects')).filter((name) => name.startsWith('tmp_'));
  assert.deepEqual(left, [], 'nothing of what was refused is left');
});

it('understands zipped bodies and the empty push git asks with first, and refuses what is none', async (context) => {
  const { port, commit, pack } = await pushed(context);
  const body = bodyOf([[none, commit, 'refs/heads/main']], pack);
  assert.equal((await rawPush(port, Buffer.from('0000'))).status, 200);
  for (const wrong of ['', '0003', 'zzzz', '0008abcd0000', 'ffff'])
    assert.ok([200, 400].includes((await rawPush(port, Buffer.from(wrong))).status), wrong);
  assert.equal((await rawPush(port, body, { 'content-encoding': 'gzip' })).status, 400);
  const zipped = gzipSync(body);
  assert.deepEqual((await rawPush(port, zipped, { 'content-encoding': 'gzip' })).report, ['unpack ok', 'ok refs/heads/main']);
  const many = Array.from({ length: 200 }, (_, index): Command => [none, commit, `refs/heads/b${index}`]);
  assert.equal((await rawPush(port, bodyOf(many, pack))).status, 400);
  const twice: Command[] = [...Array<Command>(2)].map(() => [none, commit, 'refs/heads/twice']);
  assert.deepEqual((await rawPush(port, bodyOf(twice, pack))).report.slice(1), Array(2).fill('ng refs/heads/twice it is pushed twice'));
});

it('takes nothing of a push that breaks off, and its place is free again', async (context) => {
  const { port, url, clone, commit, pack, files, repository } = await pushed(context);
  const body = bodyOf([[none, commit, 'refs/heads/main']], pack);
  for (const bytes of [10, 60, 130, body.length - 30, body.length - 1])
    for (const _ of [1, 2]) {
      const socket = halfPush(port, body.subarray(0, bytes), body.length);
      socket.end();
      await once(socket, 'close');
    }
  assert.equal((await clone.push(url, 'main:other')).code, 0);
  assert.deepEqual(
    [(await pushesIn(files)).map(({ branch }) => branch), (await repository.heads()).map(({ branch }) => branch)],
    [['other'], ['other']],
  );
});

it('tells each of a hundred pushes at a time the truth', async (context) => {
  const { port, commit, clone, pack, files } = await pushed(context);
  const second = await clone.commit('two');
  assert.equal((await rawPush(port, bodyOf([[none, commit, 'refs/heads/main']], pack))).status, 200);
  const more = packOf(clone, second);
  const refs = Array.from({ length: 100 }, (_, index) => (index % 2 ? 'refs/heads/main' : `refs/heads/b${index}`));
  const told = await Promise.all(
    refs.map(async (ref) => (await rawPush(port, bodyOf([[ref.endsWith('main') ? commit : none, second, ref]], more))).report[1]),
  );
  assert.equal(told.filter((line) => line === 'ok refs/heads/main').length, 1);
  assert.equal(told.filter((line) => line?.startsWith('ok refs/heads/b')).length, 50);
  assert.equal(told.filter((line) => line?.startsWith('ng refs/heads/main the branch is at')).length, 49);
  assert.equal((await pushesIn(files)).length, 52);
});

it('refuses a push that cannot be written down, and takes it when it can, as the same delivery', async (context) => {
  const full: Problem = { code: 'INBOX_UNWRITABLE', what: 'the delivery could not be written down', why: 'no space is left' };
  const seen: string[] = [];
  let isFull = true;
  const append = async ({ id }: { id: string }) => {
    seen.push(id);
    return isFull ? failed(full) : done(undefined);
  };
  const { url, clone, repository, events } = await pushed(context, { append });
  const refused = await clone.push(url, 'main');
  assert.match(refused.stderr, /\[remote rejected\] main -> main \(the delivery could not be written down: no space is left\)/);
  assert.deepEqual(await repository.heads(), []);
  assert.ok(events.some(({ type }) => type === 'inbox-failed'));
  isFull = false;
  assert.equal((await clone.push(url, 'main')).code, 0);
  assert.equal(seen[0], seen[1]);
});

it('goes on where gits that were killed left their locks, and where its disk would not have it before', async (context) => {
  const volume = ownFolder(context, 'git');
  const folder = path.join(volume, 'repository.git');
  writeFileSync(folder, 'no folder');
  const { url, clone, commit, files } = await pushed(context, { volume });
  assert.match((await clone.push(url, 'main')).stderr, /error: 503/);
  rmSync(folder);
  assert.equal((await clone.push(url, 'main')).code, 0);
  const locks = ['config.lock', 'HEAD.lock', 'packed-refs.lock', 'refs/changeless/deliveries/main.lock'];
  for (const lock of locks) writeFileSync(path.join(folder, lock), '');
  const next = await remote(context, { volume });
  await clone.commit('two');
  const said = await clone.push(next.url, 'main');
  assert.equal(said.code, 0, said.stderr);
  assert.deepEqual([(await pushesIn(files))[0]?.after, (await pushesIn(next.files))[0]?.before], [commit, commit]);
});
