import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { type Answer, type CliWorld, makeCliWorld } from './cli-world.ts';
import { commit, commitSample, writeSample } from './sample.ts';

let world: CliWorld;
beforeEach(async () => {
  world = await makeCliWorld();
  await commitSample(world);
  await done('up');
});
afterEach(() => world.dispose());

async function done(...argv: string[]): Promise<Answer> {
  const answer = await world.changeless(...argv);
  assert.equal(answer.code, 0, answer.stderr);
  return answer;
}

const data = (volume: string): string | undefined => world.engine.world.contentsOf('sample', volume);

/** The store's data get a format of their own. */
async function upgrade(): Promise<void> {
  writeSample(world, { counts: ", format: '15', upgrade: { command: ['upgrade'] }" });
  commit(world, 'format 15');
  await done('up');
}

test('going back over a data generation says what it leaves behind, and wants that confirmed', async () => {
  world.engine.world.write('sample', 'counts.data', 'one');
  await upgrade();
  world.engine.world.write('sample', 'counts.data.15', 'two');
  const before = world.engine.world.inventory();
  const refused = await world.changeless('rollback');
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /WRITES_LEFT .* data generation of counts, and leaves \d+ minutes? of writes behind/);
  assert.match(refused.stderr, /--leave-writes/);
  assert.deepEqual(world.engine.world.inventory(), before);
  await done('rollback', '--leave-writes');
  assert.deepEqual([data('counts.data'), data('counts.data.15')], ['one', 'two']);
  const forward = await world.changeless('up');
  assert.match(forward.stderr, /WRITES_LEFT/);
  await done('up', '--release-anyway', '--leave-writes');
  assert.deepEqual([data('counts.data'), data('counts.data.15')], ['one', 'two']);
});

test('going back within a data generation wants nothing confirmed', async () => {
  await upgrade();
  writeSample(world, { greeting: 'ciao', counts: ", format: '15', upgrade: { command: ['upgrade'] }" });
  commit(world, 'another greeting');
  await done('up');
  await done('rollback');
});

test('an upgrade without a format is a mistake with its place', async () => {
  writeSample(world, { counts: ", upgrade: { command: ['upgrade'] }" });
  commit(world, 'no format');
  const { code, stderr } = await world.changeless('up');
  assert.equal(code, 2);
  assert.match(stderr, /architecture\.ts:6/);
  assert.match(stderr, /stores\.counts\.upgrade/);
});

test('another format without an upgrade is refused with its place in the source', async () => {
  writeSample(world, { counts: ", format: '15'" });
  commit(world, 'format 15');
  const { code, stderr } = await world.changeless('up');
  assert.equal(code, 2);
  assert.match(stderr, /UPGRADE_MISSING +counts wants format 15, and its data have no named format/);
  assert.match(stderr, /architecture\.ts:6:\d+ +stores\.counts\.format: expected an upgrade beside it, or no named format\n.*format: '15'/);
});
