import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { GithubForge, type GithubForgeOptions } from '../../src/forge/github/github-forge.ts';
import { sendHttp } from '../../src/http.ts';
import { done, failed } from '../../src/result.ts';
import { Secret } from '../../src/secret.ts';
import { commitOf, GithubOnLoopback } from './github-on-loopback.ts';

const { signal } = new AbortController();
const [a, b, c] = ['a', 'b', 'c'].map(commitOf) as [string, string, string];

type Asked = { github: GithubOnLoopback; forge: GithubForge; clock: { nowMs: number } };

async function asked(context: TestContext, more: Partial<GithubForgeOptions> = {}): Promise<Asked> {
  const github = new GithubOnLoopback();
  const api = await github.open();
  context.after(() => github.close());
  const clock = { nowMs: Date.UTC(2026, 0, 1) };
  const forge = new GithubForge({
    api,
    repository: github.repository,
    token: async () => done(new Secret(`${github.token}\n`)),
    http: sendHttp,
    clock: () => new Date(clock.nowMs),
    webhook: { host: 'deliver.example.com', path: '/webhooks/github' },
    ...more,
  });
  return { github, forge, clock };
}

const status = { commit: a, context: 'changeless/test', state: 'success', description: 'run test-1 passed' } as const;

test('a status is set, with a link where there is one', async (context) => {
  const { github, forge } = await asked(context);
  github.push('main', a);
  assert.deepEqual(await forge.setStatus(status, signal), { state: 'done', value: undefined });
  await forge.setStatus({ ...status, link: 'https://deliver.example.com/api/v1/runs/test-1' }, signal);
  const { commit: sha, ...said } = status;
  assert.deepEqual(github.statuses, [
    { sha, ...said },
    { sha, ...said, target_url: 'https://deliver.example.com/api/v1/runs/test-1' },
  ]);
});

test('a status of a commit that GitHub does not have is refused; what the token may not do is waited for', async (context) => {
  const { github, forge } = await asked(context);
  const refused = await forge.setStatus(status, signal);
  assert.deepEqual(refused, { state: 'refused', status: 422, why: `it answered 422: No commit found for SHA: ${a}` });
  github.canned.push({ status: 403, body: { message: 'Resource not accessible by personal access token' } });
  assert.equal((await forge.setStatus(status, signal)).state, 'later');
});

test('a wrong token and one that cannot be opened are said, and not shown', async (context) => {
  const wrong = await asked(context, { token: async () => done(new Secret('T0PSECRET')) });
  const answer = await wrong.forge.setStatus(status, signal);
  assert.deepEqual(answer, { state: 'later', why: 'it answered 401 (the token is not accepted): Bad credentials' });
  const closed = await asked(context, { token: async () => failed('there is no key here') });
  assert.deepEqual(await closed.forge.heads(signal), { state: 'later', why: 'there is no key here' });
  assert.deepEqual(closed.github.requests, []);
});

test('heads are read page by page, and cost nothing of the limit where nothing has changed', async (context) => {
  const { github, forge } = await asked(context);
  github.pageSize = 2;
  for (const [index, branch] of ['main', 'one', 'two', 'three', 'four'].entries()) github.push(branch, commitOf('abcde'[index]!));
  const first = await forge.heads(signal);
  assert.ok(first.state === 'done');
  assert.deepEqual(first.value, github.heads);
  const left = github.remaining;
  const again = await forge.heads(signal);
  assert.deepEqual(again, first);
  assert.equal(github.remaining, left);
  assert.deepEqual(
    github.requests.slice(3).map((line) => line.split(' ').at(-1)),
    ['304', '304', '304'],
  );
  github.push('two', commitOf('f'));
  const moved = await forge.heads(signal);
  assert.ok(moved.state === 'done');
  assert.equal(moved.value.get('two'), commitOf('f'));
  assert.equal(github.remaining, left - 1, 'the one page that changed');
});

test('names that git could not have made are passed over', async (context) => {
  const { github, forge } = await asked(context);
  const sha = { sha: a };
  github.canned.push({
    status: 200,
    body: [{ name: '--upload-pack=x', commit: sha }, { name: 'ok', commit: sha }, { name: 'x', commit: { sha: 'main' } }, 5, { name: 7 }],
  });
  const heads = await forge.heads(signal);
  assert.ok(heads.state === 'done');
  assert.deepEqual([...heads.value], [['ok', a]]);
});

test('nothing is asked until a limit is over', async (context) => {
  const { github, forge, clock } = await asked(context);
  github.push('main', a);
  github.remaining = 0;
  github.resetAt = clock.nowMs / 1000 + 600;
  const limited = { state: 'later', why: 'its limit of requests is reached (403)', afterMs: 600_000 } as const;
  assert.deepEqual(await forge.heads(signal), limited);
  clock.nowMs += 100_000;
  assert.deepEqual(await forge.setStatus(status, signal), { ...limited, why: 'its limit of requests is reached', afterMs: 500_000 });
  assert.equal(github.requests.length, 1);
  clock.nowMs += 500_001;
  github.remaining = 100;
  assert.equal((await forge.heads(signal)).state, 'done');
});

test('the answer that takes the last of the limit counts, and nothing is asked behind it', async (context) => {
  const { github, forge, clock } = await asked(context);
  github.push('main', a);
  github.remaining = 1;
  github.resetAt = clock.nowMs / 1000 + 60;
  assert.equal((await forge.heads(signal)).state, 'done');
  assert.equal((await forge.heads(signal)).state, 'later');
  assert.equal(github.requests.length, 1);
});

const secondary = [
  [
    'with a time',
    { status: 403, headers: { 'retry-after': '30' }, body: { message: 'You have exceeded a secondary rate limit.' } },
    30_000,
  ],
  ['in words alone', { status: 403, body: { message: 'You have exceeded a secondary rate limit.' } }, 60_000],
  ['by its number alone', { status: 429, body: {} }, 60_000],
] as const;

for (const [how, canned, afterMs] of secondary)
  test(`a secondary limit that is told ${how} is kept`, async (context) => {
    const { github, forge } = await asked(context);
    github.canned.push(canned);
    const answer = await forge.heads(signal);
    assert.ok(answer.state === 'later');
    assert.equal(answer.afterMs, afterMs);
    assert.equal((await forge.heads(signal)).state, 'later');
    assert.equal(github.requests.length, 1);
  });

test('a failure of GitHub itself is over when it is', async (context) => {
  const { github, forge } = await asked(context);
  github.push('main', a);
  github.canned.push({ status: 502, body: { message: 'Server Error' } });
  assert.deepEqual(await forge.heads(signal), { state: 'later', why: 'it answered 502: Server Error' });
  assert.equal((await forge.heads(signal)).state, 'done');
  github.close();
  const away = await forge.heads(signal);
  assert.ok(away.state === 'later');
  assert.match(away.why, /^it could not be reached/);
});

test('a repository that was renamed is followed, for reading and writing, but nowhere else than at GitHub', async (context) => {
  const { github, forge } = await asked(context, { repository: 'shop/old' });
  github.formerName = 'shop/old';
  github.push('main', a);
  assert.equal((await forge.heads(signal)).state, 'done');
  assert.equal((await forge.setStatus(status, signal)).state, 'done');
  assert.equal(github.statuses.length, 1);
  const thief = await asked(context);
  github.canned.push({ status: 307, headers: { location: `${thief.github.api}/repos/shop/web/statuses/${a}` } });
  assert.equal((await forge.setStatus(status, signal)).state, 'later');
  assert.deepEqual(thief.github.requests, [], 'the token goes to nobody else');
});

test('requests are made one at a time', async (context) => {
  let under = 0;
  let most = 0;
  const { github, forge } = await asked(context, {
    http: async (request) => {
      most = Math.max(most, (under += 1));
      const answer = await sendHttp(request);
      under -= 1;
      return answer;
    },
  });
  github.push('main', a);
  await Promise.all([forge.heads(signal), forge.setStatus(status, signal), forge.failedPushes(signal), forge.heads(signal)]);
  assert.equal(most, 1);
  assert.ok(github.requests.length >= 5);
});

test('pushes whose webhook no try delivered are told, oldest first, each read once', async (context) => {
  const { github, forge } = await asked(context);
  github.pageSize = 2;
  github.push('main', a, 202);
  const second = github.push('main', b, 503);
  github.push('main', c, 0);
  github.deliver(second, 'guid-2', 500);
  const late = github.push('feature', a, 504);
  github.deliver(late, 'guid-5', 200);
  const answer = await forge.failedPushes(signal);
  assert.ok(answer.state === 'done');
  assert.deepEqual(
    answer.value.map(({ branch, before, after }) => [branch, before, after]),
    [
      ['main', a, b],
      ['main', b, c],
    ],
  );
  const before = github.requests.length;
  assert.deepEqual(await forge.failedPushes(signal), answer);
  assert.ok(github.requests.slice(before).every((line) => line.endsWith(' 304')));
});

test('webhooks of others, and those that the token may not see, tell nothing', async (context) => {
  const { github, forge } = await asked(context);
  github.push('main', a, 500);
  github.hookUrl = 'https://ci.example.com/webhooks/github';
  assert.deepEqual(await forge.failedPushes(signal), { state: 'done', value: [] });
  github.showsHooks = false;
  assert.deepEqual(await forge.failedPushes(signal), { state: 'done', value: [] });
});
