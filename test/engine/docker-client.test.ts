import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { dockerAddress } from '../../src/engine/docker/address.ts';
import { DockerClient } from '../../src/engine/docker/client.ts';
import { openDockerEngine } from '../../src/engine/docker/docker-engine.ts';
import type { EngineEvent } from '../../src/engine/engine.ts';

type Answer = (request: http.IncomingMessage, response: http.ServerResponse) => void;
type FakeEngine = { host: string; paths: string[]; server: http.Server };

const version =
  (ApiVersion: string, MinAPIVersion: string): Answer =>
  (_, response) =>
    response.setHeader('api-version', ApiVersion).end(JSON.stringify({ ApiVersion, MinAPIVersion }));

/** An engine that says what it is told to: which versions it speaks first, then `answer`. */
async function fakeEngine(test: TestContext, answer: Answer, hello: Answer = version('1.41', '1.12')): Promise<FakeEngine> {
  const paths: string[] = [];
  const server = http.createServer((request, response) => {
    paths.push(request.url ?? '');
    if (request.url === '/version' || request.url === '/_ping') hello(request, response);
    else answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  test.after(() => (server.closeAllConnections(), server.close()));
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return { host: `tcp://127.0.0.1:${address.port}`, paths, server };
}

function clientOf(host: string): DockerClient {
  const address = dockerAddress(host);
  assert.ok(address);
  return new DockerClient(address);
}

const refuse =
  (status: number, message: string): Answer =>
  (_, response) =>
    response.writeHead(status).end(JSON.stringify({ message }));

describe('an address of an engine', () => {
  const cases: [text: string, address: object | undefined][] = [
    ['unix:///run/x.sock', { socketPath: '/run/x.sock' }],
    ['tcp://build:2375', { host: 'build', port: 2375 }],
    ['tcp://[::1]:99', { host: '::1', port: 99 }],
    ['tcp://build', { host: 'build', port: 2375 }],
    ['ssh://build', undefined],
    ['/run/x.sock', undefined],
  ];
  for (const [text, address] of cases)
    it(`${text} is ${address ? 'read' : 'refused'}`, () => assert.deepEqual(dockerAddress(text), address && { text, ...address }));
});

describe('the version of the API', () => {
  const cases: [theirs: [newest: string, oldest: string], spoken: string, asked: string[]][] = [
    [['1.41', '1.12'], '/v1.41', ['/_ping']],
    [['1.52', '1.44'], '/v1.44', ['/_ping', '/version']],
    [['1.60', '1.50'], '/v1.50', ['/_ping', '/version']],
  ];
  for (const [theirs, spoken, asked] of cases) {
    it(`is ${spoken} with an engine that speaks ${theirs[1]} to ${theirs[0]}`, async (test) => {
      const fake = await fakeEngine(test, (_, response) => response.end('[]'), version(...theirs));
      const client = clientOf(fake.host);
      await Promise.all([client.json({ path: '/images/json' }), client.json({ path: '/images/json' })]);
      assert.deepEqual(fake.paths, [...asked, `${spoken}/images/json`, `${spoken}/images/json`]);
    });
  }
});

describe('a failure of the engine', () => {
  const codeOf = async (host: string): Promise<string | undefined> => {
    const answer = await openDockerEngine({ host }).describe();
    return answer.ok ? undefined : answer.problem.code;
  };

  it('is ENGINE_ABSENT where nothing listens', async () => {
    assert.equal(await codeOf('unix:///nowhere/engine.sock'), 'ENGINE_ABSENT');
    assert.equal(await codeOf('tcp://127.0.0.1:1'), 'ENGINE_ABSENT');
  });

  it('is ENGINE_FORBIDDEN where this user may not', { skip: process.getuid?.() === 0 && 'root may do anything' }, async (test) => {
    const folder = await mkdtemp(join(tmpdir(), 'eng-'));
    const socket = join(folder, 'engine.sock');
    const server = http.createServer().listen(socket);
    await once(server, 'listening');
    test.after(async () => (server.close(), rm(folder, { recursive: true })));
    await chmod(socket, 0);
    assert.equal(await codeOf(`unix://${socket}`), 'ENGINE_FORBIDDEN');
  });

  const cases: [status: number, message: string, code: string][] = [
    [500, 'write /var/lib: no space left on device', 'NO_SPACE'],
    [500, 'driver failed: Bind for 0.0.0.0:80 failed: port is already allocated', 'PORT_TAKEN'],
    [500, 'listen tcp4 0.0.0.0:80: bind: address already in use', 'PORT_TAKEN'],
    [400, 'invalid reference format', 'ENGINE_REFUSED'],
    [500, 'no such network', 'ENGINE_REFUSED'],
  ];
  for (const [status, message, code] of cases) {
    it(`is ${code} when it answers ${status}: ${message}`, async (test) =>
      assert.equal(await codeOf((await fakeEngine(test, refuse(status, message))).host), code));
  }
});

describe('a connection', () => {
  it('that the engine closed while it was idle is made anew', async (test) => {
    const fake = await fakeEngine(test, (_, response) => response.end('[]'));
    const client = clientOf(fake.host);
    await client.json({ path: '/a' });
    // The next call goes out on a connection whose other end dies with the request unread.
    fake.server.prependOnceListener('request', (request: http.IncomingMessage) => request.socket.resetAndDestroy());
    assert.deepEqual(await client.json({ path: '/b' }), []);
  });

  it('that is lost while watching is made again, and each begins with resynchronise', async (test) => {
    const died = {
      Action: 'die',
      Actor: { ID: 'c1', Attributes: { name: 'eng-x.api', 'dev.changeless.name': 'api' } },
      time: 1,
      timeNano: 1e9,
    };
    const helper = { Action: 'create', Actor: { ID: 'c2', Attributes: { 'dev.changeless.role': 'once' } }, time: 1 };
    let connections = 0;
    const fake = await fakeEngine(test, (request, response) => {
      connections += 1;
      if (connections === 2) return void response.writeHead(503).end('{"message":"starting"}');
      const text = `${JSON.stringify(helper)}\n${JSON.stringify(died)}\n`;
      response.write(text.slice(0, 200));
      // Broken off in the middle of what it says; the rest of the second connection is whole.
      response.write(text.slice(200), () => request.socket.destroy());
    });
    const stop = new AbortController();
    const seen: EngineEvent[] = [];
    for await (const event of openDockerEngine({ host: fake.host }).watch('eng-x', stop.signal)) {
      seen.push(event);
      if (seen.length === 4) stop.abort();
    }
    assert.deepEqual(
      seen.map((event) => event.kind),
      ['resynchronise', 'died', 'resynchronise', 'died'],
    );
    assert.deepEqual(seen[1], { kind: 'died', name: 'api', container: 'c1', at: '1970-01-01T00:00:01.000Z', action: 'die' });
    assert.equal(connections, 3);
  });

  it('that is watched ends at once when aborted, even where no engine answers', async () => {
    const stop = new AbortController();
    const events = openDockerEngine({ host: 'unix:///nowhere/engine.sock' }).watch('eng-x', stop.signal)[Symbol.asyncIterator]();
    const next = events.next();
    stop.abort();
    assert.equal((await next).done, true);
  });
});
