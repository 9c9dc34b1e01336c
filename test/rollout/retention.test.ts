import assert from 'node:assert/strict';
import { labels } from '../../src/engine/labels.ts';
import type { Manifest } from '../../src/release/manifest.ts';
import { sealWithImage } from './release-fixture.ts';
import { architecture, inWorld, type RolloutWorld } from './rollout-world.ts';

const seal = ({ engine }: RolloutWorld, number: number): Manifest =>
  sealWithImage(engine, { commit: `${number}`, keys: { 'catalog/api': `${number}` } }).manifest;

const apiOf = ({ outputs }: Manifest) => outputs.environments['local']?.apps['catalog']?.images.services['api'] ?? '';

async function releasesThere({ engine }: RolloutWorld): Promise<(string | undefined)[]> {
  const images = await engine.images.list({ labels: { [labels.architecture]: architecture, [labels.role]: 'controller' } });
  return images.map((image) => image.labels[labels.release]);
}

inWorld('the images of releases of long ago are forgotten, and nothing that another still needs', async (world) => {
  const built = seal(world, 1000);
  const releases: Manifest[] = [];
  for (let number = 0; number < 14; number += 1) {
    const manifest = seal(world, number);
    releases.push(manifest);
    await world.up(manifest);
    await world.settled(manifest);
  }
  await world.until(async () => (await releasesThere(world)).length === 13);
  const there = await releasesThere(world);
  assert.deepEqual(
    releases.filter(({ release }) => !there.includes(release)).map(({ release }) => release),
    releases.slice(1, 3).map(({ release }) => release),
    'the live one stays, the first whose containers still run, and ten more',
  );
  assert.ok(there.includes(built.release), 'what never ran may be about to');
  const present = await Promise.all(releases.map(async (manifest) => (await world.engine.images.inspect(apiOf(manifest))) !== undefined));
  assert.deepEqual(present.slice(0, 4), [true, false, false, true]);
  const [, oldest] = releases;
  const server = oldest?.outputs.environments['local']?.stores['sessions']?.images.services['server'];
  assert.ok(server && (await world.engine.images.inspect(server)), 'it is in every release');
  const told = world.events.flatMap((event) => (event.type === 'releases-forgotten' ? event.releases : []));
  assert.deepEqual(
    told.toSorted(),
    releases
      .slice(1, 3)
      .map(({ release }) => release)
      .toSorted(),
  );
});

inWorld('as long as one manifest cannot be read, nothing is forgotten', async (world) => {
  const releases = Array.from({ length: 13 }, (_, number) => seal(world, number));
  world.engine.world.images.add({
    tag: 'changeless/streaming/release:broken',
    labels: { [labels.architecture]: architecture, [labels.role]: 'controller', [labels.release]: 'f'.repeat(64) },
  });
  for (const manifest of releases) {
    await world.up(manifest);
    await world.settled(manifest);
  }
  assert.equal((await releasesThere(world)).length, 14);
});
