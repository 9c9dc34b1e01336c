import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Lock } from '../architecture/lock.ts';
import type { Architecture } from '../architecture/model.ts';
import type { CommitId } from '../digest.ts';
import { createMemoryEngine } from '../engine/memory/create-memory-engine.ts';
import type { Result } from '../result.ts';
import { appOf, architectureOf, makeBuildWorld, serviceOf, sourceOf, type Tree } from './build-fixture.ts';
import { lockArchitecture } from './lock-architecture.ts';
import { planRelease, type PlannedRelease } from './plan-release.ts';

const pin = `sha256:${'a'.repeat(64)}`;
const lock: Lock = { version: 1, images: { 'debian:bookworm-slim': pin, 'node:24-bookworm-slim': pin }, repositories: {} };
const services = (folders: readonly string[]): Architecture =>
  architectureOf({
    apps: {
      app: appOf('app', Object.fromEntries(folders.map((folder, index) => [`s${index}`, serviceOf(folder, { entry: index === 0 })]))),
    },
  });

async function plan(
  t: TestContext,
  { tree, architecture, with: given = lock }: { tree: Tree; architecture: Architecture; with?: Lock },
): Promise<Result<PlannedRelease>> {
  const world = await makeBuildWorld({ engine: createMemoryEngine(), tree });
  t.after(world.close);
  return await planRelease(world.context, await world.evaluate(architecture, given));
}

test('everything that is missing is told at once, with its place', async (t) => {
  const tree = {
    'a/Dockerfile': 'FROM debian:bookworm-slim\n\nFROM alpine:3\nCOPY --from=busybox x y\n',
    'b/readme': '',
    'd/Dockerfile': 'FROM debian:bookworm-slim\n',
  };
  const result = await plan(t, { tree, architecture: services(['a', 'b', 'c', 'd']) });
  assert.ok(!result.ok);
  assert.equal(result.problem.code, 'DOCKERFILE_MISSING');
  assert.deepEqual(result.problem.findings, [
    { key: 'apps.app.services.s1.build', what: 'app/s1: the commit has no file "b/Dockerfile"' },
    { key: 'apps.app.services.s2.build', what: 'app/s2: the commit has no folder "c"' },
    { place: { file: 'a/Dockerfile', line: 3, column: 6, text: 'alpine:3' }, what: 'alpine:3 is not pinned by architecture.lock' },
    { place: { file: 'a/Dockerfile', line: 4, column: 13, text: 'busybox' }, what: 'busybox is not pinned by architecture.lock' },
  ]);
});

test('an unpinned base alone says which command pins it', async (t) => {
  const result = await plan(t, { tree: { 'a/Dockerfile': 'FROM alpine' }, architecture: services(['a']) });
  assert.ok(!result.ok);
  assert.equal(result.problem.code, 'BASE_UNPINNED');
  assert.match(result.problem.next ?? '', /^changeless lock/);
});

test('a lock without the bases of Changeless itself is unpinned too', async (t) => {
  const result = await plan(t, { tree: { 'a/Dockerfile': 'FROM scratch' }, architecture: services(['a']), with: { ...lock, images: {} } });
  assert.ok(!result.ok);
  assert.equal(result.problem.code, 'BASE_UNPINNED');
  assert.equal(result.problem.findings?.length, 2);
});

test('a name that carries its digest needs no pin in the lock', async (t) => {
  const result = await plan(t, { tree: { 'a/Dockerfile': `FROM alpine@${pin}` }, architecture: services(['a']) });
  assert.ok(result.ok);
  assert.deepEqual(result.value.inputs.components['app/s0']?.inputs.bases, { [`alpine@${pin}`]: pin });
});

test('a key moves with its folder and its pins, and with no other folder', async (t) => {
  const tree = { 'a/Dockerfile': 'FROM debian:bookworm-slim', 'b/Dockerfile': 'FROM node:24-bookworm-slim' };
  const keysOf = async (given: Tree, images = lock.images): Promise<(string | undefined)[]> => {
    const result = await plan(t, { tree: given, architecture: services(['a', 'b']), with: { ...lock, images } });
    assert.ok(result.ok);
    return result.value.components.map(({ key }) => key);
  };
  const [a, b] = await keysOf(tree);
  const changed = await keysOf({ ...tree, 'b/x': '1', 'c/x': '1' });
  assert.equal(changed[0], a);
  assert.notEqual(changed[1], b);
  const repinned = await keysOf(tree, { ...lock.images, 'debian:bookworm-slim': `sha256:${'b'.repeat(64)}` });
  assert.notEqual(repinned[0], a);
  assert.equal(repinned[1], b);
});

test('an architecture may lie in a folder, and a component be that very folder', async (t) => {
  const world = await makeBuildWorld({
    engine: createMemoryEngine(),
    tree: { 'deep/Dockerfile': 'FROM scratch', 'deep/a/Dockerfile': 'FROM scratch' },
  });
  t.after(world.close);
  const evaluated = { ...(await world.evaluate(services(['.', './a/']), lock)), folder: 'deep' };
  const result = await planRelease(world.context, evaluated);
  assert.ok(result.ok);
  assert.deepEqual(
    result.value.components.map(({ file }) => file),
    ['deep/Dockerfile', 'deep/a/Dockerfile'],
  );
});

test('a component comes from another repository at the commit that is locked, whatever it holds later', async (t) => {
  const engine = createMemoryEngine();
  const other = await makeBuildWorld({ engine, tree: { 'tool/Dockerfile': 'FROM scratch' } });
  const own = await makeBuildWorld({ engine, tree: { readme: '' } });
  t.after(other.close);
  t.after(own.close);
  const source = sourceOf('tool', { repository: other.folder });
  const architecture = architectureOf({ apps: { app: appOf('app', { api: serviceOf('tool', { build: source }) }) } });
  const unpinned = await planRelease(own.context, await own.evaluate(architecture, lock));
  assert.equal(!unpinned.ok && unpinned.problem.code, 'REPOSITORY_UNPINNED');
  for (const tag of ['debian:bookworm-slim', 'node:24-bookworm-slim']) engine.images.add({ tag });
  const { commit } = await own.evaluate(architecture, lock);
  const locked = await lockArchitecture({ ...own.context, architecture, commit, folder: '', update: false });
  assert.ok(locked.ok, JSON.stringify(locked));
  const head = await other.repository.resolve('HEAD');
  assert.ok(head.ok);
  assert.deepEqual(locked.value.repositories, { [other.folder]: { commit: head.value.id as CommitId } });
  const planned = await planRelease(own.context, await own.evaluate(architecture, locked.value));
  assert.ok(planned.ok);
  assert.equal(planned.value.inputs.components['app/api']?.inputs.tree, (await other.repository.find(head.value.tree, 'tool'))?.object);
});
