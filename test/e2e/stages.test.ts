import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { containersOf } from './docker.ts';
import { writeGate } from './gate.ts';
import { startLoad } from './load.ts';
import { makeWorld, until, type World } from './world.ts';

const host = 'hello.localhost';
const file = 'architecture.ts';
const token = { authorization: 'token-of-alice' };

/** Says what it was asked, and by whom; a WebSocket it echoes. */
const hello = `
import { identity, serve } from './serve.mjs';

const server = serve({
  '/': (request) => ({ status: 200, body: { ...identity(request), headers: request.headers, greeting: process.env.GREETING } }),
  '/healthz': () => ({ status: 200, body: {} }),
});
server.on('upgrade', (request, socket) => {
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nconnection: upgrade\\r\\nupgrade: echo\\r\\n\\r\\n');
  socket.on('error', () => socket.destroy()).pipe(socket);
});
`;

let world: World;
before(async () => {
  world = await makeWorld(
    'hello',
    { file: 'hello/server.mjs', from: /^[^]*$/, to: hello },
    {
      file,
      from: 'services: {',
      to: "stages: ['gate'],\n      services: {\n        gate: service({ build: 'gate', port: 8080, replicas: 2, health: { path: '/gate/healthz' } }),",
    },
  );
  writeGate(world);
  await world.git('add', '--all');
  await world.commit('A gate');
});
after(() => world?.dispose());

type Told = { headers: http.IncomingHttpHeaders; generation: string };

async function ask(headers: Record<string, string>): Promise<{ status: number; told: Told | undefined }> {
  const request = http.get({ host: '127.0.0.1', port: world.port, agent: false, headers: { host, ...headers } });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += String(chunk);
  return { status: response.statusCode ?? 0, told: response.statusCode === 200 ? (JSON.parse(text) as Told) : undefined };
}

/** What an upgraded connection through the core says back. */
async function echo(): Promise<{ say(text: string): Promise<string>; end(): void }> {
  const socket = net.connect(world.port, '127.0.0.1');
  await once(socket, 'connect');
  const heard = async (): Promise<string> => String(((await once(socket, 'data')) as [Buffer])[0]);
  socket.write(
    `GET /echo HTTP/1.1\r\nhost: ${host}\r\nconnection: upgrade\r\nupgrade: echo\r\nauthorization: ${token.authorization}\r\n\r\n`,
  );
  assert.match(await heard(), /^HTTP\/1.1 101/);
  return {
    async say(text) {
      const answer = heard();
      socket.write(text);
      return answer;
    },
    end: () => socket.destroy(),
  };
}

/** Ids of the app's containers that do something. */
async function containers(): Promise<{ gates: string[]; services: string[]; paths: string[] }> {
  const all = (await containersOf(world.architecture)).filter(({ unit }) => unit === 'app/hello');
  const ids = (role: string, name: RegExp): string[] =>
    all.filter((each) => each.role === role && name.test(each.name)).map(({ id }) => id);
  return { gates: ids('service', /\.gate-/), services: ids('service', /\.web-/), paths: ids('path', /./) };
}

const load = () => startLoad({ host, port: world.port }, 8, { headers: token });

test('a stage, on the real engine', async (story) => {
  await story.test('answers who it lets not pass, and the service knows of the others who they are', async () => {
    await world.done('up');
    assert.equal((await ask({})).status, 401);
    const { status, told } = await ask({ ...token, 'x-user': 'mallory', 'x-forwarded-for': '6.6.6.6', 'x-changeless-client': '6.6.6.6' });
    assert.equal(status, 200);
    assert.equal(told?.headers['x-user'], 'alice');
    assert.match(String(told?.headers['x-forwarded-for']), /^(127|172|10)\./);
    assert.equal(told?.headers['x-forwarded-proto'], 'http');
    assert.equal(told?.headers['x-changeless-client'], undefined);
    assert.equal((await world.json<{ ok: boolean }>('verify')).code, 0);
  });

  await story.test('lets a WebSocket pass, which a new generation does not cut', async () => {
    const socket = await echo();
    assert.equal(await socket.say('one'), 'one');
    const loaded = load();
    await world.commit('Another greeting', { file, from: "GREETING: 'Hello'", to: "GREETING: 'Good morning'" });
    const [before, up] = [await containers(), world.begin(['up'])];
    await up.said(/live/);
    assert.equal(await socket.say('two'), 'two');
    socket.end();
    assert.equal((await up.ended).code, 0);
    const { failed, answeredBy } = await loaded.stop();
    assert.deepEqual(failed, []);
    assert.equal(answeredBy.size, 2);
    const after = await containers();
    assert.equal([...after.gates, ...after.services].filter((id) => [...before.gates, ...before.services].includes(id)).length, 0);
  });

  await story.test('is replaced without losing a request, in either colour', async () => {
    const loaded = load();
    for (const [from, to] of [
      ['1', '2'],
      ['2', '3'],
    ] as const) {
      await world.commit(`Version ${to}`, { file: 'gate/server.mjs', from: `version = '${from}'`, to: `version = '${to}'` });
      await world.done('up');
      assert.equal((await ask(token)).told?.headers['x-gate'], to);
    }
    const { failed, answered, answeredBy } = await loaded.stop();
    assert.deepEqual(failed, []);
    assert.equal(answeredBy.size, 3);
    story.diagnostic(`${answered} requests, none failed`);
  });

  await story.test('is left alone by a change of policy, which loses no request either', async () => {
    const [before, loaded] = [await containers(), load()];
    await world.commit(
      'A patch',
      { file, from: 'architecture, service }', to: 'architecture, deny, policy, service }' },
      { file, from: "stages: ['gate'],", to: "stages: ['gate'],\n      policy: policy({ patches: { bad: deny({ path: '/bad' }) } })," },
    );
    await world.done('up');
    const { failed, answeredBy } = await loaded.stop();
    assert.deepEqual(failed, []);
    assert.equal(answeredBy.size, 2);
    const after = await containers();
    assert.deepEqual([after.gates, after.services], [before.gates, before.services]);
    assert.notDeepEqual(after.paths, before.paths);
  });

  await story.test('stands by with its generation while the next one bakes, and is gone back to without losing a request', async () => {
    await world.commit('To bake', { file, from: "stages: ['gate'],", to: "stages: ['gate'],\n      bake: { forMs: 600_000 }," });
    await world.done('up');
    const first = (await ask(token)).told?.generation;
    await world.commit('Version 4', { file: 'gate/server.mjs', from: "version = '3'", to: "version = '4'" });
    const [loaded, followed] = [load(), world.begin(['up'])];
    await until('the one before stands by', async () => {
      const { standingBy } = (await world.status()) as unknown as { standingBy?: object };
      return standingBy !== undefined && (await ask(token)).told?.headers['x-gate'] === '4';
    });
    await world.done('rollback');
    assert.equal((await followed.ended).code, 1);
    const { told } = await ask(token);
    assert.deepEqual([told?.generation, told?.headers['x-gate']], [first, '3']);
    const { failed, answeredBy } = await loaded.stop();
    assert.deepEqual(failed, []);
    assert.equal(answeredBy.size, 2);
    await world.commit(
      'Not to bake',
      { file, from: 'bake: { forMs: 600_000 },', to: '' },
      { file: 'gate/server.mjs', from: "version = '4'", to: "version = '3'" },
    );
    await world.done('up');
  });

  await story.test('is gone when it is rolled back to before it was there', async () => {
    const loaded = load();
    await world.commit('No gate', { file, from: "stages: ['gate'],", to: '' }, { file, from: /gate: service\(.*\),\n?/, to: '' });
    await world.done('up');
    assert.equal((await ask({})).status, 200);
    await world.done('rollback');
    assert.equal((await ask({})).status, 401);
    assert.deepEqual((await loaded.stop()).failed, []);
    assert.equal((await world.json<{ ok: boolean }>('verify')).code, 0);
  });
});
