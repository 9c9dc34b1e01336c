import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makeCliWorld, type CliWorld } from './cli-world.ts';
import { commit, commitSample, writeSample } from './sample.ts';

let world: CliWorld;
before(async () => {
  world = await makeCliWorld();
  await commitSample(world, { replicas: '{ min: 2, max: 4 }' });
  const { code, stderr } = await world.changeless('up');
  assert.equal(code, 0, stderr);
});
after(() => world.dispose());

type Status = { state: string; apps: Record<string, { instances: { name: string; role: string }[] }> };

async function instances(state = 'live'): Promise<string[]> {
  const { value } = await world.json<Status>('status');
  assert.equal(value.state, state);
  return (value.apps['web']?.instances ?? []).filter(({ role }) => role === 'service').map(({ name }) => name);
}

test('a service has as many instances as were asked for, and status and verify take them for right', async () => {
  assert.equal((await instances()).length, 2);
  for (const count of [4, 3]) {
    const { code, stderr, stdout } = await world.changeless('scale', 'web.api', String(count));
    assert.equal(code, 0, stderr);
    assert.match(`${stdout}${stderr}`, new RegExp(`web\\.api from \\d to ${count}: asked for`));
    assert.deepEqual(
      await instances(),
      Array.from({ length: count }, (_, index) => `web.api-${index + 1}.blue`),
    );
    assert.match((await world.changeless('status')).stdout, new RegExp(`app web .*api ${count} \\(2 to 4\\)`));
    const { value } = await world.json<{ apps: Record<string, { scaled?: unknown }> }>('status');
    assert.deepEqual([value.apps['web']?.scaled, value.apps['admin']?.scaled], [[{ service: 'api', count, min: 2, max: 4 }], undefined]);
    const verified = await world.changeless('verify');
    assert.equal(verified.code, 0, verified.stdout);
  }
});

test('as many as there are need nothing', async () => {
  assert.equal((await world.changeless('scale', 'web.api', '3')).code, 0);
  assert.equal((await instances()).length, 3);
});

test('another release has as many', async () => {
  writeSample(world, { greeting: 'hi', replicas: '{ min: 2, max: 4 }' });
  commit(world, 'another greeting');
  assert.equal((await world.changeless('up')).code, 0);
  assert.equal((await instances()).length, 3);
});

test('an app that is not changed by a release that is held is scaled all the same', async () => {
  const sample = { greeting: 'hi', replicas: '{ min: 2, max: 4 }' };
  writeSample(world, { ...sample, extra: "other: app({ services: { api: service({ build: 'admin', port: 8080 }) } })," });
  commit(world, 'another app');
  assert.equal((await world.changeless('up', '--hold')).code, 0);
  const { code, stderr } = await world.changeless('scale', 'web.api', '4');
  assert.equal(code, 0, stderr);
  assert.equal((await instances('rolling-out')).length, 4);
  assert.equal((await world.changeless('scale', 'web.api', '3')).code, 0);
  assert.equal((await world.changeless('drop')).code, 0);
  writeSample(world, sample);
  commit(world, 'no other app');
});

/** What `plan` says of the elastic service, for programs and for people. */
async function planned(): Promise<[unknown, string | undefined]> {
  const { value } = await world.json<{ scaled: unknown }>('plan');
  return [value.scaled, /scale +(.*)/.exec((await world.changeless('plan')).stdout)?.[1]];
}

test('plan says how many instances a service would have, within its range', async () => {
  const api = { app: 'web', service: 'api' };
  assert.deepEqual(await planned(), [[{ ...api, min: 2, max: 4, now: 3, count: 3 }], 'web.api  3 of 2 to 4 instances']);
  writeSample(world, { replicas: '{ min: 1, max: 2 }' });
  commit(world, 'a smaller range');
  assert.deepEqual(await planned(), [[{ ...api, min: 1, max: 2, now: 3, count: 2 }], 'web.api  2 of 1 to 2 instances; 3 run now']);
  writeSample(world);
  commit(world, 'no range');
  assert.deepEqual(await planned(), [[], undefined]);
  const fresh = await makeCliWorld();
  await commitSample(fresh, { replicas: '{ min: 2, max: 4 }' });
  assert.match((await fresh.changeless('plan')).stdout, /web\.api {2}2 of 2 to 4 instances\n/);
  await fresh.dispose();
});

const refused: readonly (readonly [words: readonly string[], code: number, says: RegExp])[] = [
  [['web.api', '5'], 1, /REQUEST_REFUSED.*web\.api has from 2 to 4 instances, not 5/],
  [['admin.api', '2'], 1, /REQUEST_REFUSED.*admin\.api has 1 in the release, and no range/],
  [['web.nobody', '2'], 2, /UNKNOWN_SUBJECT.*web\.nobody/],
  [['web', '2'], 2, /USAGE/],
  [['web.api', 'many'], 2, /USAGE/],
];

for (const [words, code, says] of refused)
  test(`scale ${words.join(' ')} is refused`, async () => {
    const answer = await world.changeless('scale', ...words);
    assert.equal(answer.code, code, answer.stderr);
    assert.match(answer.stderr, says);
  });
