import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { commandKind } from '../../src/ledger/commands.ts';
import { apiSource } from '../../src/ledger/delivery.ts';
import type { Problem } from '../../src/problem.ts';
import type { ReleaseId } from '../../src/digest.ts';
import type { RolloutRecord } from '../../src/ledger/ledger.ts';
import { writerOf } from '../gateway/inbox-fixture.ts';
import { makeCliWorld, type CliWorld } from './cli-world.ts';
import { commit, commitSample, done, writeSample } from './sample.ts';

const more = 'gateway: gateway({ api: true }),';

let world: CliWorld;
let first: ReleaseId;
let second: ReleaseId;
before(async () => {
  world = await makeCliWorld();
  await commitSample(world, { more });
  await done(world, 'up');
  first = (await newest()).release;
  await deployed('hi');
  second = (await newest()).release;
});
after(() => world.dispose());

async function newest(): Promise<RolloutRecord> {
  const [rollout] = await world.ledger.rollouts(1);
  return rollout ?? assert.fail('nothing was rolled out');
}

async function deployed(greeting: string): Promise<ReleaseId> {
  writeSample(world, { more, greeting });
  commit(world, `Says ${greeting}`);
  await done(world, 'up');
  return (await newest()).release;
}

let given = 0;

/** What a gateway writes down, and the number it gets. */
async function give(said: object, { id = `c-${(given += 1)}`, receivedAt = '2026-01-01T00:00:00.000Z' } = {}): Promise<string> {
  const body = Buffer.from(JSON.stringify({ ...said, by: 'ci' }));
  const written = await writerOf(world.inbox).append({ source: apiSource, id, kind: commandKind, receivedAt, body });
  assert.ok(written.ok);
  return id;
}

/** Resolves when the command is over, with why nothing was done. */
async function over(id: string): Promise<Problem | undefined> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    const events = await world.ledger.events({ type: 'command-ended', limit: 50 });
    const end = events.find((event) => event.type === 'command-ended' && event.command === id);
    if (end?.type === 'command-ended') return end.problem;
    assert.ok(performance.now() < deadline, `${id} was never over`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function live(release: ReleaseId): Promise<RolloutRecord> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    const rollout = await newest();
    if (rollout.release === release && rollout.outcome === 'live') return rollout;
    assert.ok(performance.now() < deadline, `${release} never was live: ${JSON.stringify(rollout)}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('roll-back runs the release that was live before, as rollback does', async () => {
  assert.equal(await over(await give({ does: 'roll-back' })), undefined);
  assert.equal((await live(first)).asked, 'rollback');
  const status = await world.json('status');
  assert.equal(status.value['release'], first);
});

test('deploy is refused of a release that was rolled back, as up refuses it', async () => {
  const before = (await newest()).token;
  assert.equal((await over(await give({ does: 'deploy', release: second })))?.code, 'RELEASE_QUARANTINED');
  assert.equal((await newest()).token, before);
});

test('roll-back goes to the release that it names, deploy to one that was not left', async () => {
  const third = await deployed('good day');
  assert.equal(await over(await give({ does: 'roll-back', release: first })), undefined);
  await live(first);
  const fourth = await deployed('good night');
  assert.equal(await over(await give({ does: 'deploy', release: first })), undefined);
  assert.equal((await live(first)).asked, 'up');
  assert.equal((await over(await give({ does: 'deploy', release: third })))?.code, 'RELEASE_QUARANTINED');
  assert.equal(await over(await give({ does: 'deploy', release: fourth })), undefined);
  await live(fourth);
});

for (const [what, said, code] of [
  ['a release that is not there', () => ({ does: 'deploy', release: 'f'.repeat(64) }), 'UNKNOWN_RELEASE'],
  ['the release that is live', async () => ({ does: 'deploy', release: (await newest()).release }), 'REQUEST_REFUSED'],
  ['a run that is not there', () => ({ does: 'cancel-run', run: 'none' }), 'UNKNOWN_RUN'],
  ['a job that is not there', () => ({ does: 'run-job', run: 'x-1', job: 'x', commit: 'a'.repeat(40), parameters: {} }), 'UNKNOWN_JOB'],
  ['a token that is not there', () => ({ does: 'revoke-token', token: 'none' }), 'UNKNOWN_TOKEN'],
  ['what nobody knows', () => ({ does: 'explode' }), 'REQUEST_REFUSED'],
] as const)
  test(`a command about ${what} is over with ${code}, and nothing was done`, async () => {
    const before = (await newest()).token;
    assert.equal((await over(await give(await said())))?.code, code);
    assert.equal((await newest()).token, before);
  });

test('a command that was given long ago is not done, but a token is revoked all the same', async () => {
  const receivedAt = '2025-12-31T23:00:00.000Z';
  assert.equal((await over(await give({ does: 'roll-back' }, { receivedAt })))?.code, 'COMMAND_LATE');
  await done(world, 'token', 'add', 'ci');
  assert.equal(await over(await give({ does: 'revoke-token', token: 'ci' }, { receivedAt })), undefined);
  assert.ok((await world.ledger.tokens())[0]?.revokedAt);
});

test('a command that was begun by a controller that was killed is gone on with, to the very release that was meant', async () => {
  const own = await newest();
  const began = (command: string, release: ReleaseId) =>
    world.ledger.append([{ type: 'command-began', command, does: 'roll-back', by: 'ci', release, at: '2026-01-01T00:00:00.000Z' }]);
  assert.notEqual(own.replaced, second, 'it is not the one that comes before');
  await began('c-begun', second);
  assert.equal(await over(await give({ does: 'roll-back' }, { id: 'c-begun' })), undefined);
  const there = await live(second);
  await began('c-done', second);
  assert.equal(await over(await give({ does: 'roll-back' }, { id: 'c-done' })), undefined);
  assert.deepEqual(await newest(), there, 'it is there already: nobody goes back a second time');
});

test('a command that comes twice is done once', async () => {
  const release = (await newest()).replaced ?? assert.fail('nothing before');
  await give({ does: 'roll-back', release }, { id: 'c-twice' });
  await give({ does: 'roll-back', release }, { id: 'c-twice' });
  assert.equal(await over('c-twice'), undefined);
  const { token } = await live(release);
  const after = await give({ does: 'cancel-run', run: 'none' });
  await over(after);
  assert.equal((await newest()).token, token);
  const ends = (await world.ledger.events({ type: 'command-ended', limit: 50 })).filter(
    (event) => 'command' in event && event.command === 'c-twice',
  );
  assert.equal(ends.length, 1);
});
