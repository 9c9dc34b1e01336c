import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InstanceSpec, ObservedInstance } from '../../src/engine/engine.ts';
import type { Manifest } from '../../src/release/manifest.ts';
import { app, sealRelease, service, steps, streaming, type ReleaseChange } from './release-fixture.ts';
import { architecture, comparable, inWorld, makeRolloutWorld, type RolloutWorld } from './rollout-world.ts';

const { catalog: _, ...others } = streaming().apps;

/** The catalog's services, each with steps that run their own name. */
const withSteps = (api: ReturnType<typeof steps>, providers?: ReturnType<typeof steps>, rollout?: 'per-app') =>
  streaming({
    apps: {
      catalog: app(
        {
          api: service({ steps: api }),
          ...(providers && { providers: service({ entry: false, replicas: 1, steps: providers }) }),
        },
        'catalog.localhost',
      ),
      ...others,
    },
    ...(rollout && { rollout }),
  });

const migrating = withSteps(steps(['migrate', 'index'], ['warm']));

/** A commit that brings the catalog new instances. */
const next: ReleaseChange = { commit: 'second', architecture: migrating, keys: { 'catalog/api': '2' } };

/** Names of the steps that were begun, by service and name, in order; `end` says with what each ends. */
function recordSteps({ engine }: RolloutWorld, end: (name: string, spec: InstanceSpec) => number | 'runs' = () => 0): string[] {
  const begun: string[] = [];
  engine.world.onStep = (spec) => {
    const name = spec.name.split('.').slice(1, 3).join('/');
    begun.push(name);
    return end(name, spec);
  };
  return begun;
}

async function live(world: RolloutWorld, change: ReleaseChange = {}): Promise<Manifest> {
  const manifest = sealRelease(world.engine, change);
  assert.equal((await world.up(manifest)).outcome, 'live');
  await world.settled(manifest);
  return manifest;
}

const instancesOf = async ({ engine }: RolloutWorld, name: string): Promise<ObservedInstance[]> => {
  const observed = await engine.observe(architecture);
  assert.ok(observed.ok);
  return observed.value.instances.filter(({ owner }) => owner.name === name);
};

const stepsThere = async (world: RolloutWorld): Promise<string[]> =>
  (await instancesOf(world, 'catalog')).filter(({ role }) => role === 'step').map(({ name, exitCode }) => `${name} ${exitCode}`);

const generationOf = async (world: RolloutWorld): Promise<string | undefined> =>
  (await instancesOf(world, 'catalog')).find(({ path }) => path?.phase === 'serving')?.generation;

/** Where in the story something was said of an instance or a unit for the last time. */
const moment = ({ events }: RolloutWorld, type: string, name?: string): number =>
  events.findLastIndex((event) => event.type === type && (name === undefined || JSON.stringify(event).includes(name)));

inWorld('steps run in their order: before an instance starts, and once the release is live', async (world) => {
  const begun = recordSteps(world);
  await live(world, { architecture: migrating });
  assert.deepEqual(begun, ['api/migrate', 'api/index', 'api/warm']);
  assert.ok(moment(world, 'step-ended', 'api/migrate') < moment(world, 'step-started', 'api/index'));
  const first = world.events.findIndex((event) => event.type === 'instance-started' && event.instance.startsWith('catalog.'));
  assert.ok(moment(world, 'step-ended', 'api/index') < first);
  assert.ok(moment(world, 'release-live') < moment(world, 'step-started', 'api/warm'));
  const end = world.events[moment(world, 'step-ended', 'api/migrate')];
  assert.ok(end?.type === 'step-ended' && end.exitCode === 0 && end.durationMs > 0);
});

inWorld('steps of different services run side by side, and apps without steps do not wait', async (world) => {
  const begun = recordSteps(world, (name) => (name === 'api/index' || name === 'providers/fill' ? 'runs' : 0));
  const manifest = sealRelease(world.engine, { architecture: withSteps(steps(['migrate', 'index']), steps(['fill'])) });
  const up = world.up(manifest);
  await world.until(() => begun.length === 3 && world.engine.world.machine.of(architecture).instances.has('accounts.api-2.blue'));
  assert.deepEqual(begun.toSorted(), ['api/index', 'api/migrate', 'providers/fill']);
  assert.deepEqual(
    (await instancesOf(world, 'catalog')).filter(({ role }) => role !== 'step'),
    [],
  );
  await world.until(async () => (await instancesOf(world, 'accounts')).some(({ path }) => path?.phase === 'healthy'));
  for (const name of ['catalog.api.index.blue', 'catalog.providers.fill.blue']) world.engine.world.finish(name, 0);
  assert.equal((await up).outcome, 'live');
});

inWorld('an app that never becomes healthy fails the release while steps of another still run', async (world) => {
  await live(world);
  recordSteps(world, () => 'runs');
  const second = sealRelease(world.engine, { ...next, keys: { 'catalog/api': '2', 'accounts/api': '2' } });
  world.engine.world.unhealthy(({ owner, origin }) => owner.name === 'accounts' && origin.release === second.release);
  const end = await world.up(second);
  assert.deepEqual([end.outcome, end.problem?.code], ['failed', 'ROLLOUT_UNHEALTHY']);
  assert.deepEqual(await stepsThere(world), []);
});

inWorld('a step before the switch that fails fails the release, and nothing was switched', async (world) => {
  const first = await live(world);
  const before = comparable(world);
  const generation = await generationOf(world);
  const begun = recordSteps(world, (name, spec) => {
    world.engine.world.print(spec.name, 'no such column');
    return name === 'api/migrate' ? 3 : 0;
  });
  const second = sealRelease(world.engine, next);
  const end = await world.up(second);
  assert.equal(end.outcome, 'failed');
  assert.deepEqual(begun, ['api/migrate']);
  assert.deepEqual([end.problem?.code, end.problem?.why], ['STEP_FAILED', 'it ended with exit code 3']);
  assert.match(end.problem?.what ?? '', /^step migrate of catalog\/api failed before the switch to release /);
  assert.match(end.problem?.safe ?? '', /still serves all traffic/);
  assert.deepEqual(end.problem?.lines, ['no such column']);
  assert.equal(await generationOf(world), generation);
  await world.settled(first);
  assert.deepEqual(comparable(world), before);
  assert.equal((await world.up(second, { asked: 'up' })).problem?.code, 'RELEASE_QUARANTINED');
});

inWorld('a step that outlasts its limit is killed, which is to fail', async (world) => {
  await live(world);
  recordSteps(world, () => 'runs');
  const end = await world.up(sealRelease(world.engine, { ...next, architecture: withSteps(steps(['migrate'], [], 1)) }));
  assert.deepEqual([end.outcome, end.problem?.code], ['failed', 'STEP_FAILED']);
  assert.equal(end.problem?.why, 'it did not end within 0.001 s and was killed');
});

inWorld('a step after the switch that fails leaves the release live, and is said', async (world) => {
  recordSteps(world, (name) => (name === 'api/warm' ? 4 : 0));
  const manifest = sealRelease(world.engine, { architecture: withSteps(steps([], ['warm', 'tell'])) });
  const end = await world.up(manifest);
  assert.deepEqual([end.outcome, end.problem?.code, end.problem?.why], ['live', 'STEP_FAILED', 'it ended with exit code 4']);
  assert.match(end.problem?.safe ?? '', /is live/);
  await world.settled(manifest);
  assert.deepEqual(await stepsThere(world), ['catalog.api.warm.blue 4'], 'and none came after it');
  const later = sealRelease(world.engine, {
    commit: 'later',
    architecture: withSteps(steps([], ['warm', 'tell'])),
    keys: { 'accounts/api': '2' },
  });
  assert.equal((await world.up(later)).problem, undefined, 'it is not said again of a release that did not run it');
});

inWorld('a step after the switch holds up no draining, and the rollout is not over before it', async (world) => {
  const first = await live(world);
  const old = await generationOf(world);
  recordSteps(world, (name) => (name === 'api/warm' ? 'runs' : 0));
  const up = world.up(sealRelease(world.engine, next));
  await world.until(() => moment(world, 'unit-retired', String(old)) > 0);
  assert.ok((await stepsThere(world)).includes('catalog.api.warm.green undefined'));
  assert.equal(
    moment(world, 'rollout-ended'),
    world.events.findIndex(({ type }) => type === 'rollout-ended'),
    'only that of the first',
  );
  world.engine.world.finish('catalog.api.warm.green', 0);
  assert.equal((await up).outcome, 'live');
  assert.notEqual(await generationOf(world), old, first.release);
});

inWorld('what has run stays as the record of it until its generation goes', async (world) => {
  await live(world, { architecture: migrating });
  assert.deepEqual(
    await stepsThere(world),
    ['migrate', 'index', 'warm'].map((name) => `catalog.api.${name}.blue 0`),
  );
  const begun = recordSteps(world);
  await live(world, { commit: 'another', architecture: migrating, keys: { 'accounts/api': '2' } });
  assert.deepEqual(begun, [], 'no new body came');
  const told = (): number => world.events.filter(({ type }) => type === 'step-ended').length;
  const before = told();
  await live(world, { architecture: migrating });
  assert.deepEqual([begun, told()], [[], before], 'nor is it told again in another rollout of the release');
  const second = await live(world, next);
  assert.deepEqual(
    await stepsThere(world),
    ['migrate', 'index', 'warm'].map((name) => `catalog.api.${name}.green 0`),
  );
  await live(world, { commit: 'third', architecture: streaming() });
  assert.deepEqual(await stepsThere(world), []);
  assert.ok(!comparable(world).some((line) => line.includes('slot catalog.api.migrate')));
  begun.splice(0);
  assert.equal((await world.up(second)).outcome, 'live');
  assert.deepEqual(begun, ['api/migrate', 'api/index', 'api/warm'], 'an earlier release runs its steps as any');
});

inWorld('a path that changes alone runs no steps before it, also when their record is lost', async (world) => {
  await live(world, { architecture: migrating });
  await world.engine.removeInstance(architecture, 'catalog.api.migrate.blue');
  const begun = recordSteps(world);
  const { catalog } = migrating.apps;
  assert.ok(catalog);
  await live(world, {
    commit: 'second',
    architecture: { ...migrating, apps: { ...migrating.apps, catalog: { ...catalog, drain: { limitMs: 1 } } } },
  });
  assert.deepEqual(begun, []);
});

void test('what is kept true runs no steps, also when their record is lost', async (context) => {
  const world = await makeRolloutWorld();
  context.after(world.dispose);
  await live(world, { architecture: migrating });
  const begun = recordSteps(world);
  for (const name of ['migrate', 'warm']) await world.engine.removeInstance(architecture, `catalog.api.${name}.blue`);
  const [path] = world.engine.world.serving({ kind: 'app', name: 'catalog' });
  world.engine.world.kill(path ?? '');
  const replaced = (): boolean => world.events.some(({ type }) => type === 'instance-replaced');
  await world.until(() => replaced() && world.engine.world.serving({ kind: 'app', name: 'catalog' }).length === 1);
  world.engine.world.touch('catalog.api-1.blue', 'exec_start');
  await world.until(() => !comparable(world).some((line) => line.includes('exited') && line.includes('.path.')));
  assert.deepEqual(begun, []);
});

inWorld('what is kept true loses no record, though its place dies', async (world) => {
  const manifest = await live(world, { architecture: migrating });
  const begun = recordSteps(world);
  world.engine.world.kill('catalog.api-1.blue');
  world.engine.world.kill('catalog.api.migrate.blue.slot');
  await world.until(() => world.events.some(({ type }) => type === 'instance-replaced'));
  await world.settled(manifest);
  assert.deepEqual(begun, []);
  assert.equal((await stepsThere(world)).length, 3);
  assert.ok(!world.events.some((event) => event.type === 'instance-lost' && /migrate|index|warm/.test(event.instance)));
});

inWorld('a controller that takes over lets a step go on, and runs none that has ended', async (world) => {
  await live(world);
  const begun = recordSteps(world, (name) => (name === 'api/index' ? 'runs' : 0));
  const up = world.up(sealRelease(world.engine, next));
  await world.until(() => begun.includes('api/index'));
  const running = (await instancesOf(world, 'catalog')).find(({ name }) => name.includes('index'));
  const controllers = await world.engine.controllers(architecture);
  assert.ok(controllers.ok);
  const started = (): number => world.events.filter(({ type }) => type === 'controller-started').length;
  const before = started();
  world.engine.world.kill(controllers.value.at(-1)?.name ?? '');
  await world.until(() => started() > before);
  world.engine.world.finish('catalog.api.index.green', 0);
  assert.equal((await up).outcome, 'live');
  assert.deepEqual(begun, ['api/migrate', 'api/index', 'api/warm']);
  assert.ok((await instancesOf(world, 'catalog')).some(({ container }) => container === running?.container));
});

inWorld('what another body’s rollout left running goes before a step begins', async (world) => {
  await live(world);
  recordSteps(world, () => 'runs');
  const name = await world.start(sealRelease(world.engine, next));
  await world.until(async () => (await stepsThere(world)).length === 1);
  await world.engine.removeController(architecture, name);
  const ended = await world.ledger.rollouts(1);
  await world.ledger.end(ended[0]?.token ?? 0, { outcome: 'superseded' });
  const alone: string[] = [];
  recordSteps(world, (step) => {
    const running = [...world.engine.world.machine.of(architecture).instances.values()].filter(
      ({ spec, state }) => spec.role === 'step' && state === 'running' && !spec.name.includes(step.split('/')[1] ?? ''),
    );
    alone.push(`${step}: ${running.length}`);
    return 0;
  });
  await live(world, { commit: 'third', architecture: withSteps(steps(['other'])), keys: { 'catalog/api': '3' } });
  assert.deepEqual(alone, ['api/other: 0']);
});

inWorld('a step that failed in another release’s rollout, which nobody took back, is tried again', async (world) => {
  await live(world);
  recordSteps(world, () => 'runs');
  const name = await world.start(sealRelease(world.engine, next));
  await world.until(async () => (await stepsThere(world)).length === 1);
  await world.engine.removeController(architecture, name);
  const [rollout] = await world.ledger.rollouts(1);
  await world.ledger.end(rollout?.token ?? 0, { outcome: 'superseded' });
  world.engine.world.finish('catalog.api.migrate.green', 1);
  const begun = recordSteps(world);
  await live(world, { ...next, commit: 'third' });
  assert.deepEqual(begun, ['api/migrate', 'api/index', 'api/warm']);
});

inWorld('a step that fails holds its app back alone where apps are independent, and those after the switch wait for all', async (world) => {
  const perApp = (api: ReturnType<typeof steps>) => withSteps(api, undefined, 'per-app');
  await live(world, { architecture: perApp(steps([])) });
  const begun = recordSteps(world, (name) => (name === 'api/migrate' ? 1 : 'runs'));
  const architectureOf = (api: ReturnType<typeof steps>) => {
    const { catalog, accounts } = perApp(api).apps;
    assert.ok(catalog && accounts);
    const warmed = app({ api: service({ stores: ['sessions'], steps: steps([], ['heat']) }) }, 'other.localhost');
    return { ...perApp(api), apps: { catalog, accounts: warmed } };
  };
  const up = world.up(sealRelease(world.engine, { commit: 'second', architecture: architectureOf(steps(['migrate'])) }));
  await world.until(() => begun.includes('api/heat'));
  world.engine.world.finish('accounts.api.heat.green', 0);
  const end = await up;
  assert.deepEqual([end.outcome, end.held, end.problem?.code], ['live', [{ kind: 'app', name: 'catalog' }], 'STEP_FAILED']);
  assert.deepEqual(begun, ['api/migrate', 'api/heat']);
  assert.ok(moment(world, 'unit-switched', 'core') < moment(world, 'step-started', 'heat'));
  assert.ok(moment(world, 'unit-held-back') < moment(world, 'step-started', 'heat'));
});

void test('steps have a place in each colour, and reach what their service does', async (context) => {
  const world = await makeRolloutWorld();
  context.after(world.dispose);
  await live(world, { architecture: withSteps(steps(['migrate'])) });
  const slots = world.engine.world.machine.of(architecture).slots;
  const networks = (name: string) => slots.get(name)?.spec.networks.map(({ network }) => network);
  assert.deepEqual(networks('catalog.api.migrate.green.slot'), networks('catalog.api-1.green.slot'));
  assert.deepEqual(slots.get('catalog.api.migrate.blue.slot')?.spec.facts, { instance: 'migrate', app: 'catalog', service: 'api' });
});
