import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { containersOf, docker, type Container } from './docker.ts';
import { run } from './running.ts';
import { sendPush, startStream, type Forge, type Sent } from './webhook-stream.ts';
import { cliProgram, environmentIn, makeWorld, until, type World } from './world.ts';

type Told = { number: number; id: string; kind: string; branch?: string; after?: string };

const key = randomBytes(16).toString('hex');
const gateway = `gateway: gateway({ api: true, webhooks: { github: { secret: 'hook', repository: 'octo/streaming' } }, git: { secret: 'hook' } }),`;

let world: World;
let forge: Forge;
const streams = new Set<{ stop(): Promise<unknown> }>();

/** One that goes on after a failure would keep the file alive. */
function stream(name: string): ReturnType<typeof startStream> {
  const started = startStream(forge, { senders: 8, name });
  streams.add(started);
  return started;
}

before(async () => {
  world = await makeWorld(
    'hello',
    { file: 'architecture.ts', from: 'app, architecture, service', to: 'app, architecture, gateway, secret, service' },
    { file: 'architecture.ts', from: '  apps: {', to: `  secrets: { hook: secret({ version: 1 }) },\n  ${gateway}\n  apps: {` },
  );
  forge = { host: 'deliver.localhost', port: world.port, key };
  const command = ['printf %s "$VALUE" |', process.execPath, cliProgram, 'secret', 'add', 'hook'].join(' ');
  const env = { ...environmentIn(world.root), VALUE: key };
  const { code, stderr } = await run({ program: 'sh', words: ['-c', command], cwd: world.folder, env });
  assert.equal(code, 0, stderr);
  await world.git('add', '--all');
  await world.commit('A key of the webhook');
  await world.done('up');
});
after(async () => {
  for (const each of streams) await each.stop();
  await world?.dispose();
});

const deliveries = async (): Promise<Told[]> => (await world.json<Told[]>('deliveries', '--limit', '100000')).value;
const containers = (): Promise<Container[]> => containersOf(world.architecture);
const one = async (isIt: (container: Container) => boolean): Promise<Container> =>
  (await containers()).find(isIt) ?? assert.fail('not there');
const isGateway = ({ name, role }: Container): boolean => role === 'service' && name.includes('.gateway.');

/** Every one of them was taken, and is in the ledger once. */
async function allTaken(sent: readonly Sent[]): Promise<void> {
  assert.deepEqual(
    sent.filter(({ status }) => status !== 202),
    [],
  );
  await inLedger(sent.map(({ id }) => id));
}

async function inLedger(ids: readonly string[]): Promise<void> {
  const wanted = new Set(ids);
  const found = await until('all of them are in the ledger', async () => {
    const all = (await deliveries()).map(({ id }) => id).filter((id) => wanted.has(id));
    return all.length >= wanted.size && all;
  });
  assert.deepEqual(found.toSorted(), [...wanted].toSorted(), 'each is there once');
}

test('the gateway, on the real engine', async (story) => {
  await story.test('a signed push is taken through the core and its own data path, once however often it comes', async () => {
    assert.deepEqual(await sendPush(forge, 'first'), { id: 'first', status: 202 });
    assert.deepEqual(await sendPush(forge, 'first'), { id: 'first', status: 202 });
    assert.deepEqual(await sendPush({ ...forge, key: 'another' }, 'forged'), { id: 'forged', status: 401 });
    await allTaken([{ id: 'first', status: 202 }, await sendPush(forge, 'second')]);
    const told = await deliveries();
    assert.deepEqual(
      told.map(({ number, id, kind, branch }) => [number, id, kind, branch]),
      [
        [2, 'second', 'push', 'main'],
        [1, 'first', 'push', 'main'],
      ],
    );
  });

  await story.test('its API tells what the engine tells, to who has a token, through the core and its own data path', async () => {
    const { token } = (await world.json<{ token: string }>('token', 'add', 'ci', '--scope', 'deploy')).value;
    const server = ['--server', `http://deliver.localhost:${world.port}`];
    const env = { ...environmentIn(world.root), CHANGELESS_TOKEN: token };
    for (const words of [['log'], ['deliveries', '--json']]) {
      const told = await run({ program: process.execPath, words: [cliProgram, ...words, ...server], cwd: world.folder, env });
      assert.deepEqual([told.code, told.stdout], [0, await world.done(...words)], told.stderr);
    }
    const refused = await run({
      program: process.execPath,
      words: [cliProgram, 'log', ...server],
      cwd: world.folder,
      env: { ...env, CHANGELESS_TOKEN: '' },
    });
    assert.match(refused.stderr, /TOKEN_REFUSED/);
  });

  await story.test('it has no way to the engine, and cannot write to the ledger', async () => {
    const { id } = await one(isGateway);
    const [inspected] = JSON.parse(await docker('inspect', id)) as {
      Config: { User: string };
      Mounts: { Destination: string; RW: boolean }[];
    }[];
    assert.equal(inspected?.Config.User, '65534:65534');
    const mounts = Object.fromEntries((inspected?.Mounts ?? []).map(({ Destination, RW }) => [Destination, RW]));
    assert.deepEqual([mounts['/inbox'], mounts['/ledger'], mounts['/var/run/docker.sock']], [true, false, undefined]);
    const controller = await one(({ role }) => role === 'controller');
    const [other] = JSON.parse(await docker('inspect', controller.id)) as { Mounts: { Destination: string; RW: boolean }[] }[];
    assert.equal(other?.Mounts.find(({ Destination }) => Destination === '/inbox')?.RW, false);
    await world.done('verify');
  });

  await story.test('what comes while no controller runs is taken when it is back', async () => {
    const controller = await one(({ role }) => role === 'controller');
    await docker('kill', controller.id);
    const sent = await Promise.all(['a', 'b', 'c'].map((id) => sendPush(forge, `alone-${id}`)));
    await docker('start', controller.id);
    await allTaken(sent);
  });

  await story.test(
    'it is replaced by what is pushed to it, under a stream of webhooks: none is refused or lost, and the pusher told the end',
    async () => {
      const old = await one(isGateway);
      const sending = stream('replaced');
      await until('some were sent', async () => sending.sent.length > 100);
      await world.commit('Another webhook', { file: 'architecture.ts', from: 'webhooks: {', to: `webhooks: { forge: { secret: 'hook' },` });
      const env = { ...environmentIn(world.root), GIT_TERMINAL_PROMPT: '0' };
      const pushed = await run({ program: 'git', words: ['push', 'changeless', 'main'], cwd: world.folder, env });
      assert.equal(pushed.code, 0, pushed.stderr);
      assert.match(pushed.stderr, /remote: run deliver-\d+ deploys it[^]*remote: release [^]*remote: (deployed: run|the release is live)/);
      const head = await world.git('rev-parse', 'HEAD');
      await until('what was pushed is live', async () => (await world.status()).commit === head);
      const [, id = ''] = /run (deliver-\d+) deploys/.exec(pushed.stderr) ?? [];
      assert.equal((await world.changeless('job', 'logs', id, '--follow')).code, 0);
      const sentBy = sending.sent.length;
      await until('some more were sent', async () => sending.sent.length > sentBy + 100);
      await allTaken(await sending.stop());
      assert.notEqual((await one(isGateway)).id, old.id);
    },
  );

  await story.test('a commit that does not change it keeps its very container', async () => {
    const { id } = await one(isGateway);
    await world.commit('Nothing of it');
    await world.done('up');
    assert.equal((await one(isGateway)).id, id);
  });

  await story.test('what it has acknowledged is there though it is killed in between', async () => {
    const { id } = await one(isGateway);
    const sending = stream('killed');
    await until('some were sent', async () => sending.sent.length > 100);
    await docker('kill', id);
    await until('it is back', async () => sending.sent.some(({ status }) => status !== 202) && sending.sent.at(-1)?.status === 202);
    const sent = await sending.stop();
    await inLedger(sent.filter(({ status }) => status === 202).map((each) => each.id));
  });

  await story.test('down keeps what it has taken, and files that were taken go', async () => {
    const sent = await sendPush(forge, 'last');
    assert.equal(sent.status, 202);
    await world.done('down');
    await world.done('up');
    await inLedger(['first', 'last']);
    const listing = `docker run --rm --network none -v ${world.architecture}.inbox:/inbox:ro debian:bookworm-slim sh -c 'ls /inbox'`;
    await until('no closed file is left', async () => {
      const { stdout } = await run({ program: 'sh', words: ['-c', listing] });
      return !stdout.includes('.closed');
    });
  });
});
