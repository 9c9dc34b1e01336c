import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Manifest } from '../../src/release/manifest.ts';
import { app, sealRelease, service, streaming, store, type ReleaseChange } from './release-fixture.ts';
import { Random } from '../simulation/random.ts';
import { comparable, makeRolloutWorld, type RolloutWorld } from './rollout-world.ts';

const rollouts = 100;

const newApp = { ...streaming().apps, extra: app({ web: service({ replicas: 3 }) }, 'extra.localhost') };

/** What a commit may change; the number makes it another each time. */
const changes: readonly ((number: number) => ReleaseChange)[] = [
  (number) => ({ keys: { 'catalog/api': `${number}` } }),
  (number) => ({ keys: { 'catalog/providers': `${number}`, 'accounts/api': `${number}` } }),
  (number) => ({ keys: { sessions: `${number}` } }),
  (number) => ({ architecture: streaming({ stores: { sessions: store({ settings: { NUMBER: `${number}` } }) } }) }),
  (number) => ({ architecture: streaming({ apps: { ...streaming().apps, accounts: app({ api: service() }, `a${number}.localhost`) } }) }),
  () => ({ architecture: streaming({ apps: newApp }) }),
  () => ({ architecture: streaming({ rollout: 'per-app' }), keys: { 'catalog/api': 'p' } }),
];

/** What there is, without what tells one colour from another: an app is in either, and a path has an image for each. */
const withoutColours = (world: RolloutWorld): string[] =>
  comparable(world)
    .map((line) => line.replace(/(\.path\.[0-9a-f]{8} \S+) \S+/, '$1'))
    .map((line) => (line.includes(': instance ') ? line.replace(/\.(blue|green)\b/, '') : line))
    .toSorted();

async function fresh(manifestOf: (world: RolloutWorld) => Manifest): Promise<string[]> {
  const world = await makeRolloutWorld();
  const manifest = manifestOf(world);
  await world.up(manifest);
  await world.settled(manifest);
  const there = withoutColours(world);
  await world.dispose();
  return there;
}

void test(`after ${rollouts} rollouts, rollbacks and failures the engine holds what a fresh install does`, async (context) => {
  const random = new Random(7);
  const world = await makeRolloutWorld();
  const first = sealRelease(world.engine);
  const good: Manifest[] = [first];
  const outcomes = new Map<string, number>();
  await world.up(first);
  for (let number = 1; number <= rollouts; number += 1) {
    const change = random.pick(changes)(number);
    const next = sealRelease(world.engine, { commit: `${number}`, ...change });
    const kind = random.pick(['up', 'up', 'rollback', 'failure', 'loss']);
    world.engine.world.unhealthy(({ origin }) => kind === 'failure' && origin.release === next.release);
    const wanted = kind === 'rollback' ? random.pick(good) : next;
    const { outcome } = await world.up(wanted);
    if (outcome === 'live' && kind !== 'rollback') good.push(next);
    const serving = world.engine.world.serving({ kind: 'app', name: 'catalog' });
    if (kind === 'loss') for (const name of serving) world.engine.world.kill(name);
    outcomes.set(`${kind} ${outcome}`, (outcomes.get(`${kind} ${outcome}`) ?? 0) + 1);
  }
  context.diagnostic([...outcomes].map(([name, count]) => `${count} × ${name}`).join(', '));
  assert.equal((await world.up(first)).outcome, 'live');
  await world.settled(first);
  assert.deepEqual(withoutColours(world), await fresh(({ engine }) => sealRelease(engine)));
  await world.dispose();
});
