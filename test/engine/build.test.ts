import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, test, type TestContext } from 'node:test';
import type { Lock } from '../../src/architecture/lock.ts';
import type { Architecture } from '../../src/architecture/model.ts';
import {
  appOf,
  architectureOf,
  commitTree,
  makeBuildWorld,
  ownProxy,
  serviceOf,
  sourceOf,
  storeOf,
  type BuildWorld,
  type Tree,
} from '../../src/build/build-fixture.ts';
import { buildRelease, type BuiltRelease } from '../../src/build/build-release.ts';
import { evaluationContainer } from '../../src/build/evaluation-container.ts';
import { lockArchitecture } from '../../src/build/lock-architecture.ts';
import { checkPaths } from '../../src/build/path-check.ts';
import { SetAside } from '../../src/build/set-aside.ts';
import { pathImages } from '../../src/build/path-images.ts';
import { systemTag } from '../../src/build/image-names.ts';
import { planRelease } from '../../src/build/plan-release.ts';
import { planSystem, readAssets } from '../../src/build/system-images.ts';
import { openDockerEngine } from '../../src/engine/docker/docker-engine.ts';
import { engineHost } from './docker-world.ts';
import type { Result } from '../../src/result.ts';

const engine = openDockerEngine({ host: engineHost });
const name = `${process.env['CHANGELESS_TEST_RUN'] ?? `bld-${process.pid}`}-build`;
const tree: Tree = {
  'api/Dockerfile':
    '# syntax=nobody/pinned-this:1\nFROM debian:bookworm-slim AS base\nCOPY . /app\nFROM base\nHEALTHCHECK CMD true\nCMD ["/app/run.sh"]\n',
  'api/run.sh': 'run:#!/bin/sh\ntest -L /app/link && test ! -e /app/secret\n',
  'api/link': 'link:run.sh',
  'api/secret': 'not for images',
  'api/.dockerignore': 'secret\n',
  'db/Dockerfile': 'FROM debian:bookworm-slim\nUSER 1000\nCMD ["sleep", "infinity"]\n',
  'bad/Dockerfile': 'FROM debian:bookworm-slim\nRUN echo the last words; exit 7\n',
};
const api = serviceOf('api', {
  build: sourceOf('api', { tests: [{ command: ['/app/run.sh'] }] }),
  settings: { A: '1' },
  files: { '/etc/app.conf': 'x' },
});
const example = architectureOf({
  name,
  apps: { catalog: appOf('catalog', { api }) },
  stores: { db: storeOf('db') },
  environments: { production: {} },
});

async function removeImages(kept: (tag: string) => boolean): Promise<void> {
  const tags = (await engine.images.list({ reference: `changeless/${name}/*` })).flatMap((image) => image.tags);
  for (const tag of tags.filter((each) => !kept(each))) await engine.images.remove(tag);
}

after(async () => {
  await removeImages(() => false);
  for (const tag of controllers) await engine.images.remove(tag);
});

/** Controller images made of the worlds' own bundles. */
const controllers = new Set<string>();

async function noteController({ context: { assets } }: BuildWorld, lock: Lock): Promise<void> {
  const described = await engine.describe();
  assert.ok(described.ok);
  const system = planSystem({ files: await readAssets(assets, { builder: false }), lock, platform: described.value.platform });
  assert.ok(system.ok);
  controllers.add(systemTag('controller', system.value.keys.controller));
}

async function worldOf(t: TestContext, clone?: string): Promise<BuildWorld> {
  const world = await makeBuildWorld({ engine, proxy: ownProxy, ...(clone === undefined ? { tree } : { clone }) });
  t.after(world.close);
  return world;
}

async function lockOf(world: BuildWorld, architecture: Architecture): Promise<Lock> {
  const { context, evaluate } = world;
  const { commit } = await evaluate(architecture, { version: 1, images: {}, repositories: {} });
  const locked = await lockArchitecture({ ...context, architecture, commit, folder: '', update: false });
  assert.ok(locked.ok, JSON.stringify(locked));
  await noteController(world, locked.value);
  return locked.value;
}

async function build(world: BuildWorld, architecture: Architecture = example): Promise<Result<BuiltRelease>> {
  const planned = await planRelease(world.context, await world.evaluate(architecture, await lockOf(world, architecture)));
  assert.ok(planned.ok, JSON.stringify(planned));
  return await buildRelease(world.context, planned.value, { signal: new AbortController().signal });
}

test('two clones in different folders give one release id, and the same bytes when the images are made again', async (t) => {
  const one = await worldOf(t);
  const first = await build(one);
  assert.ok(first.ok, JSON.stringify(first));
  await removeImages((tag) => /\/(catalog\.api|db):/.test(tag));
  const second = await build(await worldOf(t, one.folder));
  assert.ok(second.ok, JSON.stringify(second));
  assert.equal(second.value.reused, 2);
  assert.deepEqual(second.value.manifest, first.value.manifest);
  assert.deepEqual(second.value.images, first.value.images);
});

test('a failed step is told with its last lines', async (t) => {
  const architecture = architectureOf({ name, apps: { bad: appOf('bad', { api: serviceOf('bad') }) } });
  const built = await build(await worldOf(t), architecture);
  assert.ok(!built.ok);
  assert.equal(built.problem.code, 'BUILD_FAILED');
  assert.match(built.problem.why ?? '', /RUN echo the last words/);
  assert.match(built.problem.lines?.join('\n') ?? '', /the last words/);
});

test('the proxy itself refuses a configuration, and says why', async (t) => {
  const world = await worldOf(t);
  const built = await build(world);
  assert.ok(built.ok, JSON.stringify(built));
  const planned = await planRelease(world.context, await world.evaluate(example, await lockOf(world, example)));
  assert.ok(planned.ok && planned.value.environments['local']);
  const { environments: _, ...local } = example;
  const [core] = pathImages(local, planned.value.environments['local']);
  const proxy = await engine.images.inspect(`changeless/system/proxy:${planned.value.system.keys.proxy.slice(0, 16)}`);
  assert.ok(core && proxy);
  const bad = { ...core, config: { ...core.config, proxy: `${core.config.proxy}\nfrontend x\n    nonsense here\n` } };
  const { cacheFolder } = world.context;
  const checked = await checkPaths(engine.images, {
    paths: [bad],
    proxy: { id: proxy.id, key: planned.value.system.keys.proxy },
    cacheFolder,
    place: (_, key) => key,
    locator: async () => () => undefined,
    setAside: new SetAside(example),
  });
  assert.ok(!checked.ok);
  assert.equal(checked.problem.code, 'PATH_INVALID');
  assert.match(checked.problem.findings?.[0]?.what ?? '', /proxy\.cfg: .*nonsense/s);
});

test('what the proxy refuses of a policy is told at the place where it is written, whichever environment says it', async (t) => {
  const world = await worldOf(t);
  const source = `export default {
  apps: { catalog: { policy: { patches: {
    'CVE-1': { action: 'deny',
      path: { matches: '(' } } } } } },
  environments: { production: { apps: { catalog: { policy: { patches: {
    'CVE-2': [{ action: 'deny', source: '10.0.0.1' },
      { action: 'deny', header: { cookie: { matches: '[' } } }] } } } } } },
};`;
  await commitTree(world.folder, { 'architecture.ts': source });
  const patches = { 'CVE-2': [{ source: ['10.0.0.1'] }, { header: { cookie: { matches: '[' } } }] };
  const bad = architectureOf({
    ...example,
    apps: { catalog: { ...appOf('catalog', { api }), policy: { patches: { 'CVE-1': [{ path: [{ matches: '(' }] }] } } } },
    environments: { production: { apps: { catalog: { policy: { patches } } } } },
  });
  const built = await build(world, bad);
  assert.ok(!built.ok);
  assert.equal(built.problem.code, 'PATH_INVALID');
  assert.equal(built.problem.what, 'the proxy refuses the configuration of apps.catalog');
  const findings = (built.problem.findings ?? []).map(({ key, place, what }) => [
    `${place?.file}:${place?.line}`,
    key,
    /the proxy says: .*(regex '.' is invalid)/.exec(what)?.[1],
  ]);
  assert.deepEqual(findings, [
    ['architecture.ts:3', 'apps.catalog.policy.patches.CVE-1', "regex '(' is invalid"],
    ['architecture.ts:6', 'environments.production.apps.catalog.policy.patches.CVE-2', "regex '[' is invalid"],
  ]);
});

test('an architecture is evaluated in a container that sees its files and no network', async (t) => {
  const world = await worldOf(t);
  const program = `
    import { networkInterfaces } from 'node:os';
    import { readFileSync } from 'node:fs';
    const value = { text: readFileSync('/architecture/' + process.argv[2], 'utf8'), networks: Object.keys(networkInterfaces()) };
    console.log(JSON.stringify({ ok: true, value, loaded: [], missing: [] }));`;
  await writeFile(path.join(world.context.assets.bundle, 'evaluator.js'), program);
  await writeFile(path.join(world.context.assets.bundle, 'package.json'), '{"type":"module"}');
  const evaluate = evaluationContainer({ ...world.context, lock: await lockOf(world, example) });
  const output = await evaluate({ files: [{ path: 'deep/architecture.ts', contents: 'the text' }], entry: 'deep/architecture.ts' });
  assert.deepEqual(output, { ok: true, value: { ok: true, value: { text: 'the text', networks: ['lo'] }, loaded: [], missing: [] } });
});
