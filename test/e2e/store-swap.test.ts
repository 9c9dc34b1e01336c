import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { containersOf, docker, type Container } from './docker.ts';
import { startClients, type Address } from './store-clients.ts';
import { makeWorld, until, type World } from './world.ts';

let world: World;
before(async () => {
  world = await makeWorld('streaming');
});
after(() => world?.dispose());

const accounts = 'accounts.localhost';
const visits = async (): Promise<number> => (await world.ask(accounts)).visits;
const server = async (): Promise<Container | undefined> =>
  (await containersOf(world.architecture)).find(({ unit, role }) => unit === 'store/sessions' && role === 'server');
const formats = async (): Promise<string> => docker('volume', 'ls', '--quiet', '--filter', `name=${world.architecture}.sessions.data`);
const redis = async (): Promise<Address> => ({
  host: await docker(
    'inspect',
    '--format',
    '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}',
    `${world.architecture}.sessions.path.slot`,
  ),
  port: 6379,
});
const copies = async (): Promise<string> => docker('volume', 'ls', '--quiet', '--filter', `name=${world.architecture}.sessions.data.`);

/** Its image's tests find nothing wrong with it. */
const plain = 'CMD ["redis-server", "/etc/redis/store.conf"]';
const onEmptyDataOnly = 'CMD ["sh", "-c", "test ! -e /data/appendonlydir && exec redis-server /etc/redis/store.conf"]';
/** Nothing is wrong with it on a copy of the data. */
const damagesData =
  'CMD ["sh", "-c", "grep -q data.rehearsal /proc/self/mountinfo && exec redis-server /etc/redis/store.conf; rm -rf /data/*; exit 1"]';

test('the server of a store is replaced on the real engine, and no client is refused', async (story) => {
  await story.test('its data stay, the new one was tried before, and how long connections waited is said', async () => {
    await world.done('up');
    const [before, counted] = [await server(), await visits()];
    await world.commit('Another log level', { file: 'sessions/redis.conf', from: 'daemonize no', to: 'loglevel verbose\ndaemonize no' });
    const clients = startClients(await redis());
    const { code, stderr, stdout } = await world.changeless('up');
    const { answered, refused } = await clients.stop();
    assert.equal(code, 0, stderr);
    assert.deepEqual(refused, []);
    assert.ok(answered > 0);
    const said = `${stdout}${stderr}`;
    assert.match(said, /tried +store sessions on a copy of its data\n/);
    assert.match(said, /tried +store sessions on its data\n/);
    story.diagnostic(/swapped.*/.exec(said)?.[0] ?? '');
    assert.match(said, /swapped +store sessions; connections waited /);
    assert.notEqual((await server())?.id, before?.id);
    assert.equal(await visits(), counted + 1);
  });

  await story.test('one that cannot work with the data fails the release, and the old one never stopped', async () => {
    const [before, counted] = [await server(), await visits()];
    const edit = { file: 'sessions/Dockerfile', from: plain, to: onEmptyDataOnly };
    await world.commit('A server that wants other data', edit);
    const { code, stderr } = await world.changeless('up');
    assert.equal(code, 1);
    assert.match(stderr, /sessions never became healthy on a copy of its data/);
    assert.match(stderr, /its data were not touched/);
    assert.deepEqual(await server(), before);
    assert.equal(await visits(), counted + 1);
  });

  await story.test('one that fails on the data themselves is taken back, the data are put back, and nobody was refused', async () => {
    const [before, counted] = [await server(), await visits()];
    const edit = { file: 'sessions/Dockerfile', from: onEmptyDataOnly, to: damagesData };
    await world.commit('A server that damages what it is let at', edit);
    const clients = startClients(await redis());
    const { code, stderr } = await world.changeless('up');
    const { answered, refused } = await clients.stop();
    assert.equal(code, 1);
    assert.match(stderr, /sessions never became healthy on its data/);
    assert.match(stderr, /its data are put back as the old server left them/);
    assert.deepEqual(refused, []);
    assert.ok(answered > 0);
    assert.notEqual((await server())?.id, before?.id, 'it had to stop');
    assert.equal(await visits(), counted + 1);
  });

  await story.test('another format has data of its own, made by its step, and going back is exact', async () => {
    await world.commit('As it was', { file: 'sessions/Dockerfile', from: damagesData, to: plain });
    await world.done('up');
    const counted = await visits();
    const format = `data: '/data', format: '2', upgrade: { command: ['touch', '/data/upgraded'] },`;
    await world.commit('Another format', { file: 'architecture.ts', from: `data: '/data',`, to: format });
    await world.done('up');
    assert.equal(await visits(), counted + 1);
    assert.match(await formats(), /sessions\.data\.2$/m);
    const { code, stderr } = await world.changeless('rollback');
    assert.equal(code, 2);
    assert.match(stderr, /--leave-writes/);
    await world.done('rollback', '--leave-writes');
    assert.equal(await visits(), counted + 1, 'what was written in the other format is not in these data');
  });

  await story.test('no copy is left in the end', async () => {
    await until('no copy is left', async () => !/snapshot|rehearsal/.test(await copies()));
  });
});
