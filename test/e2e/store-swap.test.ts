import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { containersOf, docker, type Container } from './docker.ts';
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
const copies = async (): Promise<string> => docker('volume', 'ls', '--quiet', '--filter', `name=${world.architecture}.sessions.data.`);

/** Its image's tests find nothing wrong with it. */
const onEmptyDataOnly = 'CMD ["sh", "-c", "test ! -e /data/appendonlydir && exec redis-server /etc/redis/store.conf"]';

test('the server of a store is replaced on the real engine', async (story) => {
  await story.test('its data stay, the new one was tried before, and how long connections waited is said', async () => {
    await world.done('up');
    const [before, counted] = [await server(), await visits()];
    await world.commit('Another log level', { file: 'sessions/redis.conf', from: 'daemonize no', to: 'loglevel verbose\ndaemonize no' });
    const { code, stderr, stdout } = await world.changeless('up');
    assert.equal(code, 0, stderr);
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
    const edit = { file: 'sessions/Dockerfile', from: 'CMD ["redis-server", "/etc/redis/store.conf"]', to: onEmptyDataOnly };
    await world.commit('A server that wants other data', edit);
    const { code, stderr } = await world.changeless('up');
    assert.equal(code, 1);
    assert.match(stderr, /sessions never became healthy on a copy of its data/);
    assert.match(stderr, /its data were not touched/);
    assert.deepEqual(await server(), before);
    assert.equal(await visits(), counted + 1);
  });

  await story.test('going back is tried as well, and no copy is left in the end', async () => {
    const counted = await visits();
    await world.done('rollback');
    assert.equal(await visits(), counted + 1);
    await until('no copy is left', async () => !/snapshot|rehearsal/.test(await copies()));
  });
});
