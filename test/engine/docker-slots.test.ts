import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { after, before, describe, it } from 'node:test';
import { createContainer, listContainers, removeContainer, startContainer } from '../../src/engine/docker/containers.ts';
import { openDockerEngine } from '../../src/engine/docker/docker-engine.ts';
import { readOutput } from '../../src/engine/docker/logs.ts';
import { engineName, memoryName } from '../../src/engine/docker/names.ts';
import { fillerCreation, memoryOf } from '../../src/engine/docker/slot-creation.ts';
import { parseSubnet } from '../../src/engine/docker/subnets.ts';
import { treeTar } from '../../src/engine/docker/tar.ts';
import { listVolumes } from '../../src/engine/docker/volumes.ts';
import type { VendorNetwork } from '../../src/engine/docker/vendor.ts';
import type { ControllerSpec, InstanceSpec, SlotSpec } from '../../src/engine/engine.ts';
import { app, instanceIn, instanceSpec, network, observe, release, slotIn, slotSpec, started, valueOf } from './contract-fixture.ts';
import { engineHost, makeDockerWorld, type DockerWorld } from './docker-world.ts';

const outside = { ...network, name: 'eng/outside', internal: false };

describe('a slot of Docker Engine', () => {
  let world: DockerWorld;
  const spec = (): SlotSpec =>
    slotSpec(world, {
      name: 'api-1.blue',
      colour: 'blue',
      search: 'blue',
      networks: [
        { network: network.name, aliases: ['api.blue', 'api-1.blue'] },
        { network: outside.name, aliases: [] },
      ],
    });
  const instance = (): InstanceSpec =>
    instanceSpec(world, {
      name: 'api-1',
      slot: 'api-1.blue',
      limits: { memoryBytes: 2 ** 26, processes: 20, cpus: 0.5 },
      mounts: [
        { kind: 'memory', path: '/scratch', sizeBytes: 2 ** 20 },
        { kind: 'volume', volume: 'eng/kept', path: '/kept' },
      ],
    });
  const inContainer = async (...command: string[]): Promise<string> => {
    // Read through a probe in the same namespace and with the same memory: nothing of ours is exec'd into.
    const probe = await createContainer(world.client, '', {
      Image: world.images.service,
      Entrypoint: command.slice(0, 1),
      Cmd: command.slice(1),
      Labels: { 'dev.changeless.architecture': world.architecture, 'dev.changeless.role': 'once' },
      HostConfig: {
        NetworkMode: `container:${(await world.inspect('api-1.blue')).Id}`,
        Mounts: [
          {
            Type: 'volume',
            Source: memoryOf(await world.inspect('api-1.blue')),
            Target: '/run/changeless',
            ReadOnly: true,
            VolumeOptions: { NoCopy: true },
          },
        ],
      },
    });
    try {
      await startContainer(world.client, probe);
      await world.client.bytes({ method: 'POST', path: `/containers/${probe}/wait`, long: true });
      return (await readOutput(world.client, probe)).stdout;
    } finally {
      await removeContainer(world.client, probe);
    }
  };

  before(async () => {
    world = await makeDockerWorld();
    const { engine, architecture } = world;
    const made = await Promise.all([
      engine.ensureNetwork(architecture, network),
      engine.ensureNetwork(architecture, outside),
      engine.ensureVolume(architecture, { name: 'eng/kept', owner: app }),
    ]);
    made.map(valueOf);
    valueOf(await engine.ensureSlot(architecture, spec()));
    await started(world, instance());
  });
  after(() => world.dispose());

  it('has networks whose subnets do not overlap, though they were made at once', async () => {
    const networks = await world.client.json<VendorNetwork[]>({
      path: '/networks',
      query: { filters: { label: [`dev.changeless.architecture=${world.architecture}`] } },
    });
    const subnets = networks.map(({ IPAM }) => IPAM.Config?.[0]?.Subnet ?? '');
    assert.equal(new Set(subnets).size, 2);
    for (const subnet of subnets) assert.equal(parseSubnet(subnet)?.prefix, 26, subnet);
  });

  it("keeps the instance's facts in memory, readable by all", async () => {
    const facts = JSON.parse(await inContainer('cat', '/run/changeless/instance.json')) as {
      address: string;
      host: { name: string; address: string };
    };
    const address = slotIn(await observe(world), 'api-1.blue')?.address;
    assert.deepEqual(
      { ...facts, host: facts.host.name },
      { instance: 'api-1.blue', app: 'catalog', service: 'api', address, host: hostname() },
    );
    assert.match(facts.host.address, /^\d+\.\d+\.\d+\.\d+$/);
    assert.equal(await inContainer('stat', '-fc', '%T', '/run/changeless'), 'tmpfs\n');
    assert.equal(await inContainer('stat', '-c', '%a %u', '/run/changeless', '/run/changeless/instance.json'), '755 0\n444 0\n');
  });

  it('has the search domain, the host name and the default route of the network with a way out', async () => {
    assert.match(await inContainer('cat', '/etc/resolv.conf'), /^search blue$/m);
    const { Config, HostConfig } = await world.inspect('api-1.blue');
    assert.equal(Config.Labels?.['dev.changeless.role'], 'sandbox');
    assert.equal(HostConfig.NetworkMode, engineName(world.architecture, outside.name));
    assert.match(await inContainer('getent', 'hosts', 'api'), /api\.blue/);
  });

  it('holds instances that may do nothing more than they need', async () => {
    const { HostConfig, Config, Mounts } = await world.inspect('api-1');
    const { ReadonlyRootfs, CapDrop, SecurityOpt, Memory, MemorySwap, PidsLimit, NanoCpus, RestartPolicy, LogConfig, Init } = HostConfig;
    assert.deepEqual(
      { ReadonlyRootfs, CapDrop, SecurityOpt, Memory, MemorySwap, PidsLimit, NanoCpus, Init, restart: RestartPolicy?.Name, log: LogConfig },
      {
        ReadonlyRootfs: true,
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges'],
        Memory: 2 ** 26,
        MemorySwap: 2 ** 26,
        PidsLimit: 20,
        NanoCpus: 5e8,
        Init: false,
        restart: 'no',
        log: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '2' } },
      },
    );
    assert.deepEqual(Mounts.map(({ Type, Destination }) => `${Type} ${Destination}`).toSorted(), [
      'tmpfs /scratch',
      'volume /kept',
      'volume /run/changeless',
    ]);
    assert.equal(Config.Labels?.['dev.changeless.app'], 'catalog');
    assert.equal(HostConfig.NetworkMode, `container:${(await world.inspect('api-1.blue')).Id}`);
  });

  it('tells what was changed about an instance or its sandbox', async () => {
    const differences = async (): Promise<string[]> =>
      valueOf(await world.engine.inspectInstances(world.architecture)).map(({ name, kind, what }) => `${name} ${kind}: ${what}`);
    assert.deepEqual(await differences(), []);
    const [{ Id }, sandbox] = [await world.inspect('api-1'), await world.inspect('api-1.blue')];
    await world.client.bytes({ method: 'POST', path: `/containers/${Id}/update`, json: { PidsLimit: 30 } });
    valueOf(await world.engine.ensureNetwork(world.architecture, { ...network, name: 'foreign' }));
    const foreign = engineName(world.architecture, 'foreign');
    await world.client.bytes({ method: 'POST', path: `/networks/${foreign}/connect`, json: { Container: sandbox.Id } });
    await world.client.bytes({
      method: 'POST',
      path: `/networks/${engineName(world.architecture, network.name)}/disconnect`,
      json: { Container: sandbox.Id },
    });
    const found = await differences();
    assert.ok(
      found.some((each) => each.startsWith('api-1 spec: its limits') && each.includes('30 processes')),
      found.join('\n'),
    );
    assert.ok(found.includes(`api-1.blue slot: it was connected to network ${foreign}`), found.join('\n'));
    assert.ok(
      found.some((each) => each.startsWith('api-1.blue slot: it is on 1 of its 2 networks')),
      found.join('\n'),
    );
  });

  it('knows strangers in its networks and its sandboxes', async () => {
    const creation = { Image: world.images.service, Labels: {}, HostConfig: { NetworkMode: engineName(world.architecture, network.name) } };
    const names = [`${world.architecture}-stranger-1`, `${world.architecture}-stranger-2`] as const;
    const ids = await Promise.all([
      createContainer(world.client, names[0], creation),
      createContainer(world.client, names[1], {
        ...creation,
        HostConfig: { NetworkMode: `container:${(await world.inspect('api-1.blue')).Id}` },
      }),
    ]);
    try {
      const { strangers } = await observe(world);
      const expected = [`${names[0]} in network ${network.name}`, `${names[1]} in slot api-1.blue`];
      // A container that never ran is on its network only once it starts.
      assert.deepEqual(
        strangers
          .map(({ name, where }) => `${name} in ${where}`)
          .toSorted()
          .slice(-1),
        expected.slice(-1),
      );
      await startContainer(world.client, ids[0]);
      assert.deepEqual((await observe(world)).strangers.map(({ name, where }) => `${name} in ${where}`).toSorted(), expected);
    } finally {
      await Promise.all(ids.map((id) => removeContainer(world.client, id)));
    }
  });

  it('is not ready while its memory is not filled, and is then made anew with nothing left over', async () => {
    const before = slotIn(await observe(world), 'api-1.blue');
    await createContainer(
      world.client,
      memoryName(world.architecture, 'api-1.blue'),
      fillerCreation(world.architecture, spec(), memoryOf(await world.inspect('api-1.blue'))),
    );
    assert.equal(slotIn(await observe(world), 'api-1.blue')?.ready, false);
    const refused = await world.engine.startInstance(world.architecture, { ...instance(), name: 'api-2' });
    assert.equal(!refused.ok && refused.problem.code, 'ENGINE_REFUSED');
    valueOf(await world.engine.ensureSlot(world.architecture, spec()));
    const seen = await observe(world);
    assert.equal(slotIn(seen, 'api-1.blue')?.ready, true);
    assert.notEqual(slotIn(seen, 'api-1.blue')?.container, before?.container);
    assert.equal(instanceIn(seen, 'api-1'), undefined);
  });

  it('is not ready once its sandbox was stopped and started by someone', async () => {
    const { Id } = await world.inspect('api-1.blue');
    await world.client.bytes({ method: 'POST', path: `/containers/${Id}/restart`, query: { t: 0 } });
    const slot = slotIn(await observe(world), 'api-1.blue');
    assert.equal(slot?.ready, false);
    assert.equal(slot?.container, Id);
    const differences = valueOf(await world.engine.inspectInstances(world.architecture));
    assert.ok(
      differences.some(({ kind, what }) => kind === 'slot' && what.includes('memory is lost')),
      JSON.stringify(differences),
    );
    valueOf(await world.engine.ensureSlot(world.architecture, spec()));
    assert.equal(slotIn(await observe(world), 'api-1.blue')?.ready, true);
  });

  it('takes members from a process that did not make it, and leaves no helper behind', async () => {
    const other = openDockerEngine({ host: engineHost });
    valueOf(await other.startInstance(world.architecture, { ...instance(), name: 'api-3' }));
    const helpers = await listContainers(world.client, [`dev.changeless.architecture=${world.architecture}`, 'dev.changeless.role=once']);
    assert.deepEqual(helpers, []);
    valueOf(await other.removeInstance(world.architecture, 'api-3'));
  });

  it('is not removed under its members', async () => {
    await started(world, instance());
    const refused = await world.engine.removeSlot(world.architecture, 'api-1.blue');
    assert.equal(!refused.ok && refused.problem.code, 'ENGINE_REFUSED');
    assert.equal(instanceIn(await observe(world), 'api-1')?.state, 'running');
  });

  it('leaves no memory behind when it goes with a departure in it', async () => {
    valueOf(await world.engine.ensureSlot(world.architecture, slotSpec(world, { name: 'api-2.blue', colour: 'blue' })));
    await started(world, instanceSpec(world, { name: 'api-2.leaves', slot: 'api-2.blue', role: 'departure', colour: 'blue' }));
    const memories = async (): Promise<string[]> =>
      (await listVolumes(world.client, world.architecture)).map(({ Name }) => Name).filter((name) => name.includes('api-2.blue'));
    assert.equal((await memories()).length, 1);
    valueOf(await world.engine.removeSlot(world.architecture, 'api-2.blue'));
    assert.deepEqual(await memories(), []);
  });

  it('says who holds a port that it is to publish, and leaves nothing half made', async () => {
    const publish = [{ address: '127.0.0.1', port: 20_000 + (process.pid % 10_000), target: 80 }] as const;
    const place = (name: string): SlotSpec => slotSpec(world, { name, publish, networks: [{ network: outside.name, aliases: [] }] });
    valueOf(await world.engine.ensureSlot(world.architecture, place('holder')));
    const holder = `container ${engineName(world.architecture, 'holder')}`;
    assert.equal(await world.engine.portHolder(publish[0]), holder);
    const taken = await world.engine.ensureSlot(world.architecture, place('latecomer'));
    assert.ok(!taken.ok && taken.problem.code === 'PORT_TAKEN' && taken.problem.why?.includes(holder), JSON.stringify(taken));
    assert.equal(slotIn(await observe(world), 'latecomer'), undefined);
    assert.equal(await world.engine.portHolder({ ...publish[0], port: 1 }), undefined);
  });
});

describe('a controller of Docker Engine', () => {
  it('is made by hand as the engine makes it, and known by its labels whatever its name', async (test) => {
    const world = await makeDockerWorld();
    test.after(() => world.dispose());
    const spec: ControllerSpec = {
      name: 'controller-1',
      image: world.images.controller,
      release,
      commit: 'uncommitted',
      environment: 'local',
      history: [release],
    };
    assert.equal(
      openDockerEngine({ host: 'unix:///var/run/docker.sock' }).controllerCommand('shop', spec, 'changeless/shop/release:abc'),
      `docker run -d --name shop.controller-1 --network host --restart always --read-only --cap-drop ALL --security-opt no-new-privileges --memory 256m --memory-swap 256m --log-driver json-file --log-opt max-size=10m --log-opt max-file=2 --label dev.changeless.name=controller-1 --label dev.changeless.history=${release} --mount type=bind,src=/var/run/docker.sock,dst=/var/run/docker.sock --mount type=volume,src=shop.ledger,dst=/ledger,volume-label=dev.changeless.architecture=shop,volume-label=dev.changeless.role=controller,volume-label=dev.changeless.name=ledger changeless/shop/release:abc`,
    );
    const labels = {
      'dev.changeless.architecture': world.architecture,
      'dev.changeless.release': release,
      'dev.changeless.commit': 'uncommitted',
      'dev.changeless.environment': 'local',
      'dev.changeless.role': 'controller',
    };
    const byHand = await createContainer(world.client, `${world.architecture}-by-hand`, {
      Image: world.images.controller,
      Labels: labels,
      HostConfig: { NetworkMode: 'none' },
    });
    await startContainer(world.client, byHand);
    const [controller] = (await observe(world)).controllers;
    assert.deepEqual(
      [controller?.container, controller?.name, controller?.release, controller?.history],
      [byHand, `${world.architecture}-by-hand`, release, []],
    );
    const intruder = await treeTar([{ path: 'etc/intruder', contents: 'x' }]);
    await world.client.bytes({ method: 'PUT', path: `/containers/${byHand}/archive`, query: { path: '/' }, tar: intruder });
    const [difference] = valueOf(await world.engine.inspectInstances(world.architecture));
    assert.deepEqual([difference?.kind, difference?.what], ['files', '/etc/intruder was added']);
    valueOf(await world.engine.removeController(world.architecture, controller?.name ?? ''));
    valueOf(await world.engine.startController(world.architecture, spec));
    const seen = await observe(world);
    assert.deepEqual(seen.volumes, [{ name: 'ledger', owner: { kind: 'controller', name: 'controller' } }]);
    assert.equal((await world.inspect('controller-1')).HostConfig.RestartPolicy?.Name, 'always');
    assert.deepEqual(valueOf(await world.engine.inspectInstances(world.architecture)), []);
  });
});
