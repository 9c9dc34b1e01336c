import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Architecture } from '../architecture/model.ts';
import { labels } from '../engine/labels.ts';
import { appOf, architectureOf, serviceOf, sourceOf, storeOf } from './build-fixture.ts';
import { inOneTurn, plan, problemOf, tagsOf, tryBuild, unnamedOf, workshopOf, type Workshop } from './workshop-fixture.ts';

/** Three apps of one folder: `catalog` and `accounts` share a component, `search` has a test of its own. */
const independent = architectureOf({
  rollout: 'per-app',
  apps: {
    catalog: appOf('catalog', { api: serviceOf('api') }),
    accounts: appOf('accounts', { api: serviceOf('api') }),
    search: appOf('search', { api: serviceOf('api', { build: sourceOf('api', { tests: [{ command: ['check'] }] }) }) }),
  },
  stores: { db: storeOf('db') },
  environments: { production: { apps: { search: { services: { api: { settings: { A: '2' } } } } } } },
});

const goesOn = (): boolean => true;

const build = async (workshop: Workshop, architecture: Architecture = independent) =>
  await tryBuild(workshop, await plan(workshop, architecture), { goesOn });

const failTests = ({ engine }: Workshop): void => {
  engine.images.onRunOnce = ({ command }) => (command?.[0] === 'check' ? { exitCode: 3, stdout: 'no\n' } : {});
};

/** Components without a test do not build. */
const failUntested = ({ engine }: Workshop): void => {
  engine.images.onBuild = ({ labels: of }) =>
    of[labels.role] === 'component' && !of[labels.tests]
      ? { step: 'RUN make', lines: ['no'], message: 'exit code 1', noSpace: false }
      : undefined;
};

test('an independent app whose tests fail is done without, in every environment, and the rest is sealed', async (t) => {
  const workshop = await workshopOf(t);
  failTests(workshop);
  const built = await build(workshop);
  assert.ok(built.ok, JSON.stringify(built));
  const { outputs } = built.value.manifest;
  assert.deepEqual(Object.keys(outputs.unbuilt ?? {}), ['search']);
  assert.deepEqual([outputs.unbuilt?.['search']?.code, outputs.unbuilt?.['search']?.lines], ['TESTS_FAILED', ['no']]);
  assert.deepEqual(Object.keys(outputs.components), ['accounts/api', 'catalog/api', 'db']);
  for (const environment of ['local', 'production'])
    assert.deepEqual(Object.keys(outputs.environments[environment]?.apps ?? {}), ['catalog', 'accounts']);
  assert.ok((await tagsOf(workshop)).every((tag) => !/\/(search)/.test(tag)));
  assert.equal(await unnamedOf(workshop), 0);
});

test('what was sealed with an app whose tests then fail is taken away', async (t) => {
  const workshop = await workshopOf(t);
  let most = 0;
  workshop.engine.images.onRunOnce = async ({ command }) => {
    if (command?.[0] !== 'check') return {};
    while (most === 0) most = await inOneTurn(unnamedOf(workshop));
    return { exitCode: 1 };
  };
  const built = await build(workshop);
  assert.ok(built.ok, JSON.stringify(built));
  assert.deepEqual(Object.keys(built.value.manifest.outputs.unbuilt ?? {}), ['search']);
  assert.ok(most > 0);
  assert.equal(await unnamedOf(workshop), 0);
});

test('what could not be built is tried again by the next build of the same commit, and has the same release', async (t) => {
  const workshop = await workshopOf(t);
  failTests(workshop);
  const first = await build(workshop);
  workshop.engine.images.onRunOnce = undefined;
  const second = await build(workshop);
  assert.ok(first.ok && second.ok);
  assert.equal(second.value.manifest.release, first.value.manifest.release);
  assert.equal(second.value.manifest.outputs.unbuilt, undefined);
  assert.deepEqual(Object.keys(second.value.manifest.outputs.environments['local']?.apps ?? {}), ['catalog', 'accounts', 'search']);
});

test('apps that share a component that does not build are all done without', async (t) => {
  const workshop = await workshopOf(t);
  failUntested(workshop);
  const { stores: _, ...withoutStore } = independent;
  const built = await build(workshop, { ...withoutStore, stores: {} });
  assert.ok(built.ok, JSON.stringify(built));
  assert.deepEqual(Object.keys(built.value.manifest.outputs.unbuilt ?? {}).toSorted(), ['accounts', 'catalog']);
});

test("a store's component that does not build ends the build", async (t) => {
  const workshop = await workshopOf(t);
  failUntested(workshop);
  assert.equal(problemOf(await build(workshop)).code, 'BUILD_FAILED');
  assert.ok((await tagsOf(workshop)).every((tag) => !tag.includes('/release:')));
});

test('an app whose data path the proxy refuses is done without, and the others are not checked again', async (t) => {
  const workshop = await workshopOf(t);
  const checked: string[][] = [];
  workshop.engine.images.onRunOnce = ({ files = [], labels: of }) => {
    if (of[labels.role] !== 'check') return {};
    const configurations = files
      .filter(({ path }) => path.endsWith('/proxy.cfg'))
      .map(({ path, contents }) => ({ path, text: String(contents) }));
    checked.push(configurations.map(({ path }) => path));
    const bad = configurations.filter(({ text }) => text.includes('search-web')).map(({ path }) => /(\d+)\/proxy\.cfg$/.exec(path)?.[1]);
    return { stdout: bad.map((index) => `changeless-refused ${index} proxy\n[ALERT] bad\n`).join('') };
  };
  const named = { ...independent.apps, search: appOf('search', { 'search-web': serviceOf('api') }) };
  const architecture = { ...independent, apps: named, environments: {} };
  const built = await build(workshop, architecture);
  assert.ok(built.ok, JSON.stringify(built));
  const { search } = built.value.manifest.outputs.unbuilt ?? {};
  assert.equal(search?.code, 'PATH_INVALID');
  assert.deepEqual(search.findings, [{ key: 'apps.search', what: 'proxy.cfg: [ALERT] bad' }]);
  await build(workshop, architecture);
  assert.ok((checked[0]?.length ?? 0) > 2);
  assert.ok((checked[1]?.length ?? 9) <= 2, 'only what was refused is asked again');
});

for (const [what, architecture, options] of [
  ['all go together', { ...independent, rollout: undefined }, { goesOn }],
  ['the rest is not worth a release', independent, { goesOn: () => false }],
  ['nobody asked for it', independent, {}],
] as const)
  test(`where ${what}, one app that fails ends the build`, async (t) => {
    const workshop = await workshopOf(t);
    failTests(workshop);
    const { rollout, ...rest } = architecture;
    const planned = await plan(workshop, rollout === undefined ? rest : { ...rest, rollout });
    assert.equal(problemOf(await tryBuild(workshop, planned, options)).code, 'TESTS_FAILED');
    assert.ok((await tagsOf(workshop)).every((tag) => !tag.includes('/release:')));
  });

test('no space is nobody’s own fault', async (t) => {
  const workshop = await workshopOf(t);
  workshop.engine.images.onBuild = () => ({ step: '', lines: [], message: 'no space left on device', noSpace: true });
  assert.equal(problemOf(await build(workshop)).code, 'NO_SPACE');
});
