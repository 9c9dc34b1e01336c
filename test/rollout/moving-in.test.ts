import assert from 'node:assert/strict';
import type { App } from '../../src/architecture/model.ts';
import type { Manifest } from '../../src/release/manifest.ts';
import type { Request } from '../../src/request.ts';
import { elsewhere, sealRelease, sealWithImage, staged, withCatalog } from './release-fixture.ts';
import { architecture, inWorld, type RolloutWorld } from './rollout-world.ts';

const sealed = ({ engine }: RolloutWorld, catalog: App, change: { commit?: string; keys?: Record<string, string> } = {}): Manifest =>
  sealRelease(engine, { ...change, architecture: withCatalog(catalog) });

async function up(world: RolloutWorld, manifest: Manifest): Promise<void> {
  assert.equal((await world.up(manifest)).outcome, 'live');
  await world.settled(manifest);
}

/** The catalog's instances, each with the name its image has among those of its release. */
async function runs({ engine }: RolloutWorld, { outputs }: Manifest): Promise<string[]> {
  const observed = await engine.observe(architecture);
  assert.ok(observed.ok);
  const images = Object.entries(outputs.environments['local']?.apps['catalog']?.images.services ?? {});
  return observed.value.instances
    .filter(({ owner, role }) => owner.name === 'catalog' && role === 'service')
    .map(({ name, image }) => `${name} ${images.find(([, id]) => id === image)?.[0] ?? 'of another release'}`)
    .toSorted();
}

const containers = async ({ engine }: RolloutWorld, role: string): Promise<string[]> => {
  const observed = await engine.observe(architecture);
  assert.ok(observed.ok);
  return observed.value.instances.filter((each) => each.owner.name === 'catalog' && each.role === role).map(({ container }) => container);
};

inWorld('a stage runs from an image of its colour, which says where to send on, and its generation takes turns', async (world) => {
  const first = sealed(world, staged());
  await up(world, first);
  assert.deepEqual(await runs(world, first), [
    'catalog.api-1.blue api',
    'catalog.api-2.blue api',
    'catalog.auth-1.blue auth.blue',
    'catalog.waf-1.blue waf.blue',
  ]);
  const second = sealed(world, staged(), { commit: 'second', keys: { 'catalog/waf': '2' } });
  await up(world, second);
  assert.deepEqual(await runs(world, second), [
    'catalog.api-1.green api',
    'catalog.api-2.green api',
    'catalog.auth-1.green auth.green',
    'catalog.waf-1.green waf.green',
  ]);
  await up(world, first);
  assert.equal((await runs(world, first)).at(-1), 'catalog.waf-1.blue waf.blue');
});

inWorld('a change of policy leaves stages, and ways out, where they are', async (world) => {
  for (const catalog of [staged(), elsewhere()]) {
    await up(world, sealed(world, catalog));
    const [instances, paths] = [await containers(world, 'service'), await containers(world, 'path')];
    await up(world, sealed(world, { ...catalog, policy: { bodyLimitBytes: 1 } }, { commit: 'patch' }));
    assert.deepEqual(await containers(world, 'service'), instances);
    assert.notDeepEqual(await containers(world, 'path'), paths);
  }
});

inWorld('a stage that never becomes healthy fails its release, and the one before serves', async (world) => {
  const first = sealed(world, staged());
  await up(world, first);
  const second = sealed(world, staged(), { commit: 'second', keys: { 'catalog/waf': '2' } });
  const broken = second.outputs.environments['local']?.apps['catalog']?.images.services['waf.green'];
  world.engine.world.unhealthy(({ image }) => image === broken);
  assert.equal((await world.up(second)).outcome, 'failed');
  await world.settled(first);
  assert.equal((await runs(world, first)).at(-1), 'catalog.waf-1.blue waf.blue');
});

inWorld('a release with stages can be held, though nothing of them is looked at beside what serves', async (world) => {
  const first = sealed(world, staged());
  await up(world, first);
  const second = sealed(world, staged(), { commit: 'second', keys: { 'catalog/api': '2' } });
  await world.start(second, { holds: true });
  await world.until(() => world.events.some(({ type }) => type === 'rollout-held'));
  const observed = await world.engine.observe(architecture);
  assert.ok(observed.ok && observed.value.slots.every(({ name }) => name !== 'catalog.preview.slot'));
  const request: Request = { ask: 'let-live', release: second.release };
  await world.engine.ask(architecture, { name: 'request.1', image: second.outputs.controller, request });
  await world.settled(second);
  assert.equal((await runs(world, second)).at(-1), 'catalog.waf-1.green waf.green');
});

inWorld('what lives elsewhere is reached by one way out, which alone is in a network that leads out', async (world) => {
  const first = sealed(world, elsewhere());
  await up(world, first);
  assert.deepEqual(await runs(world, first), ['catalog.elsewhere-1.blue elsewhere']);
  const observed = await world.engine.observe(architecture);
  assert.ok(observed.ok && observed.value.networks.some(({ name }) => name === 'outbound'));
  const origin = observed.value.instances.find(({ name }) => name === 'catalog.elsewhere-1.blue')?.origin;
  assert.equal(origin?.key, first.inputs.changeless.proxy);
});

inWorld('an app moves in and out again, and gets stages where it lives', async (world) => {
  const [away, guarded, own] = [
    sealed(world, elsewhere()),
    sealed(world, elsewhere({ services: { waf: staged().services['waf']! }, stages: ['waf'] }), { commit: 'guarded' }),
    sealed(world, staged(), { commit: 'own' }),
  ];
  await up(world, away);
  await up(world, guarded);
  assert.deepEqual(await runs(world, guarded), ['catalog.elsewhere-1.green elsewhere', 'catalog.waf-1.green waf.green']);
  await up(world, own);
  assert.equal((await runs(world, own)).length, 4);
  await up(world, away);
  assert.deepEqual(await runs(world, away), ['catalog.elsewhere-1.green elsewhere']);
});

inWorld('where the origin does not answer, the generation before serves on', async (world) => {
  const own = sealed(world, staged());
  await up(world, own);
  const away = sealed(world, elsewhere(), { commit: 'away' });
  const wayOut = away.outputs.environments['local']?.apps['catalog']?.images.services['elsewhere'];
  world.engine.world.unhealthy(({ image }) => image === wayOut);
  assert.equal((await world.up(away)).outcome, 'failed');
  await world.settled(own);
});

inWorld('an app that moved in goes back, while it bakes, to the very way out it had', async (world) => {
  const bake = { forMs: 3_600_000 };
  const seal = (catalog: App, commit: string) => sealWithImage(world.engine, { commit, architecture: withCatalog(catalog) }).manifest;
  const away = seal(elsewhere({ bake }), 'away');
  await up(world, away);
  const before = await containers(world, 'service');
  const own = seal(staged({ bake }), 'own');
  await world.start(own);
  await world.until(() => world.events.some(({ type }) => type === 'bake-started'));
  assert.equal((await containers(world, 'service')).length, 5);
  const request: Request = { ask: 'go-back', release: own.release };
  await world.engine.ask(architecture, { name: 'request.1', image: own.outputs.controller, request });
  await world.settled(away);
  assert.deepEqual(await containers(world, 'service'), before);
});
