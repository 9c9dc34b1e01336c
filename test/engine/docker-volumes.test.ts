import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { VolumeSpec } from '../../src/engine/engine.ts';
import { createContainer, startContainer } from '../../src/engine/docker/containers.ts';
import { engineName } from '../../src/engine/docker/names.ts';
import { copierCreation } from '../../src/engine/docker/volumes.ts';
import { labels } from '../../src/engine/labels.ts';
import { observe, store, valueOf } from './contract-fixture.ts';
import { type DockerWorld, makeDockerWorld } from './docker-world.ts';

const data: VolumeSpec = { name: 'orders.data', owner: store };
const copy: VolumeSpec = { name: 'orders.copy', owner: store };

let world: DockerWorld;
before(async () => {
  world = await makeDockerWorld();
  valueOf(await world.engine.ensureVolume(world.architecture, data));
});
after(() => world.dispose());

/** Runs a script in a container that has the volume at /volume. */
async function inVolume(volume: string, script: string): Promise<string> {
  const { exitCode, stdout, stderr } = await world.engine.images.runOnce({
    image: world.images.service,
    command: ['sh', '-c', script],
    labels: { [labels.architecture]: world.architecture },
    network: 'none',
    volumes: [{ volume: engineName(world.architecture, volume), path: '/volume', writable: true }],
    readOnly: false,
    limitMs: 30_000,
  });
  assert.equal(exitCode, 0, stderr);
  return stdout;
}

const listing = "cd /volume && find . -printf '%p %U:%G %m %n %l\\n' | sort";

void test('a copy has the same owners, modes and links, and nothing that was there before', async () => {
  const files = 'cd /volume && mkdir -m 2750 sub && echo one > sub/one && ln sub/one two && ln -s sub/one three';
  await inVolume(data.name, `${files} && chown -R 999:998 . && chmod 0600 sub/one && chmod g+s sub && chmod 0700 .`);
  valueOf(await world.engine.ensureVolume(world.architecture, copy));
  await inVolume(copy.name, 'mkdir /volume/.stale && touch /volume/.stale/file /volume/-stale');
  valueOf(await world.engine.copyVolume(world.architecture, { from: data.name, to: copy, image: world.images.sandbox }));
  const wanted = await inVolume(data.name, listing);
  assert.match(wanted, /^\. 999:998 700/);
  assert.match(wanted, /\.\/sub 999:998 2750/);
  assert.equal(await inVolume(copy.name, listing), wanted);
});

void test('a copy that nobody waits for any more is ended by the next one, and is no stranger meanwhile', async () => {
  const request = { from: data.name, to: copy, image: world.images.sandbox };
  const creation = copierCreation(world.architecture, request);
  const abandoned = await createContainer(world.client, engineName(world.architecture, `${copy.name}.copier`), {
    ...creation,
    Cmd: ['-c', 'sleep 600'],
  });
  await startContainer(world.client, abandoned);
  const { strangers, instances } = await observe(world);
  assert.deepEqual([strangers, instances], [[], []]);
  valueOf(await world.engine.copyVolume(world.architecture, request));
  assert.equal(await inVolume(copy.name, listing), await inVolume(data.name, listing));
  valueOf(await world.engine.removeVolume(world.architecture, copy.name));
});
