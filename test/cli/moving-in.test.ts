import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { type CliWorld, makeCliWorld } from './cli-world.ts';
import { commit, commitSample, writeSample } from './sample.ts';

let world: CliWorld;
beforeEach(async () => {
  world = await makeCliWorld();
});
afterEach(() => world.dispose());

const old = (tls = '') =>
  `shop: app({ hosts: ['shop.localhost'], elsewhere: { host: 'legacy.example.com', port: 8443${tls}, health: { path: '/healthz' } } }),`;
const own = (stages = "stages: ['gate'], ") =>
  `shop: app({ hosts: ['shop.localhost'], ${stages}services: { gate: service({ build: 'web', port: 8080 }), api: service({ build: 'admin', port: 8080, entry: true }) } }),`;

const done = async (...argv: string[]): Promise<string> => {
  const { code, stdout, stderr } = await world.changeless(...argv);
  assert.equal(code, 0, stderr);
  return stdout;
};

async function next(extra: string): Promise<void> {
  writeSample(world, { extra });
  commit(world, extra.slice(0, 60));
}

type Status = { apps: Record<string, { elsewhere?: string; state: string; instances: { name: string }[] }> };
type Plan = { replace: { name: string; why: string[] }[]; build: { component: string }[] };

const instancesOf = async (): Promise<string[]> => {
  const { value } = await world.json<Status>('status');
  return (value.apps['shop']?.instances ?? []).map(({ name }) => name.replace(/\.[0-9a-f]{8}\.\d+$/, '')).toSorted();
};

test('an app that lives elsewhere is live, said to live there, and as the release says', async () => {
  await commitSample(world, { extra: old(', tls: true') });
  assert.match(await done('up'), /shop +http:\/\/shop\.localhost:8080/);
  const { value } = await world.json<Status>('status');
  assert.deepEqual([value.apps['shop']?.state, value.apps['shop']?.elsewhere], ['live', 'https://legacy.example.com:8443']);
  assert.deepEqual(await instancesOf(), ['shop.elsewhere-1.blue', 'shop.path']);
  assert.match(await done('status'), /app shop +live .*2 containers, lives at https:\/\/legacy\.example\.com:8443 {2}http/);
  assert.equal(value.apps['web']?.elsewhere, undefined);
  await done('verify');
});

test('to move in is a generation like any other: planned, delivered, and gone back from', async () => {
  await commitSample(world, { extra: old() });
  await done('up');
  await next(own());
  const plan = (await world.json<Plan>('plan')).value;
  assert.deepEqual(
    plan.replace.map(({ name }) => name),
    ['shop'],
  );
  assert.ok(plan.replace[0]?.why.includes('shop: elsewhere.host removed, was "legacy.example.com"'));
  await done('up');
  assert.deepEqual(await instancesOf(), ['shop.api-1.green', 'shop.gate-1.green', 'shop.path']);
  await done('verify');
  await done('rollback');
  assert.deepEqual(await instancesOf(), ['shop.elsewhere-1.blue', 'shop.path']);
  await done('verify');
  assert.deepEqual(world.engine.world.outages, []);
  await done('down');
  assert.deepEqual(await instancesOf(), []);
});

test('a stage that is taken out of the list is an ordinary service again, of a new generation', async () => {
  await commitSample(world, { extra: own() });
  await done('up');
  await next(own(''));
  const plan = (await world.json<Plan>('plan')).value;
  assert.deepEqual(plan.replace[0]?.why, ['shop: stages removed, was ["gate"]']);
  await done('up');
  assert.deepEqual(await instancesOf(), ['shop.api-1.green', 'shop.gate-1.green', 'shop.path']);
});

test('a held release says where to look at its apps, but for those with stages', async () => {
  await commitSample(world, { extra: own() });
  await done('up');
  writeSample(world, {
    extra: own().replace("build: 'admin', port: 8080,", "build: 'admin', port: 8080, settings: { A: '1' },"),
    greeting: 'hi',
  });
  commit(world, 'to be looked at');
  const said = await done('up', '--hold');
  assert.match(said, /web +http:\/\/[0-9a-f]{12}\.web\.localhost/);
  assert.doesNotMatch(said, /shop +http/);
});

test('what does not fit is refused with the place where it is written', async () => {
  await commitSample(world);
  await next(own("stages: ['gaet'], "));
  const unknown = await world.changeless('up');
  assert.equal(unknown.code, 2);
  assert.match(
    unknown.stderr,
    /architecture\.ts:\d+[^]*apps\.shop\.stages\[0\]: expected a service of the app \(gate, api\), found gaet \(did you mean gate\?\)/,
  );
  await next(own('').replace('services:', "elsewhere: { host: 'legacy.example.com', port: 80, health: { path: '/' } }, services:"));
  const both = await world.changeless('up');
  assert.equal(both.code, 2);
  assert.match(
    both.stderr,
    /architecture\.ts:\d+[^]*apps\.shop\.services\.api: expected no service but stages in an app that lives elsewhere/,
  );
});
