import assert from 'node:assert/strict';
import type { GenerationId } from '../../src/digest.ts';
import type { EngineEvent, InstanceSpec, Measures, Observation, ObservedSlot, SlotSpec } from '../../src/engine/engine.ts';
import {
  app,
  conditionLimitMs,
  type EngineWorld,
  type GetWorld,
  instanceIn,
  instanceSpec,
  network,
  observe,
  pathSpec,
  phaseIn,
  serving,
  slotIn,
  slotSpec,
  started,
  store,
  until,
  valueOf,
} from './contract-fixture.ts';
import { controllersContract } from './contract-controllers.ts';
import { copiesContract } from './contract-copies.ts';
import { imagesContract, onceContract } from './contract-images.ts';
import { jobsContract } from './contract-jobs.ts';
import { secretsContract } from './contract-secrets.ts';
import { after, before, describe, it, story } from './story.ts';

export type { EngineWorld } from './contract-fixture.ts';

/** What every engine does, run by the fake and by the real one. Its steps build on one another. */
export function engineContract(name: string, makeWorld: () => Promise<EngineWorld>): void {
  story(`${name} keeps the engine's contract:`, () => {
    let made: EngineWorld | undefined;
    before(async () => {
      made = await makeWorld();
      valueOf(await made.engine.ensureNetwork(made.architecture, network));
    });
    after(() => made?.dispose());
    const world: GetWorld = () => made!;
    describe('networks and volumes', () => networksAndVolumes(world));
    describe('copies of volumes', () => copiesContract(world));
    describe('places', () => places(world));
    describe('instances', () => instances(world));
    describe('secrets', () => secretsContract(world));
    describe('paths', () => paths(world));
    describe('events and logs', () => eventsAndLogs(world));
    describe('images', () => imagesContract(world));
    describe('containers that run once', () => onceContract(world));
    describe('controllers', () => controllersContract(world));
    describe('steps of jobs', () => jobsContract(world));
    describe('afterwards', () => afterwards(world));
  });
}

function networksAndVolumes(world: GetWorld): void {
  it('says what it is', async () => {
    const { platform, version } = valueOf(await world().engine.describe());
    assert.match(platform, /^linux\//);
    assert.notEqual(version, '');
  });

  it('leaves a network alone that is there already', async () => {
    const { engine, architecture } = world();
    const first = (await observe(world())).networks;
    valueOf(await engine.ensureNetwork(architecture, network));
    assert.deepEqual((await observe(world())).networks, first);
    assert.deepEqual(
      first.map(({ name, owner }) => ({ name, owner })),
      [{ name: network.name, owner: app }],
    );
  });

  it('makes a volume once and removes it by name, once', async () => {
    const { engine, architecture } = world();
    for (const _ of [1, 2]) valueOf(await engine.ensureVolume(architecture, { name: 'contract-kept', owner: store }));
    assert.deepEqual((await observe(world())).volumes, [{ name: 'contract-kept', owner: store }]);
    for (const _ of [1, 2]) valueOf(await engine.removeVolume(architecture, 'contract-kept'));
    assert.deepEqual((await observe(world())).volumes, []);
  });

  it('makes one network for several who ask at once, removes it, and one that is gone', async () => {
    const { engine, architecture } = world();
    const names = async () => (await observe(world())).networks.map(({ name }) => name).toSorted();
    const other = { ...network, name: 'contract-other' };
    for (const made of await Promise.all([1, 2, 3, 4].map(() => engine.ensureNetwork(architecture, other)))) valueOf(made);
    assert.deepEqual(await names(), [network.name, other.name].toSorted());
    for (const _ of [1, 2]) valueOf(await engine.removeNetwork(architecture, 'contract-other'));
    assert.deepEqual(await names(), [network.name]);
  });

  it('lists the architecture among those it has anything of', async () => {
    assert.ok(valueOf(await world().engine.architectures()).includes(world().architecture));
  });
}

function places(world: GetWorld): void {
  const ensure = async (change: Partial<SlotSpec> & { name: string }): Promise<ObservedSlot> => {
    valueOf(await world().engine.ensureSlot(world().architecture, slotSpec(world(), change)));
    const slot = slotIn(await observe(world()), change.name);
    assert.ok(slot);
    return slot;
  };

  it('makes a place once, ready when the verb resolves, and says whose it is', async () => {
    const first = await ensure({ name: 'contract-place', colour: 'blue', search: 'blue' });
    assert.equal(first.ready, true);
    assert.deepEqual(first.owner, app);
    assert.equal(first.colour, 'blue');
    assert.deepEqual(await ensure({ name: 'contract-place', colour: 'blue', search: 'blue' }), first);
  });

  it('makes a place anew that is asked for with another spec', async () => {
    const former = slotIn(await observe(world()), 'contract-place');
    const next = await ensure({ name: 'contract-place', colour: 'green', search: 'green' });
    assert.notEqual(next.container, former?.container);
    assert.notEqual(next.spec, former?.spec);
    assert.equal(next.ready, true);
  });

  it('makes a place anew that died, without the members of the old one', async () => {
    await started(world(), instanceSpec(world(), { name: 'contract-stranded', slot: 'contract-place' }));
    await world().killInstance('contract-place');
    const dead = slotIn(await until(world(), 'the place is down', (seen) => !slotIn(seen, 'contract-place')?.ready), 'contract-place');
    const next = await ensure({ name: 'contract-place', colour: 'green', search: 'green' });
    assert.equal(next.ready, true);
    assert.notEqual(next.container, dead?.container);
    assert.equal(instanceIn(await observe(world()), 'contract-stranded'), undefined);
  });

  it('removes a place, and one that is gone', async () => {
    for (const _ of [1, 2]) valueOf(await world().engine.removeSlot(world().architecture, 'contract-place'));
    assert.deepEqual((await observe(world())).slots, []);
  });
}

function instances(world: GetWorld): void {
  const spec = (): InstanceSpec => instanceSpec(world(), { name: 'contract-api-1', slot: 'contract-blue', colour: 'blue' });
  before(async () => {
    valueOf(await world().engine.ensureSlot(world().architecture, slotSpec(world(), { name: 'contract-blue', colour: 'blue' })));
  });

  it('shows a started instance with all that was said of it', async () => {
    const seen = await started(world(), spec());
    const { mounts: _, limits: __, stopMs: ___, ...said } = spec();
    const { container, createdAt, startedAt, spec: digest, ...rest } = seen;
    assert.deepEqual(rest, { ...said, state: 'running' });
    assert.ok(container && createdAt && startedAt && digest);
  });

  it('leaves an instance alone that runs already', async () => {
    const first = instanceIn(await observe(world()), 'contract-api-1');
    assert.deepEqual(await started(world(), spec()), first);
  });

  it('shows that an instance died, and starts it afresh in a new container', async () => {
    const first = instanceIn(await observe(world()), 'contract-api-1');
    await world().killInstance('contract-api-1');
    const dead = await until(world(), 'it is seen as exited', (seen) => instanceIn(seen, 'contract-api-1')?.state === 'exited');
    assert.equal(instanceIn(dead, 'contract-api-1')?.exitCode, 137);
    const next = await started(world(), spec());
    assert.equal(next.state, 'running');
    assert.equal(next.spec, first?.spec);
    assert.notEqual(next.container, first?.container);
  });

  it('says what each instance that runs uses, and of the others nothing', async () => {
    const { engine, architecture } = world();
    await started(world(), instanceSpec(world(), { name: 'contract-idle', slot: 'contract-blue', colour: 'blue' }));
    await world().use('contract-api-1');
    await world().killInstance('contract-idle');
    const used = valueOf(await engine.usage(architecture));
    const seen = instanceIn(await observe(world()), 'contract-api-1');
    assert.deepEqual(
      used.map(({ name, container }) => ({ name, container })),
      [{ name: 'contract-api-1', container: seen?.container }],
    );
    assert.ok(
      used.every(({ cpuMs, memoryBytes }) => cpuMs > 0 && memoryBytes > 0),
      JSON.stringify(used),
    );
    valueOf(await engine.removeInstance(architecture, 'contract-idle'));
  });

  it('shows with what a step ended, and does not run it again however often it is told to', async () => {
    const step = instanceSpec(world(), { name: 'contract-step', slot: 'contract-blue', role: 'step', image: world().images.step });
    const { container } = await started(world(), step);
    const ended = await until(world(), 'the step has ended', (seen) => instanceIn(seen, step.name)?.state === 'exited');
    const { exitCode, startedAt, endedAt, ...seen } = instanceIn(ended, step.name) ?? assert.fail();
    assert.deepEqual([seen.container, seen.role, exitCode], [container, 'step', 3]);
    // Docker stamps the two for itself: of one that ends at once the end may come first.
    assert.ok(Date.parse(startedAt ?? '') > 0 && Date.parse(endedAt ?? '') > 0);
    assert.equal((await started(world(), step)).container, container);
    const other = await started(world(), { ...step, generation: 'dd'.repeat(32) as GenerationId });
    assert.notEqual(other.container, container);
    valueOf(await world().engine.removeInstance(world().architecture, step.name));
  });

  it('ends an instance at once that is sent SIGKILL', async () => {
    const endless = instanceSpec(world(), { name: 'contract-killed', slot: 'contract-blue', role: 'step' });
    await started(world(), endless);
    valueOf(await world().engine.signalInstance(world().architecture, endless.name, 'SIGKILL'));
    const ended = await until(world(), 'it has ended', (seen) => instanceIn(seen, endless.name)?.state === 'exited');
    assert.equal(instanceIn(ended, endless.name)?.exitCode, 137);
    valueOf(await world().engine.removeInstance(world().architecture, endless.name));
  });

  it('removes a place with a departure in it, which goes with it', async () => {
    const { engine, architecture } = world();
    const slot = 'contract-left';
    valueOf(await engine.ensureSlot(architecture, slotSpec(world(), { name: slot, colour: 'blue' })));
    await started(world(), instanceSpec(world(), { name: 'contract-leaving', slot, role: 'departure', colour: 'blue' }));
    assert.equal(instanceIn(await observe(world()), 'contract-leaving')?.role, 'departure');
    for (const _ of [1, 2]) valueOf(await engine.removeSlot(architecture, slot));
    const seen = await observe(world());
    assert.deepEqual([slotIn(seen, slot), instanceIn(seen, 'contract-leaving')], [undefined, undefined]);
  });

  it('finds no difference between a fresh instance and what it was made from', async () => {
    assert.deepEqual(valueOf(await world().engine.inspectInstances(world().architecture)), []);
  });

  it('removes an instance, and one that is gone', async () => {
    for (const _ of [1, 2]) valueOf(await world().engine.removeInstance(world().architecture, 'contract-api-1'));
    assert.deepEqual((await observe(world())).instances, []);
  });

  it('swaps the server of a volume, which stays', async () => {
    const { engine, architecture } = world();
    valueOf(await engine.ensureVolume(architecture, { name: 'contract-data', owner: store }));
    const server = instanceSpec(world(), {
      name: 'contract-server',
      slot: 'contract-blue',
      owner: store,
      role: 'server',
      mounts: [{ kind: 'volume', volume: 'contract-data', path: '/data' }],
    });
    const first = await started(world(), server);
    valueOf(await engine.removeInstance(architecture, server.name));
    const second = await started(world(), { ...server, generation: 'dd'.repeat(32) as GenerationId });
    assert.equal(second.role, 'server');
    assert.notEqual(second.spec, first.spec);
    valueOf(await engine.removeInstance(architecture, server.name));
    valueOf(await engine.removeVolume(architecture, 'contract-data'));
  });
}

function paths(world: GetWorld): void {
  before(async () => {
    valueOf(await world().engine.ensureSlot(world().architecture, slotSpec(world(), { name: 'contract-path', memory: 'sockets' })));
  });

  it('has a path wait until it is healthy, serve once promoted, however often it is told', async () => {
    const seen = await started(world(), pathSpec(world(), 'contract-path-1'));
    assert.ok(['starting', 'checking', 'healthy'].includes(seen.path?.phase ?? 'none'), `phase ${seen.path?.phase}`);
    valueOf(await world().engine.awaitHealthy(world().architecture, 'contract-path-1', conditionLimitMs));
    assert.equal(phaseIn(await observe(world()), 'contract-path-1'), 'healthy');
    for (const _ of [1, 2]) valueOf(await world().engine.promotePath(world().architecture, 'contract-path-1'));
    assert.equal(phaseIn(await observe(world()), 'contract-path-1'), 'serving');
  });

  it('shows what went through a path, once it said so', async () => {
    await world().measure('contract-path-1');
    const measuresIn = (seen: Observation): Measures | undefined => {
      const phase = instanceIn(seen, 'contract-path-1')?.path;
      return phase?.phase === 'serving' ? phase.measures : undefined;
    };
    const { at, ...said } = measuresIn(await until(world(), 'it is measured', (seen) => measuresIn(seen) !== undefined))!;
    const answers = { '1xx': 0, '2xx': 7, '3xx': 0, '4xx': 0, '5xx': 0 };
    const nothing = { retries: 0, redispatches: 0, connections: 0, open: 0, queue: 0, servers: {} };
    assert.deepEqual(said, { ...nothing, number: 1, spanMs: 1000, requests: 7, answers });
    assert.ok(at > instanceIn(await observe(world()), 'contract-path-1')!.createdAt);
  });

  it('hands over: both serve, then the predecessor drains and ends by itself', async () => {
    const { engine, architecture } = world();
    await serving(world(), 'contract-path-2');
    const both = await observe(world());
    assert.deepEqual([phaseIn(both, 'contract-path-1'), phaseIn(both, 'contract-path-2')], ['serving', 'serving']);
    for (const _ of [1, 2]) valueOf(await engine.drainPath(architecture, 'contract-path-1'));
    const told = instanceIn(await observe(world()), 'contract-path-1');
    assert.ok(told?.state === 'exited' || told?.path?.phase === 'draining', JSON.stringify(told));
    const ended = await until(world(), 'the predecessor has ended', (seen) => instanceIn(seen, 'contract-path-1')?.state === 'exited');
    assert.equal(instanceIn(ended, 'contract-path-1')?.exitCode, 0);
    assert.equal(phaseIn(ended, 'contract-path-2'), 'serving');
    valueOf(await engine.drainPath(architecture, 'contract-path-1'));
    for (const path of ['contract-path-1', 'contract-path-2']) valueOf(await engine.removeInstance(architecture, path));
  });

  it('serves from a fresh path where the predecessor is gone', async () => {
    await serving(world(), 'contract-path-3');
    assert.equal(phaseIn(await observe(world()), 'contract-path-3'), 'serving');
    valueOf(await world().engine.removeInstance(world().architecture, 'contract-path-3'));
  });

  it("has a store's path hold, however often it is told, and serve once promoted", async () => {
    const { engine, architecture } = world();
    const name = 'contract-path-held';
    await started(world(), { ...pathSpec(world(), name), owner: store });
    for (const _ of [1, 2]) valueOf(await engine.holdPath(architecture, name));
    assert.equal(phaseIn(await observe(world()), name), 'holding');
    valueOf(await engine.promotePath(architecture, name));
    assert.equal(phaseIn(await observe(world()), name), 'serving');
    valueOf(await engine.holdPath(architecture, name));
    assert.equal(phaseIn(await observe(world()), name), 'serving');
    valueOf(await engine.removeInstance(architecture, name));
  });

  it('ends a waiter that is told to drain', async () => {
    await started(world(), pathSpec(world(), 'contract-path-4'));
    valueOf(await world().engine.awaitHealthy(world().architecture, 'contract-path-4', conditionLimitMs));
    valueOf(await world().engine.drainPath(world().architecture, 'contract-path-4'));
    await until(world(), 'the waiter has ended', (seen) => instanceIn(seen, 'contract-path-4')?.state === 'exited');
    valueOf(await world().engine.removeInstance(world().architecture, 'contract-path-4'));
  });

  it('says which check fails when a path does not become healthy in time', async () => {
    await started(world(), pathSpec(world(), 'contract-path-5', 'unhealthy'));
    await until(world(), 'it has checked', (seen) => phaseIn(seen, 'contract-path-5') === 'checking');
    const outcome = await world().engine.awaitHealthy(world().architecture, 'contract-path-5', 1000);
    assert.ok(!outcome.ok && !outcome.problem.ended && outcome.problem.phase.phase === 'checking', JSON.stringify(outcome));
    assert.notEqual(outcome.problem.phase.failing.length, 0);
  });

  it('stops waiting for a path that ended', async () => {
    const waiting = world().engine.awaitHealthy(world().architecture, 'contract-path-5', conditionLimitMs);
    await world().killInstance('contract-path-5');
    const outcome = await waiting;
    assert.ok(!outcome.ok && outcome.problem.ended, JSON.stringify(outcome));
    valueOf(await world().engine.removeInstance(world().architecture, 'contract-path-5'));
  });

  it('drains a path that is gone, and signals an instance that is, without complaint', async () => {
    valueOf(await world().engine.drainPath(world().architecture, 'contract-path-5'));
    valueOf(await world().engine.signalInstance(world().architecture, 'contract-path-5', 'SIGUSR1'));
  });

  it('shows the signal with which an instance wants to be told that it drains, and sends it', async () => {
    const spec = instanceSpec(world(), { name: 'contract-polite', slot: 'contract-blue' });
    await started(world(), { ...spec, drainSignal: 'SIGUSR1' });
    await until(world(), 'it runs', (seen) => instanceIn(seen, 'contract-polite')?.drainSignal === 'SIGUSR1');
    valueOf(await world().engine.signalInstance(world().architecture, 'contract-polite', 'SIGUSR1'));
    valueOf(await world().engine.removeInstance(world().architecture, 'contract-polite'));
  });
}

function eventsAndLogs(world: GetWorld): void {
  it('begins a watch with resynchronise and tells of a death', async () => {
    await started(world(), instanceSpec(world(), { name: 'contract-mortal', slot: 'contract-blue' }));
    const stop = new AbortController();
    const seen: EngineEvent[] = [];
    for await (const event of world().engine.watch(world().architecture, stop.signal)) {
      seen.push(event);
      if (seen.length === 1) await world().killInstance('contract-mortal');
      if (event.kind === 'died') stop.abort();
    }
    assert.equal(seen[0]?.kind, 'resynchronise');
    assert.ok(seen.some((event) => event.kind === 'died' && event.name === 'contract-mortal'));
  });

  it("ends the following of a container's log with the container", async () => {
    await started(world(), instanceSpec(world(), { name: 'contract-mortal', slot: 'contract-blue' }));
    const lines: string[] = [];
    const following = (async () => {
      for await (const { line } of world().engine.logs(world().architecture, 'contract-mortal', { follow: true })) lines.push(line);
    })();
    await world().killInstance('contract-mortal');
    await following;
    const again: string[] = [];
    for await (const { line } of world().engine.logs(world().architecture, 'contract-mortal', { follow: false })) again.push(line);
    assert.deepEqual(again, lines);
    valueOf(await world().engine.removeInstance(world().architecture, 'contract-mortal'));
  });

  it('has no log of what does not exist', async () => {
    for await (const line of world().engine.logs(world().architecture, 'contract-nobody', { follow: true })) assert.fail(line.line);
  });
}

function afterwards(world: GetWorld): void {
  it('holds nothing of the architecture once all was removed', async () => {
    const { engine, architecture } = world();
    for (const { name } of (await observe(world())).instances) valueOf(await engine.removeInstance(architecture, name));
    for (const { name } of (await observe(world())).slots) valueOf(await engine.removeSlot(architecture, name));
    // A controller's ledger is kept when the controller goes.
    for (const { name } of (await observe(world())).volumes) valueOf(await engine.removeVolume(architecture, name));
    valueOf(await engine.removeNetwork(architecture, network.name));
    assert.equal(valueOf(await engine.architectures()).includes(architecture), false);
    const { strangers, ...rest } = await observe(world());
    assert.deepEqual([strangers, ...Object.values(rest)].flat(), []);
  });
}
