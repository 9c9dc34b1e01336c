import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import { after, afterEach, before, test } from 'node:test';
import { containersOf, docker, inventoryOf } from './docker.ts';
import { freePort, makeWorld, until, type Edit, type Status, type World } from './world.ts';

const host = 'hello.localhost';
const ARCHITECTURE = 'architecture.ts';
const DOCKERFILE = 'hello/Dockerfile';
const SERVER = 'hello/server.mjs';

let world: World;
/** What is live before each test, and after it. */
let good: { commit: string; status: Status; inventory: string[] };

before(async () => {
  world = await makeWorld('hello');
  await world.done('up');
  good = { commit: await world.git('rev-parse', 'HEAD'), status: await statusAtRest(), inventory: await inventoryOf(world.architecture) };
});
after(() => world?.dispose());
afterEach(() => world.git('reset', '--quiet', '--hard', good.commit));

const healthyNever = (timeoutMs: number): Edit[] => [
  { file: ARCHITECTURE, from: `{ path: '/healthz' }`, to: `{ path: '/healthz', timeoutMs: ${timeoutMs} }` },
  {
    file: SERVER,
    from: /'\/healthz': .*/,
    to: `'/healthz': () => (console.error('the moon is in the wrong house'), { status: 503, body: {} }),`,
  },
];

const publishAt = (port: number): Edit => ({ file: ARCHITECTURE, from: `port: ${world.port} }]`, to: `port: ${port} }]` });

/** The whole message, in the form every problem has. */
function problemIn(stderr: string, code: string): string {
  assert.match(stderr, new RegExp(`^error ${code}  \\S`, 'm'));
  const problem = stderr.slice(stderr.indexOf(`error ${code}`));
  for (const field of ['safe', 'next']) assert.match(problem, new RegExp(`^  ${field}  \\S`, 'm'));
  return problem;
}

/** Every port of an address that accepts a connection; the kernel answers for the others at once. */
async function openPorts(address: string): Promise<number[]> {
  const isOpen = (port: number): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect({ host: address, port });
      socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
  const open: number[] = [];
  for (let first = 1; first <= 65_535; first += AT_ONCE) {
    const ports = Array.from({ length: Math.min(AT_ONCE, 65_536 - first) }, (_, index) => first + index);
    const found = await Promise.all(ports.map(isOpen));
    open.push(...ports.filter((_, index) => found[index]));
  }
  return open;
}

const AT_ONCE = 512;

/** Without what clients do: the checks of this file are some. */
async function statusAtRest(): Promise<Status> {
  const still = (key: string, value: unknown): unknown => (key === 'traffic' ? undefined : value);
  return JSON.parse(JSON.stringify(await world.status(), still)) as Status;
}

const goodShort = (): string => good.status.release.slice(0, 12);

/** What was live serves on in its very containers, and nothing else is on the engine. */
async function assertUntouched(): Promise<void> {
  const status = await statusAtRest();
  assert.deepEqual({ ...status, drift: [] }, good.status);
  assert.deepEqual(await inventoryOf(world.architecture), good.inventory);
  assert.equal((await world.ask(host)).generation, good.status.apps['hello']?.generation);
}

/** Runs the command line, holds its end against what is expected and finds everything untouched; the problem it told. */
async function refused(words: readonly string[], expected: { exit: number; code: string }): Promise<string> {
  const { code, stderr } = await world.changeless(...words);
  assert.equal(code, expected.exit, stderr);
  await assertUntouched();
  return problemIn(stderr, expected.code);
}

test('an instance that never becomes healthy: the request, the answer and its last words; what was live serves', async () => {
  await world.commit('Sick', ...healthyNever(3_000));
  const said = await refused(['up'], { exit: 1, code: 'ROLLOUT_UNHEALTHY' });
  assert.match(said, /hello never became healthy in release [0-9a-f]{12}/);
  assert.match(said, /why {3}GET \/healthz .*\bon web-1 answered 503/);
  assert.match(said, new RegExp(`safe {2}release ${goodShort()} still serves`));
  assert.match(said, /\| the moon is in the wrong house/);
  const { stdout } = await world.changeless('log', '--json');
  assert.deepEqual(
    (JSON.parse(stdout) as { outcome: string }[]).slice(0, 1).map(({ outcome }) => outcome),
    ['failed'],
  );
});

test('an instance that ends by itself again and again: its exit code and its last words', async () => {
  await world.commit('Gone', { file: SERVER, from: /^/, to: `console.error('no more of this');\nprocess.exit(7);\n` });
  const said = await refused(['up'], { exit: 1, code: 'ROLLOUT_UNHEALTHY' });
  assert.match(said, /ended by itself, again and again, last with exit code 7/);
  assert.match(said, /\| no more of this/);
});

test('a build step that fails: the step and its last lines', async () => {
  await world.commit('Cold', { file: DOCKERFILE, from: 'EXPOSE 8080\n', to: 'EXPOSE 8080\nRUN echo the oven is cold && exit 3\n' });
  const said = await refused(['up'], { exit: 1, code: 'BUILD_FAILED' });
  assert.match(said, /RUN echo the oven is cold && exit 3/);
  assert.match(said, /\| .*the oven is cold$/m);
});

test('image tests that fail: the tests and what they said', async () => {
  const tests = `{ folder: 'hello', tests: { command: ['node', '-e', 'console.log("two and two is five"); process.exit(1)'] } }`;
  await world.commit('Untrue', { file: ARCHITECTURE, from: `build: 'hello'`, to: `build: ${tests}` });
  const said = await refused(['up'], { exit: 1, code: 'TESTS_FAILED' });
  assert.match(said, /hello\/web/);
  assert.match(said, /\| two and two is five/);
});

test('a published port that a process listens on is refused with its number and name', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  try {
    const { port } = server.address() as { port: number };
    await world.commit('Taken', publishAt(port));
    const said = await refused(['up'], { exit: 1, code: 'PORT_TAKEN' });
    assert.match(said, new RegExp(`port ${port} of 127.0.0.1 is taken by process ${process.pid} \\(`));
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

test('a published port that another container has is refused with its name', async () => {
  const port = await freePort();
  const holder = `${world.architecture}-holder`;
  await docker('run', '--detach', '--rm', '--name', holder, '--publish', `127.0.0.1:${port}:80`, 'debian:bookworm-slim', 'sleep', '300');
  try {
    await world.commit('Taken', publishAt(port));
    const said = await refused(['up'], { exit: 1, code: 'PORT_TAKEN' });
    assert.match(said, new RegExp(`port ${port} of 127.0.0.1 is taken by container ${holder}`));
  } finally {
    await docker('kill', holder);
  }
});

test('an expression that the proxy refuses: the app, the place, the key and what the proxy said', async () => {
  await world.commit('Half an expression', {
    file: ARCHITECTURE,
    from: 'services: {',
    to: `policy: {\n        patches: {\n          half: { action: 'deny', path: { matches: '(' } },\n        },\n      },\n      services: {`,
  });
  const said = await refused(['up'], { exit: 2, code: 'PATH_INVALID' });
  assert.match(said, /the proxy refuses the configuration of apps\.hello/);
  assert.match(said, /architecture\.ts:\d+:\d+ {2}apps\.hello\.policy\.patches\.half: the proxy says: .*regex '\(' is invalid/);
  assert.match(said, /half: \{ action: 'deny', path: \{ matches: '\(' \} \},/);
});

test('a port scan finds the one port that is published, and on the core itself what is behind it', async () => {
  const all = await containersOf(world.architecture);
  const bindings = await Promise.all(all.map(({ id }) => docker('port', id)));
  assert.deepEqual(
    bindings.filter((each) => each !== ''),
    [`8080/tcp -> 127.0.0.1:${world.port}`],
  );
  const core = all.find(({ unit, role }) => unit === 'core/core' && role === 'sandbox');
  assert.ok(core);
  const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}';
  const addresses = (await docker('inspect', '--format', format, core.id)).trim().split(' ');
  const open = await Promise.all(addresses.map(openPorts));
  assert.deepEqual(
    open,
    addresses.map(() => [8080]),
  );
});

test('an unknown release, and one that is no commit either', async () => {
  await refused(['rollback', '0123456789ab'], { exit: 2, code: 'UNKNOWN_RELEASE' });
  await refused(['up', '0123456789ab'], { exit: 2, code: 'UNKNOWN_COMMIT' });
});

test('a folder that differs from the commit', async () => {
  world.edit({ file: SERVER, from: 'world', to: 'moon' });
  const said = await refused(['up'], { exit: 2, code: 'UNCOMMITTED_CHANGES' });
  assert.match(said, /hello\/server\.mjs/);
});

test('Ctrl-C while an image is built: 130 at once, and what was live serves', async () => {
  await world.commit('Slow', { file: DOCKERFILE, from: 'EXPOSE 8080\n', to: 'EXPOSE 8080\nRUN sleep 600\n' });
  const up = world.begin(['up']);
  await up.said(/building {3}hello\/web/);
  up.interrupt();
  const { code, stderr } = await up.ended;
  assert.equal(code, 130, stderr);
  assert.match(stderr, new RegExp(`safe {2}release ${goodShort()} still serves; nothing was switched`));
  await assertUntouched();
});

test('a rollout under way holds a second up (4), outlives Ctrl-C (130), and leaves what was live serving', async () => {
  await world.commit('Sick for long', ...healthyNever(20_000));
  const first = world.begin(['up']);
  await first.said(/rollout {4}[0-9a-f]{12} replaces/);
  const second = await world.changeless('up', good.status.release);
  assert.equal(second.code, 4, second.stderr);
  assert.match(problemIn(second.stderr, 'ROLLOUT_HELD'), /is being rolled out since/);
  first.interrupt();
  const { code, stderr } = await first.ended;
  assert.equal(code, 130, stderr);
  assert.match(stderr, /safe {2}the rollout of release [0-9a-f]{12} goes on without being watched/);
  assert.equal((await world.ask(host)).generation, good.status.apps['hello']?.generation);
  assert.equal((await world.status()).state, 'rolling-out');
  await until('the rollout has ended', async () => (await world.status()).state === 'live');
  assert.equal((await world.status()).release, good.status.release);
  const verified = await world.changeless('verify');
  assert.equal(verified.code, 3, 'the controller of the rollout that failed unwatched is told of');
  assert.match(verified.stdout, /is left over from a rollout of release/);
  await world.git('reset', '--quiet', '--hard', good.commit);
  await world.done('up');
  await until('nothing is left over', async () => (await inventoryOf(world.architecture)).join() === good.inventory.join());
  const status = await statusAtRest();
  assert.deepEqual({ ...status, controller: undefined }, { ...good.status, controller: undefined });
  good = { ...good, status };
});

test('a first release that never becomes healthy leaves nothing running', async () => {
  const fresh = await makeWorld('hello', ...healthyNever(3_000));
  try {
    const { code, stderr } = await fresh.changeless('up');
    assert.equal(code, 1, stderr);
    assert.match(problemIn(stderr, 'ROLLOUT_UNHEALTHY'), /safe {2}nothing served before and nothing serves now/);
    assert.deepEqual(
      (await containersOf(fresh.architecture)).map(({ name, state }) => `${name} ${state}`),
      [],
    );
    assert.equal((await fresh.status()).state, 'down');
  } finally {
    await fresh.dispose();
  }
});
