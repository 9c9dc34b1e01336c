import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import type { Architecture } from '../architecture/model.ts';
import { labels } from '../engine/labels.ts';
import type { Problem } from '../problem.ts';
import { decodeManifest } from '../release/manifest-codec.ts';
import { manifestPath } from '../release/manifest.ts';
import { failed } from '../result.ts';
import { appOf, architectureOf, commitTree, serviceOf, sourceOf, storeOf } from './build-fixture.ts';
import type { BuiltRelease } from './build-release.ts';
import { inOneTurn, plan, problemOf, tagsOf, tryBuild, unnamedOf, workshopOf, type Workshop } from './workshop-fixture.ts';

const example = architectureOf({
  apps: {
    catalog: appOf('catalog', {
      api: serviceOf('api', { build: sourceOf('api', { tests: [{ command: ['check'] }] }), settings: { A: '1' } }),
    }),
    accounts: appOf('accounts', { api: serviceOf('api', { build: sourceOf('api', { tests: [{ command: ['check'] }] }) }) }),
  },
  stores: { db: storeOf('db', { files: { '/etc/db.conf': 'x' } }) },
  environments: { production: { apps: { catalog: { services: { api: { settings: { A: '2' } } } } } } },
});

async function build(workshop: Workshop, architecture: Architecture = example): Promise<BuiltRelease> {
  const built = await tryBuild(workshop, await plan(workshop, architecture));
  assert.ok(built.ok, JSON.stringify(built));
  return built.value;
}

test('components with equal inputs are built once, and both have the tag', async (t) => {
  const workshop = await workshopOf(t);
  let builds = 0;
  workshop.engine.images.onBuild = () => void (builds += 1);
  const { manifest, built } = await build(workshop);
  assert.equal(builds, 3, 'api, db and the proxy');
  assert.equal(built, 3);
  assert.equal(manifest.outputs.components['catalog/api'], manifest.outputs.components['accounts/api']);
  assert.equal((await tagsOf(workshop)).filter((tag) => tag.includes('untested')).length, 0);
});

test('planning changes nothing on the engine', async (t) => {
  const workshop = await workshopOf(t);
  await plan(workshop, example);
  assert.deepEqual(await tagsOf(workshop), []);
});

test('the same plan again comes from the cache and is equal', async (t) => {
  const workshop = await workshopOf(t);
  const first = await plan(workshop, example);
  await workshop.repository.close();
  const second = await plan(workshop, example);
  assert.deepEqual({ ...second, existing: 0 }, { ...first, existing: 0 });
});

test('a release that is there is not built again, and what is gone of it is made again', async (t) => {
  const workshop = await workshopOf(t);
  const first = await build(workshop);
  workshop.engine.images.onBuild = () => assert.fail('nothing is to be built');
  const second = await build(workshop);
  assert.deepEqual(second.images, first.images);
  assert.equal(second.reused, 3);
  const configured = first.manifest.outputs.environments['production']?.apps['catalog']?.images.services['api'];
  assert.ok(configured);
  await workshop.engine.images.remove(configured);
  assert.deepEqual((await build(workshop)).images, first.images);
  assert.ok(await workshop.engine.images.inspect(configured));
});

test('another clone with another cache gives the same release, images and manifest', async (t) => {
  const one = await workshopOf(t);
  const other = await workshopOf(t, { clone: one.folder });
  assert.deepEqual(await build(other), await build(one));
});

test('configured images carry no commit, release or environment, and name their evidence', async (t) => {
  const workshop = await workshopOf(t);
  const { manifest } = await build(workshop);
  const { local, production } = manifest.outputs.environments;
  assert.ok(local && production);
  assert.notEqual(local.apps['catalog']?.images.services['api'], production.apps['catalog']?.images.services['api']);
  assert.deepEqual(local.apps['accounts'], production.apps['accounts']);
  const image = await workshop.engine.images.inspect(local.apps['catalog']?.images.services['api'] ?? '');
  assert.ok(image);
  assert.deepEqual(
    Object.keys(image.labels).toSorted(),
    [labels.app, labels.architecture, labels.body, labels.key, labels.role, labels.tests].toSorted(),
  );
  assert.equal(image.labels[labels.tests], 'check');
  assert.equal(image.config.user, '65534:65534');
  assert.deepEqual(image.config.environment.toSorted(), ['A=1', 'CHANGELESS_APP=catalog', 'CHANGELESS_SERVICE=api']);
});

test('a step has an image of its own: that of its service with another command', async (t) => {
  const workshop = await workshopOf(t);
  const steps = { before: [{ name: 'migrate', command: ['/migrate', '--all'], limitMs: 5 }], after: [] };
  const apps = { ...example.apps, accounts: appOf('accounts', { api: serviceOf('api', { steps }) }) };
  const { manifest } = await build(workshop, { ...example, apps });
  const local = manifest.outputs.environments['local'];
  assert.deepEqual(Object.keys(local?.apps['accounts']?.images.services ?? {}), ['api']);
  assert.deepEqual(Object.keys(local?.apps['accounts']?.images.steps ?? {}), ['api/migrate']);
  assert.ok(local?.apps['catalog'] && !('steps' in local.apps['catalog'].images));
  const image = await workshop.engine.images.inspect(local.apps['accounts']?.images.steps?.['api/migrate'] ?? '');
  assert.deepEqual([image?.config.entrypoint, image?.config.command], [['/migrate'], ['--all']]);
  assert.equal(image?.config.user, '65534:65534');
  assert.deepEqual(image.config.environment.toSorted(), ['CHANGELESS_APP=accounts', 'CHANGELESS_SERVICE=api', 'CHANGELESS_STEP=migrate']);
  assert.equal(image.labels[labels.role], 'step');
});

test('the core has one colour, apps and stores have two', async (t) => {
  const { manifest } = await build(await workshopOf(t));
  const local = manifest.outputs.environments['local'];
  assert.ok(local?.stores['db'] && local.apps['catalog']);
  assert.equal(local.core.images.path.blue, local.core.images.path.green);
  assert.notEqual(local.stores['db'].images.path.blue, local.stores['db'].images.path.green);
  assert.notEqual(local.apps['catalog'].images.path.blue, local.apps['catalog'].images.path.green);
  assert.deepEqual(Object.keys(local.stores['db'].images.services), ['server']);
});

test('a release image holds the manifest and the name of its environment', async (t) => {
  const workshop = await workshopOf(t);
  const { images, manifest } = await build(workshop);
  const bytes = await workshop.engine.images.readFile(images['production']?.tag ?? '', manifestPath);
  assert.deepEqual(bytes && decodeManifest(bytes), { ok: true, value: manifest });
  const environment = await workshop.engine.images.readFile(images['production']?.tag ?? '', '/changeless/environment.json');
  assert.equal(new TextDecoder().decode(environment), '"production"');
  const detail = await workshop.engine.images.inspect(images['production']?.tag ?? '');
  assert.equal(detail?.labels[labels.role], 'controller');
  assert.equal(detail?.labels[labels.release], manifest.release);
});

test('a commit that changes one app leaves every image of the others', async (t) => {
  const workshop = await workshopOf(t);
  const before = await build(workshop);
  await commitTree(workshop.folder, { 'db/change': '1' });
  const after = await build(workshop);
  assert.notEqual(after.manifest.release, before.manifest.release);
  const [old, next] = [before, after].map(({ manifest }) => manifest.outputs.environments['local']);
  assert.deepEqual(next?.apps, old?.apps);
  assert.deepEqual(next?.core, old?.core);
  assert.notDeepEqual(next?.stores, old?.stores);
  assert.equal(after.built, 1);
});

test('an image whose tests fail gets no tag of a component, and is built again', async (t) => {
  const workshop = await workshopOf(t);
  workshop.engine.images.onRunOnce = ({ command }) => (command?.[0] === 'check' ? { exitCode: 3, stdout: 'one\ntwo\n' } : {});
  const problem = problemOf(await tryBuild(workshop, await plan(workshop, example)));
  assert.equal(problem.code, 'TESTS_FAILED');
  assert.equal(problem.why, 'it ended with exit code 3');
  assert.deepEqual(problem.lines, ['one', 'two']);
  assert.ok((await plan(workshop, example)).components.filter(({ name }) => name.endsWith('/api')).every(({ reused }) => !reused));
});

test('a test target that does not build is a failed test', async (t) => {
  const workshop = await workshopOf(t);
  workshop.engine.images.onBuild = ({ target }) =>
    target === 'test' ? { step: 'RUN check', lines: ['no'], message: 'exit 1', noSpace: false } : undefined;
  const architecture = architectureOf({
    apps: { catalog: appOf('catalog', { api: serviceOf('api', { build: sourceOf('api', { tests: [{ target: 'test' }] }) }) }) },
  });
  const problem = problemOf(await tryBuild(workshop, await plan(workshop, architecture)));
  assert.deepEqual([problem.code, problem.why, problem.lines], ['TESTS_FAILED', 'RUN check', ['no']]);
});

test('a failed step is told with the names of the Dockerfile and its last lines; no release image is made', async (t) => {
  const workshop = await workshopOf(t);
  const base = `changeless/base:${workshop.lock.images['debian:bookworm-slim']?.slice('sha256:'.length, 'sha256:'.length + 16)}`;
  workshop.engine.images.onBuild = ({ labels: { [labels.role]: role } }) =>
    role === 'component' ? { step: `FROM docker.io/${base}`, lines: ['broken'], message: 'exit code 1', noSpace: false } : undefined;
  const problem = problemOf(await tryBuild(workshop, await plan(workshop, example)));
  assert.equal(problem.code, 'BUILD_FAILED');
  assert.equal(problem.why, 'step FROM debian:bookworm-slim failed; exit code 1');
  assert.deepEqual(problem.lines, ['broken']);
  assert.ok((await tagsOf(workshop)).every((tag) => !tag.includes('/release:')));
});

test('no space is told apart', async (t) => {
  const workshop = await workshopOf(t);
  workshop.engine.images.onBuild = () => ({ step: '', lines: [], message: 'no space left on device', noSpace: true });
  assert.equal(problemOf(await tryBuild(workshop, await plan(workshop, example))).code, 'NO_SPACE');
});

test('a data path the proxy refuses is told by unit, and nothing is sealed', async (t) => {
  const workshop = await workshopOf(t);
  workshop.engine.images.onRunOnce = ({ labels: { [labels.role]: role } }) =>
    role === 'check' ? { stdout: 'changeless-refused 2 proxy\n[ALERT] bad\n' } : {};
  const problem = problemOf(await tryBuild(workshop, await plan(workshop, example)));
  assert.equal(problem.code, 'PATH_INVALID');
  assert.deepEqual(problem.findings, [{ key: 'apps.catalog', what: 'proxy.cfg: [ALERT] bad' }]);
});

test('configurations that passed are not checked again for another generation', async (t) => {
  const workshop = await workshopOf(t);
  let checks = 0;
  workshop.engine.images.onRunOnce = ({ labels: { [labels.role]: role } }) => {
    if (role === 'check') checks += 1;
    return {};
  };
  await build(workshop);
  await commitTree(workshop.folder, { 'api/change': '1' });
  await build(workshop);
  assert.equal(checks, 1);
  await rm(path.join(workshop.context.cacheFolder, 'checked-paths'), { recursive: true });
  await commitTree(workshop.folder, { 'api/change': '2' });
  await build(workshop);
  assert.equal(checks, 2);
});

test('type errors found meanwhile stop the release', async (t) => {
  const workshop = await workshopOf(t);
  const types = Promise.resolve(failed<Problem>({ code: 'ARCHITECTURE_TYPES', what: 'type errors' }));
  assert.equal(problemOf(await tryBuild(workshop, await plan(workshop, example), { types })).code, 'ARCHITECTURE_TYPES');
  assert.ok((await tagsOf(workshop)).every((tag) => !tag.includes('/release:')));
});

test('an aborted build throws the reason and seals nothing', async (t) => {
  const workshop = await workshopOf(t);
  const planned = await plan(workshop, example);
  await assert.rejects(tryBuild(workshop, planned, { signal: AbortSignal.abort(new Error('Ctrl-C')) }), /Ctrl-C/);
  assert.ok((await tagsOf(workshop)).every((tag) => !tag.includes('/release:')));
});

test('what is under way when a build fails is given up before the failure is told', async (t) => {
  const workshop = await workshopOf(t);
  const { promise: given, resolve: giveUp } = Promise.withResolvers<undefined>();
  let under = 0;
  workshop.engine.images.onBuild = async ({ tag, signal }) => {
    if (tag.includes('untested') && under++ === 0) return { step: 'RUN false', lines: [], message: 'it failed', noSpace: false };
    assert.ok(signal);
    signal.addEventListener('abort', () => giveUp(undefined));
    return await given;
  };
  const problem = problemOf(await tryBuild(workshop, await plan(workshop, example)));
  assert.equal(problem.code, 'BUILD_FAILED');
  assert.match(problem.why ?? '', /RUN false/);
});

test('while tests run the release is sealed, and has no name before they have passed', async (t) => {
  const workshop = await workshopOf(t);
  const planned = await plan(workshop, example);
  let sealed = 0;
  workshop.engine.images.onRunOnce = async ({ labels: of }) => {
    if (of[labels.role] !== 'test') return {};
    while (sealed === 0) sealed = await inOneTurn(unnamedOf(workshop));
    assert.deepEqual(
      (await tagsOf(workshop)).filter((tag) => /release|configured|path/.test(tag)),
      [],
    );
    return {};
  };
  assert.ok((await tryBuild(workshop, planned)).ok);
  assert.ok(sealed > 0);
  assert.equal(await unnamedOf(workshop), 0);
});

test('what was sealed beside tests that fail is taken away', async (t) => {
  const workshop = await workshopOf(t);
  workshop.engine.images.onRunOnce = async ({ labels: of }) => {
    if (of[labels.role] !== 'test') return {};
    while ((await inOneTurn(unnamedOf(workshop))) === 0);
    return { exitCode: 1 };
  };
  assert.equal(problemOf(await tryBuild(workshop, await plan(workshop, example))).code, 'TESTS_FAILED');
  assert.equal(await unnamedOf(workshop), 0);
});

test('a release that pushes deliver has a builder, which is made again when it is gone; another has none', async (t) => {
  const workshop = await workshopOf(t);
  const plain = await build(workshop);
  assert.equal(plain.manifest.outputs.builder, undefined);
  assert.equal(plain.manifest.inputs.changeless.builder, undefined);
  const deliver = { repository: 'https://forge.example/acme/shop.git', branch: 'main', folder: '' };
  const delivered = { ...example, deliver };
  const { manifest } = await build(workshop, delivered);
  assert.ok(manifest.outputs.builder);
  const builder = await workshop.engine.images.inspect(manifest.outputs.builder);
  assert.deepEqual(builder?.config.entrypoint.slice(1), ['/changeless/package/dist/cli/main.js', 'builder', '--json']);
  const { core } = manifest.outputs.environments['local']!;
  assert.equal(core.id, plain.manifest.outputs.environments['local']!.core.id, 'it is in no generation');
  for (const tag of builder?.tags ?? []) await workshop.engine.images.remove(tag);
  assert.equal((await build(workshop, delivered)).manifest.outputs.builder, manifest.outputs.builder);
  assert.ok(await workshop.engine.images.inspect(manifest.outputs.builder));
});
