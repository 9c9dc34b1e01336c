import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { type CliWorld, makeCliWorld } from './cli-world.ts';
import { commit, commitSample, writeSample } from './sample.ts';

let world: CliWorld;
beforeEach(async () => {
  world = await makeCliWorld();
});
afterEach(() => world.dispose());

type Unit = {
  generation: string;
  state: string;
  urls: string[];
  instances: { name: string; container: string; state: string; startedAt: string }[];
};
type Status = {
  release: string;
  commit: string;
  state: string;
  apps: Record<string, Unit>;
  stores: Record<string, Unit>;
  core: Unit;
  controller: Unit;
  drift: unknown[];
};

const up = async (...argv: string[]): Promise<void> => {
  const { code, stderr } = await world.changeless('up', ...argv);
  assert.equal(code, 0, stderr);
};
const status = async (): Promise<Status> => (await world.json<Status>('status')).value;

test('a commit becomes live, and the addresses are printed', async () => {
  await commitSample(world);
  const { code, stdout, stderr } = await world.changeless('up');
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^live {2}release [0-9a-f]{12} from commit [0-9a-f]{7}/);
  assert.match(stdout, /web +http:\/\/web\.localhost:8080/);
  assert.match(stderr, /built +web\/api/);
  assert.match(stderr, /switched +app web/);
  assert.equal(world.git('rev-parse', 'refs/changeless/local/live'), world.git('rev-parse', 'HEAD'));
  assert.deepEqual(world.engine.world.outages, []);
});

test('up again changes nothing and says so', async () => {
  await commitSample(world);
  await up();
  const before = await status();
  const { code, stdout } = await world.changeless('up');
  assert.equal(code, 0);
  assert.match(stdout, /is live already; nothing was changed\n {2}admin/);
  assert.deepEqual(await status(), before);
});

test('status tells what is live by the keys of the machine contract', async () => {
  await commitSample(world);
  assert.equal((await status()).state, 'down');
  await up();
  const told = await status();
  assert.equal(told.state, 'live');
  assert.equal(told.commit, world.git('rev-parse', 'HEAD'));
  assert.deepEqual(Object.keys(told.apps), ['admin', 'web']);
  assert.deepEqual(told.apps['web']?.urls, ['http://web.localhost:8080']);
  assert.equal(told.apps['web']?.instances.length, 3, 'two replicas and the data path');
  assert.equal(told.stores['counts']?.state, 'live');
  assert.equal(told.core.state, 'live');
  assert.equal(told.controller.instances.length, 1);
  assert.deepEqual(told.drift, []);
});

test('plan says what would be built and replaced, and why, and changes nothing', async () => {
  await commitSample(world);
  await up();
  writeSample(world, { greeting: 'good morning' });
  world.write('admin/index.html', 'new');
  commit(world, 'second');
  const effects = world.engine.world.effects;
  const { value } = await world.json<{
    build: { component: string; reused: boolean }[];
    replace: { kind: string; name: string; from: string; to: string; why: string[] }[];
    keep: { name: string }[];
    remove: unknown[];
  }>('plan');
  assert.equal(world.engine.world.effects, effects);
  assert.deepEqual(
    value.build.filter(({ reused }) => !reused).map(({ component }) => component),
    ['admin/api'],
  );
  assert.deepEqual(
    value.replace.map(({ kind, name, why }) => [kind, name, why]),
    [
      ['app', 'admin', ['admin/api: source changed']],
      ['app', 'web', ['web/api: setting GREETING is "good morning", was "hello"']],
    ],
  );
  assert.deepEqual(
    value.keep.map(({ name }) => name),
    ['core', 'counts'],
  );
  assert.deepEqual(value.remove, []);
});

test('what did not change keeps its very containers', async () => {
  await commitSample(world);
  await up();
  const before = await status();
  writeSample(world, { greeting: 'good morning' });
  commit(world, 'second');
  await up();
  const after = await status();
  assert.notEqual(after.release, before.release);
  assert.deepEqual(after.apps['admin'], before.apps['admin']);
  assert.deepEqual(after.core, before.core);
  const containers = ({ apps }: Status): string[] => apps['web']?.instances.map(({ container }) => container) ?? [];
  assert.ok(containers(after).every((container) => !containers(before).includes(container)));
});

test('rollback runs what was live before, without evaluating or building', async () => {
  await commitSample(world);
  await up();
  const first = await status();
  writeSample(world, { greeting: 'good morning' });
  commit(world, 'second');
  await up();
  const { code, stdout } = await world.changeless('rollback', '--json');
  assert.equal(code, 0);
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; outcome?: string });
  assert.deepEqual([events[0]?.type, events.at(-1)?.type, events.at(-1)?.outcome], ['controller-started', 'rollout-ended', 'live']);
  const after = await status();
  assert.equal(after.release, first.release);
  assert.equal(after.apps['web']?.generation, first.apps['web']?.generation);
  const again = await world.changeless('rollback');
  assert.equal(again.code, 1);
  assert.match(again.stderr, /error NOTHING_BEFORE {2}sample has no earlier release/);
});

test('what was rolled back is not deployed again, unless it is asked for', async () => {
  await commitSample(world);
  await up();
  const first = await status();
  writeSample(world, { greeting: 'good morning' });
  commit(world, 'second');
  await up();
  assert.equal((await world.changeless('rollback')).code, 0);
  const refused = await world.changeless('up');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /error RELEASE_QUARANTINED[^]*rolled back[^]*--release-anyway/);
  assert.equal((await status()).release, first.release);
  assert.equal((await world.changeless('up', '--release-anyway')).code, 0);
  assert.notEqual((await status()).release, first.release);
});

test('an independent app that fails is held back loudly, while the rest is live', async () => {
  await commitSample(world, { rollout: 'per-app' });
  await up();
  const before = await status();
  for (const app of ['web', 'admin']) world.write(`${app}/version`, '2');
  commit(world, 'second');
  world.engine.world.unhealthy(({ owner, generation }) => owner.name === 'web' && generation !== before.apps['web']?.generation);
  const { code, stderr } = await world.changeless('up');
  assert.equal(code, 1);
  assert.match(stderr, /held back +app web stays as it was[^]*error APPS_HELD_BACK +web failed in release/);
  const after = await status();
  assert.notEqual(after.release, before.release);
  assert.deepEqual([after.state, after.apps['web']?.state, after.apps['admin']?.state], ['degraded', 'held-back', 'live']);
  assert.equal(after.apps['web']?.generation, before.apps['web']?.generation);
  world.engine.world.unhealthy(() => false);
  await up();
  assert.deepEqual([(await status()).state, (await status()).release], ['live', after.release]);
});

test('while a rollout runs another up is refused, or waits when it is told to', async () => {
  await commitSample(world);
  await up();
  const [path] = world.engine.world.serving({ kind: 'app', name: 'web' });
  assert.ok(path);
  world.engine.world.holdConnections(path);
  writeSample(world, { greeting: 'second' });
  commit(world, 'second');
  const running = world.changeless('up');
  const drains = async (): Promise<boolean> => {
    const observed = await world.engine.observe('sample');
    return observed.ok && observed.value.instances.some((instance) => instance.path?.phase === 'draining');
  };
  while (!(await drains())) await new Promise((resolve) => setImmediate(resolve));
  writeSample(world, { greeting: 'third' });
  commit(world, 'third');
  assert.equal((await world.changeless('up')).code, 4);
  const waiting = world.changeless('up', '--wait');
  const waits = async (): Promise<boolean> => {
    const controllers = await world.engine.controllers('sample');
    return controllers.ok && controllers.value.some((controller) => controller.waits);
  };
  while (!(await waits())) await new Promise((resolve) => setImmediate(resolve));
  world.engine.world.releaseConnections(path);
  assert.deepEqual([(await running).code, (await waiting).code], [0, 0]);
  assert.equal((await status()).commit, world.git('rev-parse', 'HEAD').trim());
});

test('up of a release runs it from its image', async () => {
  await commitSample(world);
  await up();
  const first = (await status()).release;
  writeSample(world, { greeting: 'good morning' });
  commit(world, 'second');
  await up();
  const builds = world.engine.world.effects;
  await up(first.slice(0, 12));
  assert.equal((await status()).release, first);
  assert.ok(world.engine.world.effects > builds);
});

test('log, show, diff and explain tell the history and the reasons', async () => {
  await commitSample(world);
  await up();
  const first = (await status()).release;
  writeSample(world, { greeting: 'good morning' });
  commit(world, 'second');
  await up();
  const second = (await status()).release;
  const log = await world.json<{ release: string; outcome: string; startedAt: string; endedAt: string }[]>('log');
  assert.deepEqual(
    log.value.map(({ release, outcome }) => [release, outcome]),
    [
      [second, 'live'],
      [first, 'live'],
    ],
  );
  const shown = await world.json<{ release: string; image: string; run: string }>('show', 'live');
  assert.equal(shown.value.release, second);
  assert.match(shown.value.run, /changeless\/sample\/release:/);
  const diff = await world.json<{ sentences: string[] }>('diff', first.slice(0, 10), 'live');
  assert.deepEqual(diff.value.sentences, ['web/api: setting GREETING is "good morning", was "hello"']);
  const explained = await world.changeless('explain', 'web');
  assert.match(explained.stdout, /it is the data path of app web and leads clients/);
  assert.match((await world.changeless('explain', 'nobody')).stderr, /UNKNOWN_SUBJECT.*\n {2}why {3}there are admin, core, counts, web/);
});

test('verify finds what differs, is missing or does not belong, and ends with 3', async () => {
  await commitSample(world);
  await up();
  const clean = await world.json<{ ok: boolean; compared: number; drift: unknown[] }>('verify');
  assert.deepEqual([clean.code, clean.value.ok, clean.value.drift], [0, true, []]);
  assert.ok(clean.value.compared > 10);
  world.engine.world.differ('web.api-1.blue', { kind: 'files', what: 'web.api-1.blue: /etc/passwd was changed' });
  world.engine.world.addStranger('sample', { container: 'f00', name: 'intruder', where: 'network web' });
  const found = await world.json<{ ok: boolean; drift: { kind: string; what: string; since: string; noticedBy: string }[] }>('verify');
  assert.deepEqual([found.code, found.value.ok], [3, false]);
  assert.deepEqual(
    found.value.drift.map(({ kind, what, noticedBy }) => [kind, what, noticedBy]),
    [
      ['foreign', 'container intruder is in network web and does not belong there', 'verify'],
      ['files', 'web.api-1.blue: /etc/passwd was changed', 'verify'],
    ],
  );
  assert.match((await world.changeless('verify')).stdout, /2 differences/);
});

test('down removes containers and keeps data; with --data it wants the name', async () => {
  await commitSample(world);
  await up();
  const refused = await world.changeless('down', '--data', '--confirm', 'other');
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /USAGE.*wants its name/);
  const { code, stdout } = await world.changeless('down');
  assert.equal(code, 0);
  assert.match(stdout, /2 volumes of data kept|1 volume of data kept/);
  assert.equal((await status()).state, 'down');
  await up();
  assert.equal((await status()).state, 'live');
  assert.equal((await world.changeless('down', '--data', '--confirm', 'sample')).code, 0);
  const observed = await world.engine.observe('sample');
  assert.ok(observed.ok);
  assert.deepEqual(observed.value.volumes, []);
});

test('gc keeps what is live and what it can go back to, and forgets the rest', async () => {
  await commitSample(world);
  for (const greeting of ['one', 'two', 'three']) {
    writeSample(world, { greeting });
    world.write('web/version', greeting);
    commit(world, greeting);
    await up();
  }
  await up((await world.json<{ release: string }[]>('log')).value.at(-1)?.release ?? '');
  assert.match((await world.changeless('gc', '--keep', '0')).stdout, /nothing to forget: 3 releases kept/);
  await world.changeless('down');
  const { value } = await world.json<{ kept: string[]; removed: string[] }>('gc', '--keep', '1');
  assert.equal(value.kept.length, 1);
  assert.ok(value.removed.some((tag) => tag.startsWith('changeless/sample/web.api:')));
  assert.equal((await world.changeless('gc', '--keep', 'many')).code, 2);
});

test('gc takes away what a build that was killed had sealed without a name, and nothing of others', async () => {
  await commitSample(world);
  await up();
  const base = world.engine.world.images.add({ tag: 'debian:other' });
  const sealedOf = (architecture: string) => ({
    base,
    files: [],
    change: { labels: { 'dev.changeless.architecture': architecture } },
    tag: `changeless/${architecture}/x:1`,
  });
  const assembly = await world.engine.images.prepare([sealedOf('sample'), sealedOf('other')]);
  await assembly.load();
  assert.equal((await world.changeless('gc')).code, 0);
  const left = await Promise.all(assembly.ids.map(async (id) => (await world.engine.images.inspect(id)) !== undefined));
  assert.deepEqual(left, [false, true]);
});

test('releases are called by their commits too', async () => {
  await commitSample(world);
  await up();
  const first = await status();
  world.write('web/server.js', 'changed\n');
  commit(world, 'second');
  await up();
  const shown = await world.json<{ release: string; commit: string }>('show', 'HEAD~1');
  assert.deepEqual([shown.value.release, shown.value.commit], [first.release, first.commit]);
  const { code, stdout } = await world.changeless('diff', 'HEAD~1', 'HEAD');
  assert.equal(code, 0);
  assert.match(stdout, /web\/api/);
  const unknown = await world.changeless('show', 'nonsense');
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /UNKNOWN_RELEASE/);
});
