import assert from 'node:assert/strict';
import { symlink } from 'node:fs/promises';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { workFolder } from '../architecture/job-model.ts';
import { testRepository } from '../architecture/test-repository.ts';
import type { CommitId, ImageId } from '../digest.ts';
import { createMemoryEngine } from '../engine/memory/create-memory-engine.ts';
import { labels } from '../engine/labels.ts';
import { jobStepOf } from '../release/release-fixture.ts';
import { jobStepTag } from '../engine/step-image-tag.ts';
import { jobStepImages, jobStepRequest, type RunToBuild } from './job-step-images.ts';
import { sourceImage } from './source-image.ts';
import { treeItems } from './tree-items.ts';

const owner = { user: 1000, group: 1000 };

async function committed(t: TestContext) {
  const world = await testRepository();
  t.after(() => world[Symbol.asyncDispose]());
  await world.write({ 'run.sh': '#!/bin/sh\n', 'src/deep/a.txt': 'a', 'ü b': '' });
  await symlink('src/deep', path.join(world.folder, 'link'));
  await world.git('add', '--all');
  await world.git('update-index', '--chmod=+x', 'run.sh');
  await world.git('commit', '--quiet', '--message', 'first');
  const tree = (await world.git('rev-parse', 'HEAD^{tree}')).trim();
  return { ...world, tree };
}

/** A memory engine with an agent that runs as `node`. */
async function engineWithAgent(user = 'node') {
  const engine = createMemoryEngine();
  const base = engine.images.add({
    tag: 'debian:bookworm-slim',
    files: [
      { path: '/etc/passwd', contents: 'root:x:0:0::/root:/bin/sh\nnode:x:1000:1001::/home/node:/bin/sh\n' },
      { path: '/etc/group', contents: 'staff:x:50:\n' },
    ],
  });
  const change = { user, environment: { PATH: '/bin' }, labels: { [labels.role]: 'component', [labels.key]: 'k' } };
  const [agent] = await engine.images.assemble([{ base, files: [], change, tag: 'changeless/shop/agent.node:1' }]);
  assert(agent);
  return { images: engine.images, agent };
}

const runOf = (tree: string, agent: ImageId, change: Partial<RunToBuild> = {}): RunToBuild => ({
  architecture: 'shop',
  run: 'test-1',
  job: 'test',
  commit: 'c'.repeat(40) as CommitId,
  tree,
  branch: 'main',
  parameters: { suite: 'all' },
  steps: [
    { key: '/unit', step: jobStepOf({ settings: { DEBUG: '1' }, caches: { npm: '/cache/npm', modules: `${workFolder}/.modules/x` } }) },
  ],
  agents: { node: agent },
  ...change,
});

test('a tree is in a layer as a clone has it, of one owner, folders and links included', async (t) => {
  const { repository, tree } = await committed(t);
  const items = await treeItems(repository, tree, { folder: '/work', owner });
  const shown = items.map((item) => ('contents' in item ? { ...item, contents: Buffer.from(item.contents).toString() } : item));
  assert.deepEqual(
    shown.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    [
      { path: '/work', folder: true, owner },
      { path: `${workFolder}/link`, target: 'src/deep', owner },
      { path: `${workFolder}/run.sh`, contents: '#!/bin/sh\n', mode: 0o755, owner },
      { path: `${workFolder}/src`, folder: true, owner },
      { path: `${workFolder}/src/deep`, folder: true, owner },
      { path: `${workFolder}/src/deep/a.txt`, contents: 'a', mode: 0o644, owner },
      { path: `${workFolder}/ü b`, contents: '', mode: 0o644, owner },
    ],
  );
});

test('a source follows from agent and tree alone, and is made once', async (t) => {
  const { repository, tree } = await committed(t);
  const [here, there] = [await engineWithAgent(), await engineWithAgent()];
  const request = { architecture: 'shop', agent: 'node', image: here.agent, tree };
  const first = await sourceImage({ images: here.images, repository }, request);
  const second = await sourceImage({ images: there.images, repository }, request);
  assert(first.ok && second.ok);
  assert.equal(first.value.id, second.value.id);
  const closed = { ...repository, list: () => assert.fail('read again'), read: () => assert.fail('read again') } as typeof repository;
  const again = await sourceImage({ images: here.images, repository: closed }, request);
  assert.deepEqual(again, first);
  const detail = await here.images.inspect(first.value.id);
  assert.deepEqual([detail?.config.user, detail?.config.workingFolder, detail?.labels[labels.role]], ['1000:1001', '/work', 'source']);
  assert.equal(new TextDecoder().decode(await here.images.readFile(first.value.id, `${workFolder}/src/deep/a.txt`)), 'a');
});

const users: [user: string, runsAs: string | undefined][] = [
  ['node', '1000:1001'],
  ['node:staff', '1000:50'],
  ['node:7', '1000:7'],
  ['1000', '1000:1001'],
  ['4321', '4321:0'],
  ['4321:5', '4321:5'],
  ['', '65534:65534'],
  ['root', '65534:65534'],
  ['0:5', '65534:65534'],
  ['ada', undefined],
  ['node:ada', undefined],
];

for (const [user, runsAs] of users) {
  test(`a step of an agent that runs as '${user}' runs as ${runsAs ?? 'nobody knows whom, which is a problem'}`, async (t) => {
    const { repository, tree } = await committed(t);
    const { images, agent } = await engineWithAgent(user);
    const source = await sourceImage({ images, repository }, { architecture: 'shop', agent: 'node', image: agent, tree });
    if (source.ok) assert.equal((await images.inspect(source.value.id))?.config.user, runsAs);
    else assert.deepEqual([source.problem.code, runsAs], ['AGENT_UNFIT', undefined]);
  });
}

test("a step's image says all that its container is to do", async (t) => {
  const { repository, tree } = await committed(t);
  const { images, agent } = await engineWithAgent();
  const run = runOf(tree, agent);
  const made = await jobStepImages({ images, repository }, run);
  assert(made.ok);
  const detail = await images.inspect(jobStepTag('shop', 'test-1', '/unit'));
  assert.equal(detail?.id, made.value['/unit']);
  const { entrypoint, command, workingFolder, user, environment } = detail?.config ?? {};
  assert.deepEqual(
    { entrypoint, command, workingFolder, user },
    { entrypoint: ['npm'], command: ['test'], workingFolder: '/work', user: '1000:1001' },
  );
  assert.deepEqual(environment, [
    'PATH=/bin',
    'HOME=/tmp',
    'suite=all',
    'DEBUG=1',
    'CHANGELESS_JOB=test',
    'CHANGELESS_RUN=test-1',
    'CHANGELESS_STEP=unit',
    `CHANGELESS_COMMIT=${'c'.repeat(40)}`,
    'CHANGELESS_BRANCH=main',
  ]);
  assert.deepEqual(
    [detail?.labels[labels.role], detail?.labels[labels.run], detail?.labels[labels.step]],
    ['step-image', 'test-1', '/unit'],
  );
});

test('all steps of a run share the source of their agent, and asked again have the same images', async (t) => {
  const { repository, tree } = await committed(t);
  const { images, agent } = await engineWithAgent();
  const steps = ['a', 'b'].map((name) => ({ key: `/${name}`, step: jobStepOf({ name }) }));
  const run = runOf(tree, agent, { steps });
  const made = await jobStepImages({ images, repository }, run);
  assert(made.ok);
  const sources = await images.list({ labels: { [labels.role]: 'source' } });
  const stepImages = await images.list({ labels: { [labels.role]: 'step-image' } });
  assert.deepEqual([sources.length, stepImages.length], [1, 2]);
  assert.deepEqual(new Set(stepImages.map((image) => image.labels[labels.source])), new Set([sources[0]?.id]));
  assert.deepEqual(await jobStepImages({ images, repository }, run), made);
  const other = await jobStepImages({ images, repository }, runOf(tree, agent, { steps, run: 'test-2' }));
  assert(other.ok);
  assert.notDeepEqual(Object.values(other.value), Object.values(made.value));
});

test('a source that goes with another run before the steps are made of it is made again', async (t) => {
  const { repository, tree } = await committed(t);
  const { images, agent } = await engineWithAgent();
  const run = runOf(tree, agent);
  const made = await jobStepImages({ images, repository }, run);
  const assemble = images.assemble.bind(images);
  let goes = 1;
  images.assemble = async (requests) => {
    if (requests[0]?.tag === jobStepTag('shop', 'test-1', '/unit') && goes-- > 0) await images.remove(requests[0].base);
    return assemble(requests);
  };
  assert.deepEqual(await jobStepImages({ images, repository }, run), made);
  assert.equal(goes, -1);
});

test('the folders of caches are the user’s, and those above them in the tree too', () => {
  const source = { id: 'sha256:x' as ImageId, owner, environment: ['HOME=/data'] };
  const run = runOf('t', source.id);
  const request = jobStepRequest(run, run.steps[0]!, source);
  const folder = (where: string) => ({ path: where, folder: true, owner });
  assert.deepEqual(request.files, ['/cache/npm', `${workFolder}/.modules/x`, `${workFolder}/.modules`, '/work'].map(folder));
  assert.equal(request.change.environment?.['HOME'], undefined);
});

test('an agent that has no image is a problem', async (t) => {
  const { repository, tree } = await committed(t);
  const { images, agent } = await engineWithAgent();
  for (const agents of [{}, { node: `sha256:${'0'.repeat(64)}` as ImageId }]) {
    const made = await jobStepImages({ images, repository }, runOf(tree, agent, { agents }));
    assert.equal(!made.ok && made.problem.code, 'AGENT_UNFIT');
  }
});
