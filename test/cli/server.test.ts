import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { isToken } from '../../src/api-token.ts';
import type { JobRun } from '../../src/job-run.ts';
import { deliveryOf, writerOf } from '../gateway/inbox-fixture.ts';
import { makeCliWorld, type Answer, type CliWorld } from './cli-world.ts';
import { commit, commitSample, done, writeSample } from './sample.ts';

const jobs = `agents: { node: { build: 'admin' } }, jobs: {
  test: { parameters: { level: 'low' }, steps: [{ name: 'build', agent: 'node', run: 'make' }, { name: 'unit', agent: 'node', run: 'make unit' }] },
  idle: { on: { schedule: '0 3 * * *', after: 'test' }, steps: [{ name: 'only', agent: 'node', run: 'true' }] },
},`;
const more = `${jobs} gateway: gateway({ api: true }),`;

let world: CliWorld;
let url: string;
let token: string;
let unitExit: number | 'runs' = 0;
before(async () => {
  world = await makeCliWorld({ onDisk: true });
  await commitSample(world, { more: jobs });
  await done(world, 'up');
  world.engine.jobs.onStep = (spec) => {
    world.engine.jobs.print(spec.run, spec.step, `${spec.step} speaks`);
    return spec.step === '/unit' ? unitExit : 0;
  };
});
after(() => world.dispose());

const runs = (): Promise<JobRun[]> => world.ledger.runs.list({ limit: 50 });

async function until(what: string, isSo: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await isSo())) {
    assert.ok(performance.now() < deadline, `waited in vain until ${what}: ${JSON.stringify(await runs())}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('without an API there are no tokens', async () => {
  const { code, stderr } = await world.changeless('token', 'add', 'ci');
  assert.equal(code, 2);
  assert.match(stderr, /API_OFF.*api: true/s);
});

test('a token is printed once, and only its digest is kept', async () => {
  writeSample(world, { more });
  commit(world, 'An API');
  await done(world, 'up');
  const { value } = await world.json<{ token: string; scope: string; expiresAt: string }>(
    'token',
    'add',
    'ci',
    '--scope',
    'deploy',
    '--days',
    '30',
  );
  ({ token } = value);
  assert.ok(isToken(token));
  assert.deepEqual([value.scope, value.expiresAt], ['deploy', '2026-01-31T00:00:00.000Z']);
  assert.match(await done(world, 'token', 'list'), /^ci +deploy +accepted +until 2026-01-31 {2}never used$/m);
  const [kept, events] = [await world.ledger.tokens(), await world.ledger.events({ limit: 500 })];
  assert.equal(kept.length, 1);
  for (const all of [kept, events, (await world.json('token', 'list')).value]) assert.ok(!JSON.stringify(all).includes(token));
  assert.ok(events.some((event) => event.type === 'token-added' && event.name === 'ci'));
});

for (const [words, says, code] of [
  [['add', 'ci'], /there is a token ci already/, 1],
  [['add', 'Root!'], /cannot be called/, 2],
  [['add', 'x', '--days', '0'], /1 to 366 days/, 2],
  [['add', 'x', '--scope', 'root'], /scope/, 2],
  [['revoke', 'none'], /no token none is accepted/, 2],
  [['explode'], /cannot explode/, 2],
] as const)
  test(`token ${words.join(' ')} is a mistake, and says which`, async () => {
    const told = await world.changeless('token', ...words);
    assert.deepEqual([told.code, says.test(told.stderr)], [code, true], told.stderr);
    assert.equal((await world.ledger.tokens()).length, 1);
  });

test('login keeps a token that the server accepts, where nobody else can read it, for that address alone', async () => {
  url = await world.gateway();
  const typed = async (text: string, address = url): Promise<Answer> => {
    world.typed.text = text;
    return world.changeless('login', address);
  };
  assert.match((await typed('secret')).stderr, /no token/);
  assert.match((await typed(`${token}\n`, 'http://deliver.example.com')).stderr, /not encrypted/);
  assert.match((await world.changeless('jobs', '--server', url)).stderr, /TOKEN_REFUSED.*changeless login/s);
  const { code, stdout, stderr } = await typed(`${token}\n`);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /is sample/);
  const file = path.join(path.dirname(world.identities), 'servers.json');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  writeFileSync(file, JSON.stringify({ [url]: token, 'http://other.localhost:1': 'chg_other' }), { mode: 0o644 });
  assert.equal((await typed(token)).code, 0);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.match((await world.changeless('jobs', '--server', 'http://127.0.0.1:1')).stderr, /TOKEN_REFUSED/);
});

test('what is asked of a server is told as the engine tells it, word for word, and as JSON', async () => {
  unitExit = 0;
  await done(world, 'job', 'run', 'test');
  unitExit = 3;
  assert.equal((await world.changeless('job', 'run', 'test')).code, 1);
  const writer = writerOf(world.inbox);
  for (const id of ['one', 'two']) await writer.append(deliveryOf(id));
  await until('they are taken', async () => (await world.ledger.deliveries({ limit: 5 })).length === 2);
  const [run] = await runs();
  await until('it is closed', async () => (await runs())[0]?.closedAt !== undefined);
  for (const words of [
    ['log'],
    ['log', '--limit', '1'],
    ['deliveries'],
    ['jobs'],
    ['job', 'logs', run?.id ?? ''],
    ['job', 'logs', run?.id ?? '', '--step', 'unit'],
  ])
    for (const json of [[], ['--json']]) {
      const [engine, server] = [await world.changeless(...words, ...json), await world.changeless(...words, ...json, '--server', url)];
      assert.equal(server.code, 0, server.stderr);
      assert.equal(server.stdout, engine.stdout, words.join(' '));
    }
});

test('status over a server says what the ledger knows, under the same keys', async () => {
  const { value } = await world.json('status');
  const { value: told } = await world.json('status', '--server', url);
  for (const key of ['release', 'commit', 'environment', 'state']) assert.deepEqual(told[key], value[key], key);
  const urls = (status: Record<string, unknown>): unknown =>
    Object.entries(status['apps'] as Record<string, { urls: string[] }>).map(([name, { urls: all }]) => [name, all]);
  assert.deepEqual(urls(told), urls(value));
  assert.match(await done(world, 'status', '--server', url), /sample {2}live {2}release/);
});

test('a run is cancelled over a server, and followed to its end', async () => {
  unitExit = 'runs';
  const { value } = await world.json<{ run: string }>('job', 'run', 'test', '--detach');
  await until('unit runs', () => world.engine.jobs.runningSteps().includes(`${value.run} /unit`));
  const following = world.changeless('job', 'logs', value.run, '--follow', '--server', url);
  await done(world, 'job', 'cancel', value.run, '--server', url);
  const { code, stdout } = await following;
  // Which of the two is kept first is nobody's to say.
  assert.deepEqual([code, stdout.trim().split('\n').toSorted()], [0, ['build  /build speaks', 'unit  /unit speaks']]);
  assert.equal((await world.ledger.runs.find(value.run as JobRun['id']))?.outcome, 'cancelled');
  const again = await world.changeless('job', 'cancel', value.run, '--server', url);
  assert.deepEqual([again.code, /UNKNOWN_RUN/.test(again.stderr)], [2, true]);
});

for (const [words, says] of [
  [['job', 'run', 'tset'], /no job tset.*test/s],
  [['job', 'run', 'test', '--param', 'depth=1'], /no parameter depth/],
  [['job', 'run', 'test', 'no-such-commit'], /no-such-commit/],
  [['job', 'logs', 'test-unknown'], /no run test-unknown/],
  [['job', 'cancel', '../up'], /no run \.\.\/up/],
] as const)
  test(`${words.join(' ')} over a server is the mistake it is over the engine`, async () => {
    const before = (await runs()).length;
    const { code, stderr } = await world.changeless(...words, '--server', url);
    assert.equal(code, 2, stderr);
    assert.match(stderr, says);
    assert.equal((await runs()).length, before);
  });

test('a job whose images nobody makes is refused over a server, and nothing is started', async () => {
  const before = (await runs()).length;
  const { code, stderr } = await world.changeless('job', 'run', 'test', '--server', url);
  assert.deepEqual([code, (await runs()).length], [1, before]);
  assert.match(stderr, /REQUEST_REFUSED.*images.*without --server/s);
});

test('a token that is revoked is refused at once, and its name is free', async () => {
  await done(world, 'token', 'revoke', 'ci');
  const refused = await world.changeless('jobs', '--server', url);
  assert.deepEqual([refused.code, /was revoked/.test(refused.stderr)], [1, true], refused.stderr);
  await done(world, 'token', 'add', 'ci');
  assert.match(await done(world, 'token', 'list'), /^ci +read +accepted .*\nci +deploy +revoked /m);
});
