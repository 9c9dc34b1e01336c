import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { deliveryOf, writerOf } from '../gateway/inbox-fixture.ts';
import type { Status } from '../e2e/world.ts';
import { makeCliWorld, type CliWorld } from './cli-world.ts';
import { commit, commitSample, done, writeSample } from './sample.ts';

const withGateway = (webhooks: string, greeting = 'hello') => ({
  greeting,
  more: `secrets: { hook: secret({ version: 1 }) },\n  gateway: gateway({ replicas: 2, webhooks: { ${webhooks} } }),`,
});
const github = "github: { secret: 'hook', repository: 'octo/streaming' }";

let world: CliWorld;
before(async () => {
  world = await makeCliWorld();
  await commitSample(world, withGateway(github));
  world.typed.text = 'a key';
  await done(world, 'secret', 'add', 'hook');
  commit(world, 'A key');
  await done(world, 'up');
});
after(() => world.dispose());

const status = async (): Promise<Status> => (await world.json<Status>('status')).value;
const containersOf = async (app: string): Promise<string[]> =>
  ((await status()).apps[app]?.instances ?? []).map(({ container }) => container);

test('the gateway is an app of the release, with its secret and its volumes, and without any access to the engine', async () => {
  const { apps } = await status();
  assert.deepEqual(apps['gateway']?.urls, ['http://deliver.localhost:8080']);
  assert.equal(apps['gateway']?.instances.filter(({ role }) => role === 'service').length, 2);
  assert.deepEqual(world.engine.world.secretsOf('gateway.gateway-1.blue'), { hook: 'a key' });
  const observed = await world.engine.observe('sample');
  assert.ok(observed.ok);
  assert.ok(observed.value.volumes.some(({ name, owner }) => name === 'inbox' && owner.name === 'gateway'));
  const verified = await world.changeless('verify');
  assert.equal(verified.code, 0, verified.stdout);
});

test('what it has written down is taken, and told once', async () => {
  assert.equal((await done(world, 'deliveries')).trim(), 'sample has taken no delivery');
  const writer = writerOf(world.inbox);
  for (const id of ['one', 'two', 'one']) await writer.append(deliveryOf(id));
  let value: { id: string }[] = [];
  while (value.length < 2) ({ value } = await world.json<{ id: string }[]>('deliveries'));
  assert.deepEqual(
    value.map(({ id }) => id),
    ['two', 'one'],
  );
  assert.match(await done(world, 'deliveries', '--limit', '1'), /github +push octo\/streaming main {2}\(two\)/);
});

test('a commit that does not change the gateway keeps its very containers, one that does replaces nothing else', async () => {
  const [gateway, web] = [await containersOf('gateway'), await containersOf('web')];
  writeSample(world, withGateway(github, 'hi'));
  commit(world, 'Another greeting');
  await done(world, 'up');
  assert.deepEqual(await containersOf('gateway'), gateway);
  const replaced = await containersOf('web');
  assert.notDeepEqual(replaced, web);
  writeSample(world, withGateway(`${github}, forge: { secret: 'hook' }`, 'hi'));
  commit(world, 'Another webhook');
  assert.match(await done(world, 'plan'), /gateway/);
  await done(world, 'up');
  assert.notDeepEqual(await containersOf('gateway'), gateway);
  assert.deepEqual(await containersOf('web'), replaced);
});

test('down keeps the inbox, and down --data does not', async () => {
  const volumes = async (): Promise<string[]> => {
    const observed = await world.engine.observe('sample');
    return observed.ok ? observed.value.volumes.map(({ name }) => name) : [];
  };
  await done(world, 'down');
  assert.ok((await volumes()).includes('inbox'));
  await done(world, 'down', '--data', '--confirm', 'sample');
  assert.ok(!(await volumes()).includes('inbox'));
});
