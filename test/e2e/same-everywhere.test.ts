import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { containersOf, docker, imagesOf } from './docker.ts';
import { ask, freePort, makeWorld, until, worldAt, type World } from './world.ts';

let world: World;
let productionPort: number;
before(async () => {
  productionPort = await freePort();
  const publish = `publish: [{ address: '127.0.0.1', port: ${productionPort} }]`;
  world = await makeWorld('streaming', { file: 'architecture.ts', from: `publish: [{ address: '0.0.0.0', port: 80 }]`, to: publish });
});
after(() => world?.dispose());

type Built = { release: string; build: { component: string; reused: boolean }[] };

const isMade = (tag: string): boolean => /^release:|\.configured:|\.path:/.test(tag);

/** The images that hold more than a component: configured ones, data paths, releases. */
const madeImages = async (): Promise<[string, string][]> =>
  [...(await imagesOf(world.architecture))].filter(([tag]) => isMade(tag)).toSorted(([a], [b]) => (a < b ? -1 : 1));

test('one commit is one release, wherever it is made and wherever it runs', async (story) => {
  await story.test('two clones in different folders at different times make the same release of the very same images', async () => {
    const here = await world.json<Built>('build');
    assert.equal(here.code, 0);
    const made = await madeImages();
    assert.equal(made.filter(([tag]) => tag.startsWith('release:')).length, 2, 'one for each environment');
    assert.ok(made.filter(([tag]) => tag.includes('.configured:')).length >= 4);
    await docker('rmi', ...made.map(([tag]) => `changeless/${world.architecture}/${tag}`));
    assert.deepEqual(await madeImages(), []);
    const root = path.join(world.root, 'somewhere');
    const folder = path.join(root, 'else', 'deep');
    mkdirSync(root);
    await world.git('clone', '--quiet', world.folder, folder);
    const there = await worldAt({ ...world, root, folder }).json<Built>('build');
    assert.equal(there.value.release, here.value.release);
    assert.ok(
      there.value.build.every(({ reused }) => reused),
      'from the same component images',
    );
    assert.deepEqual(await madeImages(), made);
  });

  let local: string;
  await story.test('it runs on a laptop', async () => {
    await world.done('up');
    const status = await world.status();
    local = status.release;
    assert.deepEqual([status.environment, status.apps['catalog']?.urls], ['local', [`http://catalog.localhost:${world.port}`]]);
  });

  await story.test('in production it has other ports, hosts and replicas, and is the same release', async () => {
    await world.done('up', '--environment', 'production');
    const status = await world.status();
    assert.deepEqual([status.environment, status.release, status.state], ['production', local, 'live']);
    assert.deepEqual(status.apps['catalog']?.urls, [`http://catalog.example.com:${productionPort}`]);
    const services = (await containersOf(world.architecture)).filter(({ role }) => role === 'service');
    assert.deepEqual(
      services.map(({ name }) => name.replace(/^.*?\.(.*)\.(?:blue|green)$/, '$1')),
      ['accounts.api-1', 'accounts.api-2', 'accounts.api-3', 'catalog.api-1', 'catalog.api-2', 'catalog.api-3', 'catalog.providers-1'],
    );
    await assert.rejects(world.ask('catalog.localhost'), /ECONNREFUSED/, 'the port of local is free again');
    assert.equal((await world.json('verify')).code, 0);
  });

  await story.test('every instance knows who it is', async () => {
    const { apps } = await world.status();
    for (const app of ['catalog', 'accounts']) {
      const known = new Set<string>();
      await until(`all three instances of ${app} have answered`, async () => {
        const told = await ask({ host: `${app}.example.com`, port: productionPort });
        assert.deepEqual([told.app, told.service, told.generation], [app, 'api', apps[app]?.generation]);
        known.add(told.instance);
        return known.size >= 3;
      });
      assert.deepEqual([...known].toSorted(), ['api-1', 'api-2', 'api-3']);
    }
  });
});
