import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareWithRelease } from '../../src/cli/compare.ts';
import { chooseLive, liveUnits, wholeHealth } from '../../src/cli/live-state.ts';
import type { Observation, ObservedController } from '../../src/engine/engine.ts';
import type { Manifest } from '../../src/release/manifest.ts';
import { desiredOf } from '../../src/rollout/desired.ts';
import { sealRelease } from '../rollout/release-fixture.ts';
import { makeRolloutWorld } from '../rollout/rollout-world.ts';

const controllerOf = ({ release }: Manifest, createdAt: string, history: readonly string[] = []): ObservedController =>
  ({
    name: `controller.${release.slice(0, 8)}`,
    container: release,
    release,
    environment: 'local',
    state: 'running',
    createdAt,
    history,
  }) as unknown as ObservedController;

/** The first release live in a world, a second one sealed, and the engine as it is then. */
async function liveWorld(): Promise<{ first: Manifest; second: Manifest; observation: Observation }> {
  const world = await makeRolloutWorld();
  const first = sealRelease(world.engine);
  const second = sealRelease(world.engine, { commit: 'second', keys: { 'catalog/api': '2' } });
  await world.up(first);
  const observed = await world.engine.observe('streaming');
  await world.dispose();
  if (!observed.ok) throw new Error(observed.problem.what);
  return { first, second, observation: observed.value };
}

const desired = (manifest: Manifest) => {
  const rendered = desiredOf(manifest, 'local');
  if (!rendered.ok) throw new Error(rendered.problem.what);
  return rendered.value;
};

test('the live generation is the one clients reach; its containers are told with the path first', async () => {
  const { first, observation } = await liveWorld();
  const units = liveUnits(observation, desired(first));
  assert.deepEqual(
    units.map(({ kind, name, state, instances }) => [kind, name, state, instances.length]),
    [
      ['core', 'core', 'live', 1],
      ['store', 'sessions', 'live', 2],
      ['app', 'accounts', 'live', 3],
      ['app', 'catalog', 'live', 4],
    ],
  );
  assert.equal(units[3]?.instances[0]?.role, 'path');
});

test('a replica that is missing or stopped makes its unit degraded, a path that is gone takes it down', async () => {
  const { first, observation } = await liveWorld();
  const without = (name: RegExp): Observation => ({
    ...observation,
    instances: observation.instances.filter((instance) => !name.test(instance.name)),
  });
  const stopped: Observation = {
    ...observation,
    instances: observation.instances.map((instance) =>
      instance.name.startsWith('catalog.api-1') ? { ...instance, state: 'exited' } : instance,
    ),
  };
  const stateOf = (changed: Observation): string | undefined =>
    liveUnits(changed, desired(first)).find(({ name }) => name === 'catalog')?.state;
  assert.equal(stateOf(without(/^catalog\.api-1/)), 'degraded');
  assert.equal(stateOf(stopped), 'degraded');
  assert.equal(stateOf(without(/^catalog\./)), 'down');
});

test('the youngest controller whose every generation is reached is the live one', async () => {
  const { first, second, observation } = await liveWorld();
  const older = { controller: controllerOf(first, '2026-01-01'), manifest: first };
  const newer = { controller: controllerOf(second, '2026-01-02', [first.release]), manifest: second };
  const chosen = chooseLive(observation, [older, newer]);
  assert.equal(chosen.live?.controller.release, first.release);
  assert.equal(chosen.newer?.controller.release, second.release);
  assert.equal(wholeHealth(chosen, true), 'rolling-out');
  assert.equal(wholeHealth(chooseLive(observation, [older]), false), 'live');
});

test('where no release is reached as a whole, the one before the youngest counts, and all is degraded', async () => {
  const { first, second, observation } = await liveWorld();
  const part: Observation = { ...observation, instances: observation.instances.filter(({ owner }) => owner.name !== 'accounts') };
  const chosen = chooseLive(part, [
    { controller: controllerOf(first, '2026-01-01'), manifest: first },
    { controller: controllerOf(second, '2026-01-02', [first.release]), manifest: second },
  ]);
  assert.equal(chosen.live?.controller.release, first.release);
  assert.equal(chosen.whole, false);
  assert.equal(wholeHealth(chosen, false), 'degraded');
  assert.equal(wholeHealth(chooseLive({ ...part, instances: [] }, []), false), 'down');
});

test('a comparison names what is missing, stopped, foreign or of another image', async () => {
  const { first, second, observation } = await liveWorld();
  assert.deepEqual(compareWithRelease({ desired: desired(first), observation }, []).drift, []);
  const kinds = (changed: Observation): string[] =>
    compareWithRelease({ desired: desired(first), observation: changed }, []).drift.map(
      ({ kind, name }) => `${kind} ${name.replace(/\.path\..*/, '.path')}`,
    );
  const { instances, networks, slots, volumes } = observation;
  assert.deepEqual(kinds({ ...observation, instances: instances.filter(({ name }) => !name.startsWith('catalog.api-1')) }), [
    'missing catalog.api-1.blue',
  ]);
  assert.deepEqual(
    kinds({
      ...observation,
      instances: instances.map((one) => (one.name.startsWith('catalog.api-1') ? { ...one, image: 'sha256:0' as never } : one)),
    }),
    ['image catalog.api-1.blue'],
  );
  assert.deepEqual(
    kinds({ ...observation, instances: instances.map((one) => (one.role === 'server' ? { ...one, state: 'exited', exitCode: 1 } : one)) }),
    ['stopped sessions.server.blue'],
  );
  assert.equal(kinds({ ...observation, networks: networks.slice(1) }).length, 1);
  assert.equal(
    kinds({ ...observation, slots: slots.map((slot) => (slot.owner.kind === 'core' ? { ...slot, ready: false } : slot)) })[0]?.split(
      ' ',
    )[0],
    'slot',
  );
  assert.equal(kinds({ ...observation, volumes: volumes.filter(({ owner }) => owner.kind !== 'store') })[0]?.split(' ')[0], 'missing');
  const ofSecond = compareWithRelease({ desired: desired(second), observation }, []).drift;
  assert.ok(
    ofSecond.length > 0 && ofSecond.every(({ kind, name }) => kind === 'generation' && name.startsWith('catalog')),
    JSON.stringify(ofSecond),
  );
});
