import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Job, PushFilter } from '../architecture/job-model.ts';
import type { ImageId, ReleaseId } from '../digest.ts';
import type { ResolvedArchitecture } from '../release/resolve-environment.ts';
import { asksFor, runsOfPush, type PushContext } from './runs-of-push.ts';

const after = 'a'.repeat(40);
const before = 'b'.repeat(40);

const jobOn = (push: PushFilter): Job => ({
  on: { push },
  parameters: { level: 'low' },
  steps: [
    [
      {
        name: 'unit',
        agent: 'node',
        command: ['make'],
        settings: {},
        caches: {},
        artifacts: [],
        limits: { memoryBytes: 1, processes: 1 },
        limitMs: 1,
      },
    ],
  ],
  limitMs: 5,
});

function contextOf(more: Partial<ResolvedArchitecture> = {}): PushContext {
  const architecture: ResolvedArchitecture = {
    name: 'shop',
    core: { publish: [] },
    apps: {},
    stores: {},
    agents: {},
    jobs: { all: jobOn({}), docs: jobOn({ paths: ['docs/**'] }), releases: jobOn({ branches: ['release/*'] }) },
    deliver: { repository: 'https://forge.example/acme/shop.git', branch: 'main', folder: '' },
    ...more,
  };
  const agents = { node: 'sha256:node' as ImageId };
  return { architecture, sealed: { key: { '2': 'sealed' } }, release: 'c'.repeat(64) as ReleaseId, environment: 'local', agents };
}

const pushed = {
  source: 'github',
  id: 'x',
  kind: 'push',
  number: 7,
  repository: 'Acme/shop',
  branch: 'main',
  before,
  after,
  receivedAt: '',
};
const withBody = (body: object) => ({ ...pushed, body: Buffer.from(JSON.stringify(body)) });
const commits = (...paths: string[]) => ({ commits: [{ added: paths, removed: [], modified: [] }] });
const idsOf = (...given: Parameters<typeof runsOfPush>): string[] => runsOfPush(...given).map(({ id }) => id);

void test('a push to the branch that is delivered runs its release, and the jobs that it fits, under ids of the delivery', () => {
  assert.deepEqual(idsOf(withBody(commits('web/a.ts')), contextOf()), ['deliver-7', 'all-7']);
  assert.deepEqual(idsOf(withBody(commits('docs/a.md')), contextOf()), ['deliver-7', 'all-7', 'docs-7']);
  assert.deepEqual(idsOf({ ...withBody(commits('x')), branch: 'release/1' }, contextOf()), ['all-7', 'releases-7']);
});

void test('where no repository is said, what was pushed to the gateway itself is delivered, and nothing that a forge tells of', () => {
  const context = contextOf({ deliver: { branch: 'main', folder: '' } });
  const { repository: _, ...own } = { ...withBody({}), source: 'git' };
  assert.deepEqual(idsOf(own, context), ['deliver-7', 'all-7', 'docs-7']);
  assert.deepEqual(idsOf(withBody({}), context), []);
});

void test('whose paths nobody can tell starts what any path would', () => {
  for (const body of [{}, { commits: [] }, { commits: [{ added: ['x'] }] }, { ...commits('x'), forced: true }, 'no object'])
    assert.deepEqual(idsOf(withBody(body as object), contextOf()), ['deliver-7', 'all-7', 'docs-7'], JSON.stringify(body));
  assert.deepEqual(idsOf({ ...pushed, body: Buffer.from('{') }, contextOf()), ['deliver-7', 'all-7', 'docs-7']);
  const { before: _, ...made } = withBody(commits('x'));
  assert.deepEqual(idsOf(made, contextOf()), ['deliver-7', 'all-7', 'docs-7'], 'a new branch');
});

void test('nothing comes of what is no push, deletes a branch, or is of another repository', () => {
  const { after: _, ...deleted } = withBody({});
  for (const delivery of [{ ...withBody({}), kind: 'ping' }, deleted, { ...withBody({}), repository: 'acme/other' }])
    assert.deepEqual(idsOf(delivery, contextOf()), []);
  const { deliver: _deliver, ...undelivered } = contextOf().architecture;
  assert.deepEqual(idsOf(withBody({}), { ...contextOf(), architecture: undelivered }), []);
});

void test('the run says of which push it is, and who made it', () => {
  const [deliver, job] = runsOfPush(withBody({ head_commit: { author: { name: 'Ada\nLovelace' } }, pusher: { name: 'ci' } }), contextOf());
  assert.deepEqual(deliver?.push, { delivery: 7, source: 'github', branch: 'main', before, author: 'Ada Lovelace' });
  assert.deepEqual([deliver?.commit, deliver?.reason, deliver?.turn, job?.turn], [after, 'push', 'deliver', undefined]);
});

void test('a job on push begins with the images of its steps, which the builder makes', () => {
  const [, job] = runsOfPush(withBody(commits('x')), contextOf());
  assert.deepEqual(
    job?.plan.steps.map(({ key, group, builder }) => [key, group, builder]),
    [
      ['builder/prepare', -1, 'prepare'],
      ['/unit', 0, undefined],
    ],
  );
  assert.deepEqual(job?.plan.prepare, {
    steps: [{ key: '/unit', step: { name: 'unit', agent: 'node', command: ['make'], settings: {}, caches: {} } }],
    agents: { node: 'sha256:node' },
  });
  assert.deepEqual(job?.parameters, { level: 'low' });
});

void test('the builder gets what the repository is read with, and nobody else', () => {
  const deliver = { repository: 'https://forge.example/acme/shop.git', branch: 'main', folder: '', secret: 'key' };
  const [run, job] = runsOfPush(withBody(commits('x')), contextOf({ deliver, secrets: { key: { version: 2 } } }));
  const secret = { file: 'repository', secret: 'key', version: 2, sealed: 'sealed' };
  assert.deepEqual(run?.plan.steps[0]?.secrets, [secret]);
  assert.deepEqual(
    job?.plan.steps.map(({ secrets }) => secrets),
    [[secret], []],
  );
});

void test('what was pushed to the gateway itself is read from there, and so is all where there is no other repository', () => {
  const { repository: _, ...own } = withBody(commits('x'));
  const remotes = (...given: Parameters<typeof runsOfPush>) => runsOfPush(...given).map(({ plan }) => plan.steps[0]?.remote === true);
  assert.deepEqual(remotes({ ...own, source: 'git' }, contextOf()), [true, true]);
  assert.deepEqual(remotes(withBody(commits('x')), contextOf()), [false, false]);
  assert.deepEqual(remotes({ ...own, source: 'git' }, contextOf({ deliver: { branch: 'main', folder: '' } })), [true, true]);
});

test('whether a push to a branch of a forge may start something is known before there is one', () => {
  const asked = (more: Partial<ResolvedArchitecture>, branch: string, repository = 'ACME/shop'): boolean =>
    asksFor(contextOf(more).architecture, { repository, branch });
  const jobs = { releases: jobOn({ branches: ['release/*'], paths: ['docs/**'] }) };
  assert.deepEqual(
    ['main', 'release/1', 'other'].map((branch) => asked({ jobs }, branch)),
    [true, true, false],
  );
  assert.equal(asked({}, 'other'), true, 'a job is on every push');
  assert.equal(asked({}, 'main', 'acme/other'), false);
  assert.equal(asksFor({ ...contextOf().architecture, deliver: undefined as never }, { repository: 'acme/shop', branch: 'main' }), false);
});
