import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { type Answer, type CliWorld, makeCliWorld } from './cli-world.ts';
import { commit, commitSample, writeSample } from './sample.ts';

const web = ', bake: { forMs: 3_600_000 }';

let world: CliWorld;
let first: string;
let second: string;

/** A first release, and a second one that bakes; whoever watched it was interrupted. */
beforeEach(async () => {
  world = await makeCliWorld();
  await commitSample(world, { web });
  await done('up');
  first = (await status()).release;
  writeSample(world, { greeting: 'ciao', web });
  commit(world, 'another greeting');
  const { code, stderr } = await world.interrupted(/baking/, 'up');
  assert.equal(code, 130, stderr);
  second = (await status()).release;
});
afterEach(() => world.dispose());

async function done(...argv: string[]): Promise<Answer> {
  const answer = await world.changeless(...argv);
  assert.equal(answer.code, 0, `${answer.stdout}${answer.stderr}`);
  return answer;
}

type Status = { release: string; state: string; standingBy?: { release: string }; apps: { web: { state: string } } };

const status = async (): Promise<Status> => (await world.json<Status>('status')).value;

test('a release that bakes is live, and status says what stands by', async () => {
  const { state, standingBy, apps } = await status();
  assert.deepEqual([state, standingBy?.release, apps.web.state], ['live', first, 'live']);
  assert.match((await done('status')).stdout, new RegExp(`baking\\s+release ${first.slice(0, 12)} .* stands by; changeless rollback`));
  assert.match((await done('verify')).stdout, /verified/);
  assert.match((await done('up')).stdout, /is live already/);
});

test('rollback while it bakes goes back without starting anything', async () => {
  const effects: string[] = [];
  world.engine.world.beforeEffect = ({ verb }) => void effects.push(verb);
  const { stdout, stderr } = await done('rollback');
  assert.match(stdout, new RegExp(`^live {2}release ${first.slice(0, 12)} `));
  assert.match(stderr, /going back\s+from/);
  assert.ok(!effects.includes('startController') && !effects.includes('ensureSlot'), effects.join(' '));
  const { release, state, standingBy } = await status();
  assert.deepEqual([release, state, standingBy], [first, 'live', undefined]);
  assert.match((await done('log')).stdout, new RegExp(`${second.slice(0, 12)} {2}failed`));
  const again = await world.changeless('up');
  assert.match(again.stderr, /RELEASE_QUARANTINED/);
});

test('as JSON, the last word of a rollback within the bake is its end', async () => {
  const { stdout } = await done('rollback', '--json');
  const last = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Record<string, unknown>;
  assert.deepEqual([last['type'], last['release'], last['outcome']], ['rollout-ended', first, 'live']);
});

test('when nothing stands by after all, rollback runs the release before', async () => {
  const controllers = await world.engine.controllers('sample');
  const older = controllers.ok ? controllers.value.find(({ release }) => release === first) : undefined;
  // It goes after the command line has seen it.
  world.engine.world.beforeEffect = async ({ verb }) => {
    if (verb !== 'ask') return;
    world.engine.world.beforeEffect = undefined;
    await world.engine.removeController('sample', older?.name ?? '');
  };
  await done('rollback');
  assert.equal((await status()).release, first);
});

test('status says which alarms fire', async () => {
  writeSample(world, { greeting: 'hola', web: ", alarms: { idle: { metric: 'request-rate', below: 1, forMs: 1000 } }" });
  commit(world, 'an alarm');
  await done('up');
  const { release } = await status();
  const controllers = await world.engine.controllers('sample');
  const controller = controllers.ok ? controllers.value.find((each) => each.release === release) : undefined;
  const says = (type: string, alarm: string): void =>
    world.engine.world.print(
      controller?.name ?? '',
      JSON.stringify({ type, alarm, what: `${alarm}: too idle`, at: '2026-01-01T00:00:00.000Z' }),
    );
  says('alarm-fired', 'web/idle');
  says('alarm-fired', 'web/other');
  says('alarm-cleared', 'web/other');
  assert.match((await done('status')).stdout, /alarm {2}web\/idle: too idle/);
  const { value } = await world.json<{ alarms: { alarm: string }[] }>('status');
  assert.deepEqual(
    value.alarms.map(({ alarm }) => alarm),
    ['web/idle'],
  );
});

test('down takes away what nobody has answered', async () => {
  const controllers = await world.engine.controllers('sample');
  assert.ok(controllers.ok);
  for (const { name } of controllers.value) await world.engine.removeController('sample', name);
  const image = controllers.value[0]?.image;
  assert.ok(image);
  await world.engine.ask('sample', { name: 'request.1', image, request: { ask: 'go-back', release: second as never } });
  await done('down', '--data', '--confirm', 'sample');
  assert.deepEqual(await world.engine.architectures(), { ok: true, value: [] });
});
