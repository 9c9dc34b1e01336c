import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { type CliWorld, makeCliWorld } from './cli-world.ts';
import { commit, commitSample, writeSample } from './sample.ts';

let world: CliWorld;
beforeEach(async () => {
  world = await makeCliWorld();
});
afterEach(() => world.dispose());

/** Runs the command line and holds what it says against the form every problem has, and that nothing was changed. */
async function refused(argv: readonly string[], expected: { code: number; says: RegExp }): Promise<string> {
  const before = world.engine.world.inventory();
  const { code, stdout, stderr } = await world.changeless(...argv);
  assert.equal(code, expected.code, stderr);
  assert.match(stderr, expected.says);
  assert.match(stderr, /^error [A-Z_]+ {2}\S/m);
  assert.match(stderr, /^ {2}next {2}/m);
  assert.equal(stdout, '');
  assert.deepEqual(world.engine.world.inventory(), before, 'nothing was changed');
  return stderr;
}

test('a folder outside any git repository', async () => {
  await refused(['up'], { code: 2, says: /NOT_A_REPOSITORY/ });
});

test('uncommitted changes are named, with the two ways on', async () => {
  await commitSample(world);
  world.write('web/new.txt', 'x');
  world.write('architecture.ts', '// nothing\n');
  const said = await refused(['up'], {
    code: 2,
    says: /UNCOMMITTED_CHANGES {2}the working folder differs from the commit: architecture\.ts, web\/new\.txt/,
  });
  assert.match(said, /git add -A && git commit/);
  assert.match(said, /--worktree/);
});

test('--worktree runs the folder as it is, in local and nowhere else', async () => {
  await commitSample(world);
  writeSample(world, { greeting: 'not committed' });
  await refused(['up', '--worktree', '--environment', 'production'], {
    code: 2,
    says: /UNCOMMITTED_CHANGES {2}the working folder runs in local only/,
  });
  await refused(['up', 'HEAD', '--worktree'], { code: 2, says: /USAGE/ });
  assert.equal((await world.changeless('up', '--worktree')).code, 0);
  const { value } = await world.json<{ commit: string }>('status');
  assert.equal(value.commit, 'uncommitted');
});

test('a commit without architecture.ts', async () => {
  await commitSample(world);
  rmSync(path.join(world.folder, 'architecture.ts'));
  commit(world, 'without');
  await refused(['up'], { code: 2, says: /NO_ARCHITECTURE/ });
});

test('a syntax error in architecture.ts, with its place', async () => {
  await commitSample(world);
  world.write('architecture.ts', 'export default {\n');
  commit(world, 'broken');
  await refused(['up'], { code: 2, says: /ARCHITECTURE_SYNTAX[\s\S]*architecture\.ts:\d+:\d+/ });
});

test('several mistakes at once, each with file, line and key', async () => {
  await commitSample(world);
  writeSample(world, {
    hosts: "'no host!'",
    extra: "bad: app({ hosts: ['bad.localhost'], services: { api: service({ build: 'web', port: 99999 }) } }),",
  });
  commit(world, 'invalid');
  const said = await refused(['up'], { code: 2, says: /ARCHITECTURE_INVALID/ });
  assert.match(said, /architecture\.ts:8:\d+ {2}apps\.web\.hosts\[0\]: /);
  assert.match(said, /architecture\.ts:10:\d+ {2}apps\.bad\.services\.api\.port: /);
});

test('a mistake that is committed keeps nobody from seeing what is live, nor from going back', async () => {
  await commitSample(world);
  await world.changeless('up');
  const first = (await world.json<{ release: string }>('status')).value.release;
  writeSample(world, { greeting: 'bonjour' });
  commit(world, 'second');
  await world.changeless('up');
  writeSample(world, { hosts: "'no host!'" });
  commit(world, 'broken');
  writeSample(world, { hosts: "'no host either!'" });
  commit(world, 'broken once more');
  await refused(['up'], { code: 2, says: /ARCHITECTURE_INVALID/ });
  assert.equal((await world.json<{ state: string }>('status')).value.state, 'live');
  const { code, stderr } = await world.changeless('rollback');
  assert.equal(code, 0, stderr);
  assert.equal((await world.json<{ release: string }>('status')).value.release, first);
});

test('two apps with one host name', async () => {
  await commitSample(world);
  writeSample(world, { hosts: "'admin.localhost'" });
  commit(world, 'twice');
  const said = await refused(['up'], { code: 2, says: /ARCHITECTURE_INVALID/ });
  assert.match(
    said,
    /architecture\.ts:9:\d+ {2}apps\.admin\.hosts\[0\]: expected a host name that no other app has, found admin\.localhost, which app web has at apps\.web\.hosts\[0\] \(architecture\.ts:8\)/,
  );
});

test('a Dockerfile that is missing, and a base that is not pinned', async () => {
  await commitSample(world);
  rmSync(path.join(world.folder, 'admin/Dockerfile'));
  world.write('admin/index.html', '');
  commit(world, 'missing');
  await refused(['up'], { code: 2, says: /DOCKERFILE_MISSING/ });
  world.write('admin/Dockerfile', 'FROM alpine:3\n');
  commit(world, 'unpinned');
  await refused(['up'], { code: 2, says: /BASE_UNPINNED[\s\S]*alpine:3/ });
});

test('a commit without architecture.lock', async () => {
  await commitSample(world);
  rmSync(path.join(world.folder, 'architecture.lock'));
  commit(world, 'unlocked');
  await refused(['up'], { code: 2, says: /LOCK_MISSING/ });
});

test('a build step that fails: the step and its last lines', async () => {
  await commitSample(world);
  world.engine.images.onBuild = ({ tag }) =>
    tag.startsWith('changeless/sample')
      ? { step: '[2/2] RUN make', lines: ['make: no rule'], message: 'exit code: 2', noSpace: false }
      : undefined;
  const { code, stderr } = await world.changeless('up');
  assert.equal(code, 1);
  assert.match(stderr, /BUILD_FAILED[\s\S]*RUN make[\s\S]*\| make: no rule/);
});

test('no space left is told apart from a build that fails', async () => {
  await commitSample(world);
  world.engine.images.onBuild = ({ tag }) =>
    tag.startsWith('changeless/sample') ? { step: 'COPY', lines: [], message: 'no space left on device', noSpace: true } : undefined;
  const { code, stderr } = await world.changeless('up');
  assert.equal(code, 1);
  assert.match(stderr, /error NO_SPACE/);
});

test('an instance that never becomes healthy: nothing is switched, the old release serves', async () => {
  await commitSample(world);
  await world.changeless('up');
  const before = (await world.json<{ release: string; apps: unknown }>('status')).value;
  writeSample(world, { greeting: 'broken' });
  commit(world, 'broken');
  world.engine.world.unhealthy(({ owner, role, name }) => owner.name === 'web' && role === 'service' && name.includes('green'));
  const { code, stdout, stderr } = await world.changeless('up', '--json');
  assert.equal(code, 1, stderr);
  assert.match(stderr, /error ROLLOUT_UNHEALTHY/);
  const last = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { type: string; outcome: string };
  assert.deepEqual([last.type, last.outcome], ['rollout-ended', 'failed']);
  const after = (await world.json<{ release: string; state: string; apps: unknown; controller: { instances: unknown[] } }>('status')).value;
  assert.deepEqual([after.release, after.apps, after.controller.instances.length], [before.release, before.apps, 1]);
});

test('a published port that is taken, by what', async () => {
  await commitSample(world);
  world.engine.world.takePort({ address: '127.0.0.1', port: 8080, target: 8080 }, 'container nginx');
  const { code, stderr } = await world.changeless('up');
  assert.equal(code, 1);
  assert.match(stderr, /PORT_TAKEN {2}port 8080 of 127\.0\.0\.1 is taken by container nginx/);
});

test('no engine', async () => {
  await commitSample(world);
  world.engine.world.stopEngine();
  for (const command of ['up', 'status', 'verify', 'down', 'rollback']) {
    const { code, stderr } = await world.changeless(command);
    assert.equal(code, 1, command);
    assert.match(stderr, /error ENGINE_ABSENT/, command);
  }
});

test('an unknown commit, an unknown release, an unknown environment', async () => {
  await commitSample(world);
  await world.changeless('up');
  await refused(['up', 'no-such-branch'], { code: 2, says: /UNKNOWN_COMMIT/ });
  await refused(['up', 'abcdef0'], { code: 2, says: /UNKNOWN_COMMIT/ });
  await refused(['rollback', 'abcdef0'], { code: 2, says: /UNKNOWN_RELEASE {2}the engine has no release abcdef0 of sample/ });
  await refused(['show', 'abcdef0'], { code: 2, says: /UNKNOWN_RELEASE/ });
  await refused(['up', '--environment', 'moon'], { code: 2, says: /UNKNOWN_ENVIRONMENT/ });
});

test('words and options that are not understood, with what may have been meant', async () => {
  await refused(['stauts'], { code: 2, says: /USAGE {2}unknown command 'stauts'\n {2}why {3}did you mean status\?/ });
  await refused(['up', '--enviroment', 'x'], {
    code: 2,
    says: /USAGE {2}unknown option '--enviroment'\n {2}why {3}did you mean --environment\?[\s\S]*next {2}changeless up --help/,
  });
  await refused(['show'], { code: 2, says: /USAGE {2}missing required argument 'release'/ });
  await refused([], { code: 2, says: /USAGE {2}no command was named/ });
});

test('a problem is JSON on stdout with --json', async () => {
  const { code, value } = await world.json<{ version: number; problem: { code: string } }>('status');
  assert.deepEqual([code, value.version, value.problem.code], [2, 1, 'NOT_A_REPOSITORY']);
});

test('a bug of ours ends with 70 and where to report it; with --debug it says where it happened', async () => {
  await commitSample(world);
  world.engine.inspectInstances = () => Promise.reject(new Error('unforeseen'));
  const { code, stderr } = await world.changeless('verify');
  assert.equal(code, 70);
  assert.match(stderr, /error INTERNAL {2}unforeseen\n {2}why {3}this is a bug in Changeless[\s\S]*report it/);
  assert.doesNotMatch(stderr, /\.test\.ts/);
  assert.match((await world.changeless('verify', '--debug')).stderr, /refusing\.test\.ts/);
});

test('a problem that an adapter throws is told as one, and ends the stream of up', async () => {
  await commitSample(world);
  world.engine.images.list = () =>
    Promise.reject(Object.assign(new Error('gone'), { problem: { code: 'ENGINE_ABSENT', what: 'no container engine answers' } }));
  const { code, stdout, stderr } = await world.changeless('up', '--json');
  assert.equal(code, 1);
  assert.match(stderr, /error ENGINE_ABSENT/);
  const last = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { type: string; outcome: string };
  assert.deepEqual([last.type, last.outcome], ['rollout-ended', 'failed']);
});

test('a second up while one runs is held: 4, and the first becomes live', async () => {
  await commitSample(world);
  let release: (() => void) | undefined;
  const gate = new Promise<void>((resolve) => (release = resolve));
  world.engine.world.beforeEffect = async ({ verb }) => (verb === 'promotePath' ? gate : undefined);
  const first = world.changeless('up');
  while (!(await world.engine.observe('sample').then((observed) => observed.ok && observed.value.instances.length >= 7)))
    await new Promise((resolve) => setImmediate(resolve));
  writeSample(world, { greeting: 'impatient' });
  commit(world, 'second');
  const second = await world.changeless('up');
  assert.equal(second.code, 4, second.stderr);
  assert.match(second.stderr, /error ROLLOUT_HELD/);
  release?.();
  assert.equal((await first).code, 0);
});

test('Ctrl-C in the middle: 130, what serves is said, and the rollout ends by itself', async () => {
  await commitSample(world);
  const { code, stderr } = await world.interrupted(/rollout /, 'up');
  assert.equal(code, 130);
  assert.match(
    stderr,
    /interrupted\n {2}safe {2}the rollout of release [0-9a-f]{12} goes on without being watched; nothing served before it\n {2}next {2}changeless status/,
  );
  let state = '';
  while (state !== 'live') state = (await world.json<{ state: string }>('status')).value.state;
});

test('Ctrl-C while building: 130, and what serves still serves', async () => {
  await commitSample(world);
  await world.changeless('up');
  world.write('web/more', '');
  commit(world, 'second');
  const { code, stderr } = await world.interrupted(/building/, 'up');
  assert.equal(code, 130);
  assert.match(stderr, /safe {2}release [0-9a-f]{12} still serves; nothing was switched/);
  assert.equal((await world.json<{ state: string }>('status')).value.state, 'live');
});

test('a controller that is killed in the middle is followed through its restart', async () => {
  await commitSample(world);
  let killed = false;
  world.engine.world.afterEffect = ({ verb }) => {
    if (killed || verb !== 'startInstance') return;
    killed = true;
    world.engine.world.kill(
      'controller.' +
        (world.engine.world.inventory().find((line) => line.includes('controller.')) ?? '').split('controller.')[1]?.split(' ')[0],
    );
  };
  const { code, stderr } = await world.changeless('up');
  assert.equal(killed, true);
  assert.equal(code, 0, stderr);
});
