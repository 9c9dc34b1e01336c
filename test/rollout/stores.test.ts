import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ImageId } from '../../src/digest.ts';
import type { InstanceSpec } from '../../src/engine/engine.ts';
import { Killed } from '../../src/engine/memory/world.ts';
import type { Manifest } from '../../src/release/manifest.ts';
import type { Store } from '../../src/architecture/model.ts';
import { sealRelease, store, streaming, type ReleaseChange } from './release-fixture.ts';
import { architecture, makeRolloutWorld, type RolloutWorld } from './rollout-world.ts';

const data = 'sessions.data';
const sessions = { kind: 'store', name: 'sessions' } as const;

/** A release that is live, with data in its store, and what it takes to replace the server. */
type Scene = RolloutWorld & { first: Manifest; before: string[]; second: Manifest; server: ImageId };

const inScene = (name: string, body: (scene: Scene) => Promise<void>): void => {
  void test(name, async () => {
    const world = await makeRolloutWorld();
    try {
      await body(await prepared(world));
    } finally {
      await world.dispose();
    }
  });
};

async function prepared(world: RolloutWorld): Promise<Scene> {
  const first = sealRelease(world.engine);
  await world.up(first);
  await world.settled(first);
  world.engine.world.write(architecture, data, 'ten orders');
  const second = sealRelease(world.engine, { commit: 'second', keys: { sessions: '2' } });
  const server = second.outputs.environments['local']?.stores['sessions']?.images.services['server'];
  assert.ok(server);
  return { ...world, first, before: world.engine.world.inventory(), second, server };
}

const contents = ({ engine }: RolloutWorld): string | undefined => engine.world.contentsOf(architecture, data);

const isOn = (spec: InstanceSpec, volume: string): boolean =>
  spec.mounts.some((mount) => mount.kind === 'volume' && mount.volume.startsWith(volume));

/** What the story of the store's effects was: each verb and what it was done to. */
function recordEffects({ engine }: RolloutWorld): string[] {
  const effects: string[] = [];
  engine.world.beforeEffect = ({ verb, name }) => {
    if (name.startsWith('sessions.')) effects.push(`${verb} ${name.replace(/\.\d+$/, '').replace(/\.[0-9a-f]{8}$/, '')}`);
  };
  return effects;
}

inScene('a new server is tried on a copy, then on the data while clients wait, and only then are they let on', async (scene) => {
  const effects = recordEffects(scene);
  assert.equal((await scene.up(scene.second)).outcome, 'live');
  await scene.settled(scene.second);
  const order = effects.filter((effect) =>
    /copyVolume|removeVolume|noteBody|(hold|promote|drain)Path|(start|remove)Instance sessions\.(server\.\w+|rehearsal)$/.test(effect),
  );
  assert.deepEqual(order, [
    'copyVolume sessions.data.rehearsal',
    'startInstance sessions.rehearsal',
    'removeInstance sessions.rehearsal',
    'holdPath sessions.path',
    'drainPath sessions.path',
    'removeInstance sessions.server.blue',
    'copyVolume sessions.data.snapshot',
    'startInstance sessions.server.green',
    'noteBody sessions.data',
    'removeVolume sessions.data.snapshot',
    'promotePath sessions.path',
    'removeVolume sessions.data.rehearsal',
  ]);
  const kinds = (lines: string[]): string[] =>
    lines.filter((line) => /network|slot|volume/.test(line)).map((line) => line.split(' ').slice(0, 3).join(' '));
  assert.deepEqual(kinds(scene.engine.world.inventory()), kinds(scene.before), 'no place, network or copy is left');
  assert.equal(contents(scene), 'ten orders');
  assert.deepEqual(scene.engine.world.outages, []);
});

inScene('what a rehearsal writes is written to the copy alone', async (scene) => {
  const { world } = scene.engine;
  world.onServer = (spec, found) => (isOn(spec, `${data}.rehearsal`) ? `${found}, rehearsed` : found);
  let rehearsed = '';
  world.afterEffect = ({ verb, name }) => {
    if (verb === 'startInstance' && name === 'sessions.rehearsal')
      rehearsed = [...world.machine.of(architecture).volumes.values()].find(({ spec }) => spec.name.includes('rehearsal'))?.contents ?? '';
  };
  assert.equal((await scene.up(scene.second)).outcome, 'live');
  assert.equal(rehearsed, 'ten orders, rehearsed');
  assert.equal(contents(scene), 'ten orders');
});

inScene('a server that is not healthy on a copy of the data fails the rollout with nothing touched', async (scene) => {
  const { world } = scene.engine;
  world.unhealthy(({ image }) => image === scene.server);
  const effects = recordEffects(scene);
  const end = await scene.up(scene.second);
  assert.equal(end.outcome, 'failed');
  assert.equal(end.problem?.code, 'ROLLOUT_UNHEALTHY');
  assert.match(end.problem?.what ?? '', /sessions never became healthy on a copy of its data/);
  await scene.settled(scene.first);
  assert.equal(
    effects.some((effect) => effect.startsWith('removeInstance sessions.server')),
    false,
  );
  assert.deepEqual(world.inventory(), scene.before);
  assert.deepEqual(world.outages, []);
});

inScene('a server that is not healthy on the data, and damages them, goes, and the data and the old server come back', async (scene) => {
  const { world } = scene.engine;
  const onData = (spec: InstanceSpec): boolean => spec.image === scene.server && isOn(spec, data) && !isOn(spec, `${data}.rehearsal`);
  world.unhealthy(onData);
  world.onServer = (spec, found) => (onData(spec) ? 'damaged' : found);
  const end = await scene.up(scene.second);
  assert.equal(end.outcome, 'failed');
  assert.match(end.problem?.what ?? '', /sessions never became healthy on its data/);
  assert.match(end.problem?.safe ?? '', /its data are put back/);
  await scene.settled(scene.first);
  assert.equal(contents(scene), 'ten orders');
  assert.deepEqual(world.inventory(), scene.before);
  assert.equal(world.serving(sessions).length, 1);
  assert.deepEqual(world.outages, []);
});

inScene('a server that ends again and again on the data is taken back as one that is not healthy', async (scene) => {
  const { world } = scene.engine;
  world.onServer = (spec, found) => {
    if (!isOn(spec, data) || spec.image !== scene.server || isOn(spec, `${data}.rehearsal`)) return found;
    queueMicrotask(() => world.kill(spec.name));
    return 'damaged';
  };
  const end = await scene.up(scene.second);
  assert.match(end.problem?.why ?? '', /sessions\.server\.green ended by itself/);
  await scene.settled(scene.first);
  assert.equal(contents(scene), 'ten orders');
  assert.deepEqual(world.inventory(), scene.before);
});

/** Paths that let clients on to a server that runs while there is a snapshot, which says that none was let in. */
function letOnTooEarly({ engine }: RolloutWorld): string[] {
  const { instances, volumes } = engine.world.machine.of(architecture);
  if (![...volumes.values()].some(({ spec, unfinished }) => spec.name.includes('.snapshot.') && !unfinished)) return [];
  const running = [...instances.values()].filter(({ spec, state }) => state === 'running' && spec.owner.kind === 'store');
  const servers = running.filter(({ spec }) => spec.role === 'server' && spec.slot.startsWith('sessions.server.'));
  const paths = running.filter(({ path }) => path?.stage === 'serving');
  return paths.flatMap(({ spec }) => (servers.some((server) => server.spec.colour === spec.colour) ? [spec.name] : []));
}

for (const damages of [false, true])
  inScene(
    `clients are let wait as long as there is a snapshot, also where the new server ${damages ? 'fails' : 'works'}`,
    async (scene) => {
      const { world } = scene.engine;
      const early: string[] = [];
      const held: string[] = [];
      world.unhealthy(({ image, name }) => damages && image === scene.server && name !== 'sessions.rehearsal');
      world.afterEffect = ({ verb, name }) => {
        early.push(...letOnTooEarly(scene));
        if (verb === 'holdPath') held.push(name);
      };
      assert.equal((await scene.up(scene.second)).outcome, damages ? 'failed' : 'live');
      await scene.settled(damages ? scene.first : scene.second);
      assert.equal(held.length, 1);
      assert.deepEqual(early, []);
      assert.deepEqual(world.outages, []);
    },
  );

inScene('whoever waits is passed on to the old server when the new one fails', async (scene) => {
  const { world } = scene.engine;
  world.unhealthy(({ image, name }) => image === scene.server && name !== 'sessions.rehearsal');
  world.afterEffect = ({ verb, name }) => {
    if (verb === 'holdPath') world.holdConnections(name, 7);
    if (verb === 'drainPath') queueMicrotask(() => world.releaseConnections(name));
  };
  assert.equal((await scene.up(scene.second)).outcome, 'failed');
  await scene.settled(scene.first);
  assert.deepEqual(world.cuts, []);
});

inScene('once clients were let in, nothing is put back: what they wrote stays', async (scene) => {
  const { world } = scene.engine;
  const second = sealRelease(scene.engine, { commit: 'second', keys: { sessions: '2', 'accounts/api': '2' } });
  const broken = second.outputs.environments['local']?.apps['accounts']?.images.services['api'];
  world.unhealthy(({ image }) => image === broken);
  world.afterEffect = ({ verb, name }) => {
    if (verb === 'promotePath' && name.startsWith('sessions.')) world.write(architecture, data, 'eleven orders');
  };
  assert.equal((await scene.up(second)).outcome, 'failed');
  await scene.settled(scene.first);
  assert.equal(contents(scene), 'eleven orders');
  assert.equal(
    world.inventory().some((line) => line.includes('snapshot')),
    false,
  );
});

const deaths = [
  { when: 'midEffect', verb: 'copyVolume', name: `${data}.rehearsal.2` },
  { when: 'afterEffect', verb: 'startInstance', name: 'sessions.rehearsal' },
  { when: 'midEffect', verb: 'copyVolume', name: `${data}.snapshot.2` },
  { when: 'afterEffect', verb: 'copyVolume', name: `${data}.snapshot.2` },
  { when: 'afterEffect', verb: 'startInstance', name: 'sessions.server.green' },
  { when: 'midEffect', verb: 'noteBody', name: data },
  { when: 'afterEffect', verb: 'noteBody', name: data },
] as const;

for (const death of deaths)
  inScene(
    `whoever takes over from a rollout that died at ${death.when} of ${death.verb} ${death.name} finds the data as they were`,
    async (scene) => {
      const { world } = scene.engine;
      world.onServer = (spec, found) => (spec.image === scene.server && spec.name === 'sessions.server.green' ? 'damaged' : found);
      world[death.when] = async ({ verb, name }) => {
        if (verb !== death.verb || name !== death.name) return;
        world[death.when] = undefined;
        await scene.engine.removeController(architecture, controller);
        throw new Killed('and its container with it');
      };
      const controller = await scene.start(scene.second);
      await scene.until(() => world[death.when] === undefined);
      const third = sealRelease(scene.engine, { commit: 'third', keys: { sessions: '3' } });
      const seen: string[] = [];
      world.onServer = (_, found) => (seen.push(found), found);
      let outcome: string | undefined;
      // Held until the lease of the one that died is over.
      for (let tries = 0; outcome !== 'live' && tries < 500; tries += 1) ({ outcome } = await scene.up(third));
      assert.equal(outcome, 'live');
      await scene.settled(third);
      assert.deepEqual(new Set(seen), new Set(['ten orders']));
      assert.equal(contents(scene), 'ten orders');
      assert.equal(
        world.inventory().some((line) => /snapshot|rehearsal|trial/.test(line)),
        false,
      );
    },
  );

inScene('a snapshot beside a server that serves is only old: it goes, and the data stay', async (scene) => {
  const { world } = scene.engine;
  const image = scene.first.outputs.sandbox;
  await scene.engine.copyVolume(architecture, { from: data, to: { name: `${data}.snapshot.99`, owner: sessions }, image });
  world.write(architecture, data, 'eleven orders');
  assert.equal((await scene.up(scene.second)).outcome, 'live');
  await scene.settled(scene.second);
  assert.equal(contents(scene), 'eleven orders');
  assert.equal(
    world.inventory().some((line) => line.includes('snapshot')),
    false,
  );
});

inScene('going back to a server is tried on the data just so', async (scene) => {
  await scene.up(scene.second);
  const effects = recordEffects(scene);
  assert.equal((await scene.up(scene.first)).outcome, 'live');
  assert.ok(effects.includes('startInstance sessions.rehearsal'));
  assert.ok(effects.includes('copyVolume sessions.data.snapshot'));
  assert.equal(contents(scene), 'ten orders');
});

inScene('a change of policy alone, or a server that died, needs no trial', async (scene) => {
  const effects = recordEffects(scene);
  scene.engine.world.kill('sessions.server.blue');
  await scene.until(() => scene.events.some((event) => event.type === 'instance-replaced' && event.instance === 'sessions.server.blue'));
  await scene.settled(scene.first);
  scene.engine.world.stopEngine();
  scene.engine.world.startEngine();
  await scene.until(() => JSON.stringify(scene.engine.world.inventory()) === JSON.stringify(scene.before));
  assert.deepEqual(
    effects.filter((effect) => /copyVolume|holdPath|rehearsal|proof/.test(effect)),
    [],
  );
});

inScene('the time that connections waited is said', async (scene) => {
  await scene.up(scene.second);
  const swapped = scene.events.filter((event) => event.type === 'store-swapped');
  assert.equal(swapped.length, 1);
  assert.ok((swapped[0]?.gapMs ?? 0) > 0);
});

const upgraded = { ...oneStore({ format: '15', upgrade: { command: ['upgrade'] } }), commit: 'upgraded' };

function oneStore(change: Partial<Store>): ReleaseChange {
  return { architecture: streaming({ stores: { sessions: store({ health: { kind: 'tcp', timeoutMs: 500 }, ...change }) } }) };
}

inScene('another format makes a new data generation from a transformed copy, and keeps the one before', async (scene) => {
  const { world } = scene.engine;
  world.onUpgrade = (_, found) => `${found}, in format 15`;
  const second = sealRelease(scene.engine, upgraded);
  assert.equal((await scene.up(second)).outcome, 'live');
  await scene.settled(second);
  assert.equal(world.contentsOf(architecture, `${data}.15`), 'ten orders, in format 15');
  assert.equal(contents(scene), 'ten orders');
  assert.deepEqual(
    world.inventory().flatMap((line) => /volume (\S+)/.exec(line)?.[1] ?? []),
    [data, `${data}.15`],
  );
  world.write(architecture, `${data}.15`, 'eleven orders, in format 15');
  assert.equal((await scene.up(scene.first)).outcome, 'live');
  assert.equal(contents(scene), 'ten orders', 'going back is exact');
  assert.equal(world.contentsOf(architecture, `${data}.15`), 'eleven orders, in format 15');
});

inScene('another format without a step that makes it is refused before anything is touched', async (scene) => {
  const effects = recordEffects(scene);
  const end = await scene.up(sealRelease(scene.engine, { ...oneStore({ format: '15' }), commit: 'second' }));
  assert.equal(end.problem?.code, 'UPGRADE_MISSING');
  assert.match(end.problem?.why ?? '', /stores\.sessions/);
  assert.deepEqual(effects, []);
});

inScene('what an upgrade that failed has left is not taken for data of the format', async (scene) => {
  const { engine } = scene;
  const left = { name: `${data}.15`, owner: sessions };
  await engine.copyVolume(architecture, { from: data, to: left, image: scene.first.outputs.sandbox });
  const end = await scene.up(sealRelease(engine, { ...oneStore({ format: '15' }), commit: 'second' }));
  assert.equal(end.problem?.code, 'UPGRADE_MISSING');
  await scene.settled(scene.first);
  assert.deepEqual(engine.world.inventory(), scene.before);
});

inScene('a step that fails, fails on a copy', async (scene) => {
  scene.engine.world.onUpgrade = () => undefined;
  const effects = recordEffects(scene);
  const end = await scene.up(sealRelease(scene.engine, upgraded));
  assert.equal(end.problem?.code, 'UPGRADE_FAILED');
  await scene.settled(scene.first);
  assert.equal(
    effects.some((effect) => effect.startsWith('removeInstance sessions.server')),
    false,
  );
  assert.deepEqual(scene.engine.world.inventory(), scene.before);
});

inScene('a new data generation that the new server fails on goes, and is made of the latest data the next time', async (scene) => {
  const { world } = scene.engine;
  world.onUpgrade = (_, found) => `${found}, in format 15`;
  let damages = true;
  world.onServer = (spec, found) => (damages && spec.name === 'sessions.server.green' ? 'damaged' : found);
  world.unhealthy((spec) => damages && spec.name === 'sessions.server.green');
  const second = sealRelease(scene.engine, upgraded);
  assert.equal((await scene.up(second)).outcome, 'failed');
  await scene.settled(scene.first);
  assert.equal(contents(scene), 'ten orders');
  assert.deepEqual(world.inventory(), scene.before);
  world.write(architecture, data, 'eleven orders');
  damages = false;
  assert.equal((await scene.up(second)).outcome, 'live');
  assert.equal(world.contentsOf(architecture, `${data}.15`), 'eleven orders, in format 15');
});

inScene('a data generation that was left damaged is put back when its release runs again', async (scene) => {
  const { world } = scene.engine;
  const second = sealRelease(scene.engine, upgraded);
  await scene.up(second);
  await scene.settled(second);
  const image = scene.first.outputs.sandbox;
  const kept = `${data}.15.snapshot.99`;
  assert.equal((await scene.up(scene.first)).outcome, 'live');
  await scene.settled(scene.first);
  await scene.engine.copyVolume(architecture, { from: `${data}.15`, to: { name: kept, owner: sessions }, image });
  world.write(architecture, `${data}.15`, 'damaged');
  const third = sealRelease(scene.engine, { commit: 'third' });
  await scene.up(third);
  await scene.settled(third);
  assert.equal(world.contentsOf(architecture, kept), 'ten orders');
  assert.equal((await scene.up(second)).outcome, 'live');
  await scene.settled(second);
  assert.equal(world.contentsOf(architecture, `${data}.15`), 'ten orders');
  assert.equal(world.contentsOf(architecture, kept), undefined);
});

inScene('a new data generation whose rollout died before it was let in is made again of the latest data', async (scene) => {
  const { world } = scene.engine;
  const second = sealRelease(scene.engine, upgraded);
  world.afterEffect = async ({ verb, name }) => {
    if (!/^(noteBody|removeVolume) sessions\.data\.15(\.snapshot\.\d+)?$/.test(`${verb} ${name}`)) return;
    world.afterEffect = undefined;
    await scene.engine.removeController(architecture, controller);
    throw new Killed('and its container with it');
  };
  const controller = await scene.start(second);
  await scene.until(() => world.afterEffect === undefined);
  let outcome: string | undefined;
  for (let tries = 0; outcome !== 'live' && tries < 500; tries += 1)
    ({ outcome } = await scene.up(sealRelease(scene.engine, { commit: 'third' })));
  world.write(architecture, data, 'eleven orders');
  assert.equal((await scene.up(second)).outcome, 'live');
  assert.equal(world.contentsOf(architecture, `${data}.15`), 'eleven orders');
});
