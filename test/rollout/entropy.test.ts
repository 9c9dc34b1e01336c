import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Manifest } from '../../src/release/manifest.ts';
import { app, sealRelease, service, streaming, store, type ReleaseChange } from './release-fixture.ts';
import { makeRolloutWorld, type RolloutWorld } from './rollout-world.ts';

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

/** The same numbers in every run. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed; ;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state >>> 8;
  }
}

/** What there is, without what tells one rollout, or one colour, from another. */
const comparable = ({ engine }: RolloutWorld): string[] =>
  engine.world
    .inventory()
    .map((line) => line.replace(/controller\.[0-9a-f]{8}\.\d+/, 'controller').replace(/(\.path\.[0-9a-f]{8})\.\d+ (\S+) \S+/, '$1 $2'))
    .map((line) => (line.includes(': instance ') ? line.replace(/\.(blue|green)\b/, '') : line))
    .toSorted();

async function fresh(manifestOf: (world: RolloutWorld) => Manifest): Promise<string[]> {
  const world = await makeRolloutWorld();
  const manifest = manifestOf(world);
  await world.up(manifest);
  await world.settled(manifest);
  const there = comparable(world);
  await world.dispose();
  return there;
}

void test(`after ${rollouts} rollouts, rollbacks and failures the engine holds what a fresh install does`, async (context) => {
  const random = numbers(7);
  const pick = (below: number): number => random.next().value % below;
  const world = await makeRolloutWorld();
  const first = sealRelease(world.engine);
  const good: Manifest[] = [first];
  const outcomes = new Map<string, number>();
  await world.up(first);
  for (let number = 1; number <= rollouts; number += 1) {
    const change = changes[pick(changes.length)]?.(number) ?? {};
    const next = sealRelease(world.engine, { commit: `${number}`, ...change });
    const kind = ['up', 'up', 'rollback', 'failure', 'loss'][pick(5)] ?? 'up';
    world.engine.world.unhealthy(({ origin }) => kind === 'failure' && origin.release === next.release);
    const wanted = kind === 'rollback' ? (good[pick(good.length)] ?? first) : next;
    const { outcome } = await world.up(wanted);
    if (outcome === 'live' && kind !== 'rollback') good.push(next);
    const serving = world.engine.world.serving({ kind: 'app', name: 'catalog' });
    if (kind === 'loss') for (const name of serving) world.engine.world.kill(name);
    outcomes.set(`${kind} ${outcome}`, (outcomes.get(`${kind} ${outcome}`) ?? 0) + 1);
  }
  context.diagnostic([...outcomes].map(([name, count]) => `${count} × ${name}`).join(', '));
  assert.equal((await world.up(first)).outcome, 'live');
  await world.settled(first);
  assert.deepEqual(comparable(world), await fresh(({ engine }) => sealRelease(engine)));
  await world.dispose();
});
