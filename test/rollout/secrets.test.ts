import assert from 'node:assert/strict';
import { fixtureIdentity } from './secret-fixture.ts';
import { sealRelease, sealWithImage, secretive, streaming } from './release-fixture.ts';
import { comparable, inWorld } from './rollout-world.ts';

inWorld('a release whose secrets cannot be opened touches nothing, and may come once the key is there', async (world) => {
  const { engine, up, settled } = world;
  const first = sealRelease(engine, { architecture: streaming() });
  await up(first);
  await settled(first);
  const before = comparable(world);
  world.identity = undefined;
  const second = sealRelease(engine, { commit: 'second', architecture: secretive(1) });
  const ended = await up(second, { asked: 'up' });
  assert.deepEqual([ended.outcome, ended.problem?.code], ['failed', 'IDENTITY_MISSING']);
  await settled(first);
  assert.deepEqual(comparable(world), before);
  assert.equal(
    world.events.some((event) => event.type === 'rollout-started' && event.release === second.release),
    false,
  );
  world.identity = fixtureIdentity;
  assert.equal((await up(second, { asked: 'up' })).outcome, 'live', 'that there was no key says nothing against the release');
  assert.equal(JSON.stringify(await world.ledger.events({ limit: 1000 })).includes('value 1'), false);
});

inWorld('after a reboot all find their secrets again, of which nobody brought any', async (world) => {
  const { engine, up, settled } = world;
  const release = sealRelease(engine, { architecture: secretive(2) });
  await up(release);
  await settled(release);
  const found = (): unknown[] =>
    ['catalog.api-1.blue', 'catalog.api-2.blue', 'sessions.server.blue'].map((name) => engine.world.secretsOf(name));
  const before = found();
  assert.deepEqual(before, [{ password: 'value 2' }, { password: 'value 2' }, { dbPassword: 'value 2' }]);
  engine.world.stopEngine();
  assert.deepEqual(found(), [{}, {}, {}]);
  engine.world.startEngine();
  await settled(release);
  assert.deepEqual(found(), before);
  // Everything was down for a moment.
  engine.world.availability.outages.length = 0;
});

inWorld('an app that is held back finds the secrets that its own release names', async (world) => {
  const { engine, up, until } = world;
  const perApp = (version: number) => ({ ...secretive(version), rollout: 'per-app' as const });
  const first = sealWith(world, { architecture: perApp(1) });
  await up(first);
  const second = sealWith(world, { commit: 'second', architecture: perApp(2) });
  const broken = second.outputs.environments['local']?.apps['catalog']?.images.services['api'];
  engine.world.unhealthy(({ image }) => image === broken);
  const ended = await up(second);
  assert.deepEqual(ended.held, [{ kind: 'app', name: 'catalog' }]);
  const value = (): string | undefined => engine.world.secretsOf('catalog.api-1.blue')['password'];
  assert.equal(value(), 'value 1');
  engine.world.kill('catalog.api-1.blue');
  await until(() => value() !== undefined);
  assert.equal(value(), 'value 1');
});

const sealWith = ({ engine }: { engine: Parameters<typeof sealWithImage>[0] }, change: Parameters<typeof sealWithImage>[1]) =>
  sealWithImage(engine, change).manifest;
