import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { type Answer, type CliWorld, makeCliWorld } from './cli-world.ts';
import { commit, commitSample, writeSample } from './sample.ts';

let world: CliWorld;
let first: string;

beforeEach(async () => {
  world = await makeCliWorld();
  await commitSample(world);
  await done('up');
  first = (await status()).release;
  writeSample(world, { greeting: 'ciao' });
  commit(world, 'another greeting');
});
afterEach(() => world.dispose());

async function done(...argv: string[]): Promise<Answer> {
  const answer = await world.changeless(...argv);
  assert.equal(answer.code, 0, `${answer.stdout}${answer.stderr}`);
  return answer;
}

type Status = { release: string; state: string; held?: { release: string; urls: Record<string, string[]> } };

const status = async (): Promise<Status> => (await world.json<Status>('status')).value;

test('up --hold stops when all can be looked at, says where, and up lets it live', async () => {
  const { stdout } = await done('up', '--hold');
  assert.match(stdout, /^held {2}release [0-9a-f]{12} is ready/);
  const address = /http:\/\/([0-9a-f]{12})\.web\.localhost:8080/.exec(stdout);
  assert.ok(address, stdout);
  assert.match(stdout, /changeless drop/);
  const { release, held } = await status();
  assert.equal(release, first, 'the one before serves');
  assert.deepEqual(held?.urls, { web: [address[0]] });
  assert.match((await done('status')).stdout, /held {6}release [0-9a-f]{12} can be looked at/);
  assert.match((await done('up', '--hold')).stdout, /^held {2}release/, 'asked again, it is held still');
  const before = world.engine.world.effects;
  assert.match((await done('up')).stdout, /^live {2}release/);
  const now = await status();
  assert.deepEqual([now.release, now.state, now.held], [held.release, 'live', undefined]);
  assert.ok(world.engine.world.effects > before);
});

test('drop takes it away again, and once only', async () => {
  await done('up', '--hold');
  const { stdout } = await done('drop');
  assert.match(stdout, new RegExp(`^dropped {2}release [0-9a-f]{12}; release ${first.slice(0, 12)} still serves`));
  const { release, held } = await status();
  assert.deepEqual([release, held], [first, undefined]);
  const again = await world.changeless('drop');
  assert.deepEqual([again.code, /NOTHING_HELD/.test(again.stderr)], [1, true]);
  await done('up');
});

test('while one is held, another commit waits for it to be decided', async () => {
  await done('up', '--hold');
  writeSample(world, { greeting: 'hola' });
  commit(world, 'a third greeting');
  const { code, stderr } = await world.changeless('up');
  assert.deepEqual([code, /ROLLOUT_HELD/.test(stderr)], [4, true]);
});

test('as JSON, the last word is that it is held', async () => {
  const { stdout } = await done('up', '--hold', '--json');
  const last = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as { type: string; apps: { name: string }[] };
  assert.deepEqual([last.type, last.apps.map(({ name }) => name)], ['rollout-held', ['web']]);
});
