import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ImageId } from '../../src/digest.ts';
import { createContainer, listContainers, startContainer } from '../../src/engine/docker/containers.ts';
import { engineName, ofArchitecture, secretsName } from '../../src/engine/docker/names.ts';
import { listVolumes } from '../../src/engine/docker/volumes.ts';
import type { ControllerSpec, InstanceSpec } from '../../src/engine/engine.ts';
import { Secret } from '../../src/secret.ts';
import { instanceSpec, network, release, slotSpec, valueOf } from './contract-fixture.ts';
import { makeDockerWorld, type DockerWorld } from './docker-world.ts';

const value = 'correct-horse-battery-staple';

describe('secrets on Docker Engine', () => {
  let world: DockerWorld;
  const name = 'keeper';
  /** Says on its log who may do what with its secret, and lives on. */
  const script =
    'cd /run/secrets && id -u && stat -f -c %T . && stat -c "%a %u" password && touch password 2>/dev/null || echo cannot write; cat password >/dev/null && echo can read; sleep infinity';
  const imageAs = async (user: string): Promise<ImageId> => {
    const [image] = await world.engine.images.assemble([
      {
        base: world.images.service,
        files: [],
        change: { user, entrypoint: ['sh', '-c'], command: [script] },
        tag: `changeless-test/${user}:${world.architecture}`,
      },
    ]);
    assert.ok(image);
    return image;
  };
  const spec = (change: Partial<InstanceSpec> = {}): InstanceSpec =>
    instanceSpec(world, {
      name,
      slot: 'keepers',
      secrets: [{ file: 'password', secret: 'dbPassword', version: 7, sealed: 'x' }],
      ...change,
    });
  const start = async (wanted: InstanceSpec): Promise<void> =>
    valueOf(await world.engine.startInstance(world.architecture, wanted, { password: new Secret(value) }));
  const said = async (): Promise<string[]> => {
    const lines: string[] = [];
    const stop = new AbortController();
    for await (const { line } of world.engine.logs(world.architecture, name, { follow: true, signal: stop.signal }))
      if (lines.push(line) === 5) stop.abort();
    return lines;
  };
  const volumes = async (): Promise<string[]> =>
    (await listVolumes(world.client, world.architecture)).map(({ Name }) => Name).filter((each) => each.includes('.secrets.'));

  before(async () => {
    world = await makeDockerWorld();
    valueOf(await world.engine.ensureNetwork(world.architecture, network));
    valueOf(await world.engine.ensureSlot(world.architecture, slotSpec(world, { name: 'keepers' })));
  });
  after(() => world.dispose());

  for (const [user, uid] of [
    ['4321', '4321'],
    ['mail', '8'],
  ] as const)
    it(`lets user ${user} of the image read a secret, and write nothing`, async () => {
      await start(spec({ image: await imageAs(user) }));
      assert.deepEqual(await said(), [uid, 'tmpfs', `400 ${uid}`, 'cannot write', 'can read']);
      valueOf(await world.engine.removeInstance(world.architecture, name));
    });

  it('has the value in memory alone: in nothing that the engine tells or keeps', async () => {
    await start(spec());
    const member = await world.inspect(name);
    const containers = await listContainers(world.client, [ofArchitecture(world.architecture)]);
    const inspected = await Promise.all(containers.map(({ Id }) => world.client.bytes({ path: `/containers/${Id}/json` })));
    const told = [...inspected, JSON.stringify(await listVolumes(world.client, world.architecture))].join('\n');
    assert.equal(told.includes(value), false);
    assert.match(told, /dbPassword/);
    const exported = await world.client.bytes({ path: `/containers/${member.Id}/export` });
    assert.equal(exported.includes(value), false, 'it is in the layers of its container');
    valueOf(await world.engine.removeInstance(world.architecture, name));
  });

  it('clears away what whoever was killed in the middle was filling', async () => {
    await start(spec());
    const [volume = ''] = await volumes();
    await world.killInstance(name);
    const mount = { Type: 'volume' as const, Source: volume, Target: '/run/secrets' };
    const left = await createContainer(world.client, secretsName(world.architecture, name), {
      Image: world.images.sandbox,
      Labels: { 'dev.changeless.architecture': world.architecture, 'dev.changeless.role': 'once', 'dev.changeless.slot': 'keepers' },
      HostConfig: { NetworkMode: 'none', Mounts: [mount] },
    });
    await startContainer(world.client, left);
    await start(spec());
    assert.deepEqual(await world.secretsOf(name), { password: value });
    const now = await volumes();
    assert.equal(now.length, 1);
    assert.notEqual(now[0], volume);
    valueOf(await world.engine.removeInstance(world.architecture, name));
    assert.deepEqual(await volumes(), []);
  });

  it('takes what is left of secrets away with the place', async () => {
    await start(spec());
    await world.client.did({ method: 'DELETE', path: `/containers/${engineName(world.architecture, name)}`, query: { force: true } });
    assert.equal((await volumes()).length, 1);
    valueOf(await world.engine.removeSlot(world.architecture, 'keepers'));
    assert.deepEqual(await volumes(), []);
    valueOf(await world.engine.ensureSlot(world.architecture, slotSpec(world, { name: 'keepers' })));
  });

  it('has a controller find the keys, read-only, where there are any, and no other container', async () => {
    const { engine, architecture, images } = world;
    const controller = (of: string): ControllerSpec => ({
      name: of,
      image: images.controller,
      release,
      commit: 'uncommitted',
      environment: 'local',
      history: [],
    });
    const keysOf = async (of: string): Promise<unknown[]> => {
      const { HostConfig } = await world.inspect(of);
      return (HostConfig.Mounts ?? []).filter(({ Target }) => Target === '/identity').map(({ ReadOnly }) => ReadOnly);
    };
    const byHand = (opensSecrets: boolean): string => engine.controllerCommand(architecture, { ...controller('c'), opensSecrets }, 'tag');
    valueOf(await engine.startController(architecture, controller('before')));
    valueOf(await engine.keepKeys(architecture, { keys: [new Secret('KEY')], image: images.sandbox }));
    valueOf(await engine.startController(architecture, controller('afterwards')));
    await start(spec());
    assert.deepEqual([await keysOf('before'), await keysOf('afterwards'), await keysOf(name)], [[], [true], []]);
    assert.match(byHand(true), /dst=\/identity,readonly/);
    assert.doesNotMatch(byHand(false), /identity/);
    for (const each of ['before', 'afterwards']) valueOf(await engine.removeController(architecture, each));
    valueOf(await engine.removeInstance(architecture, name));
    valueOf(await engine.removeVolume(architecture, 'identity'));
  });

  it('finds that one was stopped and started again, and has lost them', async () => {
    await start(spec());
    assert.deepEqual(valueOf(await world.engine.inspectInstances(world.architecture)), []);
    const { Id } = await world.inspect(name);
    await world.killInstance(name);
    await startContainer(world.client, Id);
    const found = valueOf(await world.engine.inspectInstances(world.architecture));
    assert.deepEqual(
      found.map(({ what }) => what),
      ['it was stopped and started again, and its secrets are lost'],
    );
    valueOf(await world.engine.removeInstance(world.architecture, name));
  });
});
