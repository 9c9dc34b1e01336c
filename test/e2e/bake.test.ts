import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startLoad } from './load.ts';
import { ask, makeWorld, until, type World } from './world.ts';

const host = 'hello.localhost';

let world: World;
before(async () => {
  world = await makeWorld('hello', {
    file: 'architecture.ts',
    from: 'hello: app({',
    to: "hello: app({\n      bake: { forMs: 600_000 },\n      alarms: { busy: { metric: 'request-rate', above: 2, forMs: 1000 } },",
  });
  await world.done('up');
});
after(() => world?.dispose());

const greeting = (from: string, to: string) => ({ file: 'architecture.ts', from: `GREETING: '${from}'`, to: `GREETING: '${to}'` });

const generation = async (): Promise<string> => (await world.ask(host)).generation;

test('what is held is reached at its own address only, and dropped without a trace', async () => {
  const first = await generation();
  await world.commit('held', greeting('Hello', 'Ciao'));
  const held = /http:\/\/([0-9a-f]{12})\.hello\.localhost/.exec(await world.done('up', '--hold'));
  assert.ok(held);
  const preview = await ask({ host: `${held[1]}.${host}`, port: world.port });
  assert.ok(preview.generation.startsWith(held[1] ?? '-'));
  assert.equal(await generation(), first);
  await assert.rejects(ask({ host: `${first.slice(0, 12)}.${host}`, port: world.port }), /404/);
  const load = startLoad({ host, port: world.port }, 4);
  await world.done('drop');
  const tally = await load.stop();
  assert.deepEqual(tally.failed, []);
  assert.equal(await generation(), first);
  await until('its address leads nowhere', () =>
    ask({ host: `${held[1]}.${host}`, port: world.port }).then(
      () => false,
      (error: unknown) => String(error).includes('404'),
    ),
  );
});

test('rolled back while it bakes, and taken back by an alarm, without a request lost', async () => {
  const first = await generation();
  const followed = world.begin(['up', '--json']);
  await until('another generation serves and the one before stands by', async () => {
    const { standingBy } = (await world.status()) as unknown as { standingBy?: object };
    return standingBy !== undefined && (await generation()) !== first;
  });
  const second = await generation();
  const load = startLoad({ host, port: world.port }, 4);
  await until('the alarm has taken it back', async () => (await generation()) === first);
  const { code, stdout } = await followed.ended;
  assert.equal(code, 1);
  const last = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as { problem: { code: string; why: string } };
  assert.equal(last.problem.code, 'ALARM_FIRED');
  assert.match(last.problem.why, /^hello\/busy: request-rate was above 2\/s for 1 s/);
  const tally = await load.stop();
  assert.deepEqual(tally.failed, []);
  assert.ok((tally.answeredBy.get(second) ?? 0) > 0 && (tally.answeredBy.get(first) ?? 0) > 0);
  const { code: again, stderr } = await world.changeless('up');
  assert.deepEqual([again, /RELEASE_QUARANTINED/.test(stderr)], [1, true]);
  await until('nothing is left of it', async () => (await world.json<{ ok: boolean }>('verify')).value.ok);
});
