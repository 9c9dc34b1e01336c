import assert from 'node:assert/strict';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { CliWorld } from './cli-world.ts';
import { commit, done, inWorld, writeSample, type Sample } from './sample.ts';

const value = 'hunter2-very-secret';

/** The sample, whose web app and store get the secret in files of different names. */
const withSecret = (version: number, more: Sample = {}): Sample => ({
  counts: ", secrets: ['dbPassword']",
  steps: ", secrets: { dbPassword: 'password' }",
  more: `secrets: {\n    dbPassword: secret({ version: ${version} }),\n  },`,
  ...more,
});

async function add(world: CliWorld, text = value): Promise<string> {
  world.typed.text = text;
  return done(world, 'secret', 'add', 'dbPassword');
}

function delivered(world: CliWorld, name: string): Record<string, string> {
  const colour = ['blue', 'green'].find((each) => Object.keys(world.engine.world.secretsOf(`${name}.${each}`)).length > 0);
  return world.engine.world.secretsOf(`${name}.${colour}`);
}

const committed = async (world: CliWorld, sample: Sample): Promise<void> => {
  writeSample(world, sample);
  commit(world, 'next');
};

void test('a value that is added is an encrypted file, opened by a key that its owner alone may read', () =>
  inWorld(async (world) => {
    const said = await add(world, `${value}\n`);
    assert.match(said, /version 1 of dbPassword, encrypted/);
    assert.equal(said.includes(value), false);
    const file = path.join(world.folder, 'secrets/dbPassword/1.age');
    assert.match(readFileSync(file, 'utf8'), /^-----BEGIN AGE ENCRYPTED FILE-----\n/);
    const [identity = ''] = readdirSync(world.identities);
    assert.equal(statSync(path.join(world.identities, identity)).mode & 0o777, 0o600);
    assert.equal(world.git('status', '--porcelain', '--untracked-files=all').includes('identit'), false);
    const first = readFileSync(file);
    await add(world, 'another');
    assert.deepEqual(readFileSync(file), first, 'a version that is there was written again');
    assert.ok(existsSync(path.join(world.folder, 'secrets/dbPassword/2.age')));
    assert.equal(readdirSync(world.identities).length, 1);
  }));

void test('a value that is typed is asked for unseen, and none is no value', () =>
  inWorld(async (world) => {
    world.typed.terminal = true;
    await add(world);
    for (const text of ['', '\n', 'x'.repeat(65_537)]) {
      world.typed.text = text;
      const { code, stderr } = await world.changeless('secret', 'add', 'dbPassword');
      assert.equal(code, 2, stderr);
      assert.equal(existsSync(path.join(world.folder, 'secrets/dbPassword/2.age')), false);
    }
  }));

void test('services and stores find the values of the versions that the commit names, and nothing else holds them', () =>
  inWorld(async (world) => {
    await done(world, 'up');
    const without = (await world.json<{ compared: number }>('verify')).value.compared;
    await add(world);
    await committed(world, withSecret(1));
    const said = await done(world, 'up');
    assert.deepEqual(delivered(world, 'web.api-1'), { password: value });
    assert.deepEqual(delivered(world, 'web.api-2'), { password: value });
    assert.deepEqual(delivered(world, 'counts.server'), { dbPassword: value });
    assert.deepEqual(delivered(world, 'admin.api-1'), {});
    const show = await done(world, 'show', 'live', '--json');
    const told = [
      said,
      show,
      await done(world, 'status', '--json'),
      await done(world, 'logs', 'controller'),
      await done(world, 'log', '--json'),
    ];
    const events = JSON.stringify(await world.ledger.events({ limit: 1000 }));
    const images = await Promise.all(
      (await world.engine.images.list({})).map(({ id }) => world.engine.images.readFile(id, '/changeless/manifest.json')),
    );
    const manifests = images.map((bytes) => (bytes ? new TextDecoder().decode(bytes) : '')).join('');
    assert.match(manifests, /AGE ENCRYPTED/);
    assert.equal([...told, events, manifests].join('').includes(value), false);
    assert.match(await done(world, 'explain', 'counts'), /secrets +dbPassword version 1/);
    const verified = await world.json<{ ok: boolean; compared: number }>('verify');
    assert.deepEqual([verified.code, verified.value.ok], [0, true]);
    // Three instances get it.
    assert.equal(verified.value.compared, without + 3);
  }));

void test('moving to another version replaces who uses it and nobody else, says so, and a rollback brings the value back', () =>
  inWorld(async (world) => {
    await add(world);
    await committed(world, withSecret(1));
    await done(world, 'up');
    const admin = async (): Promise<unknown> => (await world.json<{ apps: { admin: { generation: string } } }>('status')).value.apps.admin;
    const before = await admin();
    world.typed.text = 'hunter3';
    const rotated = await done(world, 'secret', 'rotate', 'dbPassword');
    assert.match(rotated, /moved +architecture\.ts:\d+ +version 1 -> 2/);
    assert.match(readFileSync(path.join(world.folder, 'architecture.ts'), 'utf8'), /dbPassword: secret\(\{ version: 2 \}\)/);
    commit(world, 'rotate');
    const plan = await done(world, 'plan');
    assert.match(plan, /replace.*app web/);
    assert.match(plan, /secret dbPassword: version 1 -> 2/);
    assert.doesNotMatch(plan, /replace.*app admin/);
    await done(world, 'up');
    assert.deepEqual(delivered(world, 'web.api-1'), { password: 'hunter3' });
    assert.deepEqual(await admin(), before);
    assert.match(
      await done(world, 'secret', 'list'),
      /version 1 +used by release [0-9a-f]{12}\n +version 2 +used by release [0-9a-f]{12}, which is live/,
    );
    await done(world, 'rollback');
    assert.deepEqual(delivered(world, 'web.api-1'), { password: value });
  }));

void test('who dies, or whose place does, finds its secrets again without anybody', () =>
  inWorld(async (world) => {
    await add(world);
    await committed(world, withSecret(1));
    await done(world, 'up');
    const colour = 'blue';
    for (const killed of [`web.api-1.${colour}`, `web.api-1.${colour}.slot`, `counts.server.${colour}.slot`]) {
      world.engine.world.kill(killed);
      const isBack = (): boolean =>
        delivered(world, 'web.api-1')['password'] === value && delivered(world, 'counts.server')['dbPassword'] === value;
      const deadline = performance.now() + 10_000;
      do await new Promise((resolve) => setImmediate(resolve));
      while (!isBack() && performance.now() < deadline);
      assert.ok(isBack(), `after ${killed} died`);
    }
  }));

void test('an unknown secret, and a version that is not in the commit, are told with file and line before anything is built', () =>
  inWorld(async (world) => {
    await committed(world, withSecret(1));
    const missing = await world.changeless('plan');
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /SECRET_MISSING/);
    assert.match(missing.stderr, /architecture\.ts:\d+/);
    assert.match(missing.stderr, /the commit holds no secrets\/dbPassword\/1\.age/);
    await committed(world, withSecret(1, { steps: ", secrets: ['dbPasword']" }));
    const unknown = await world.changeless('plan');
    assert.match(unknown.stderr, /expected a name in secrets \(dbPassword\), found dbPasword/);
    assert.deepEqual((await world.engine.observe('sample')).ok && (await world.engine.images.list({ reference: 'changeless/*' })), []);
  }));

void test('without a key that opens them nothing is built; with one the release runs, also from a machine without', () =>
  inWorld(async (world) => {
    await add(world);
    await committed(world, withSecret(1));
    const [file = ''] = readdirSync(world.identities).map((name) => path.join(world.identities, name));
    const key = readFileSync(file);
    const refusedWith = async (code: string): Promise<void> => {
      const { code: exit, stderr } = await world.changeless('up');
      assert.notEqual(exit, 0);
      assert.match(stderr, new RegExp(code));
      assert.match(stderr, /architecture\.ts:\d+/);
      assert.deepEqual(await world.engine.images.list({ reference: 'changeless/*' }), []);
    };
    chmodSync(file, 0o644);
    await refusedWith('IDENTITY_EXPOSED');
    rmSync(file);
    await refusedWith('IDENTITY_MISSING');
    world.write('elsewhere/architecture.ts', 'export default {}');
    world.typed.text = 'x';
    await done(world, 'secret', 'add', 'other', '-C', 'elsewhere');
    rmSync(path.join(world.folder, 'elsewhere'), { recursive: true });
    await refusedWith('SECRET_UNREADABLE');
    world.write('../named.txt', key.toString());
    chmodSync(path.join(world.folder, '../named.txt'), 0o600);
    await done(world, 'up', '--identity', '../named.txt');
    assert.deepEqual(delivered(world, 'web.api-1'), { password: value });
    // The engine has been given the key: another operator's release needs none of theirs.
    await committed(world, withSecret(1, { greeting: 'bonjour' }));
    await done(world, 'up');
    assert.deepEqual(delivered(world, 'web.api-1'), { password: value });
  }));

void test('the engine is given the keys that a release needs, and no others; down takes them away', () =>
  inWorld(async (world) => {
    world.write('elsewhere/architecture.ts', 'export default {}');
    world.typed.text = 'x';
    await done(world, 'secret', 'add', 'other', '-C', 'elsewhere');
    rmSync(path.join(world.folder, 'elsewhere'), { recursive: true });
    await add(world);
    await committed(world, withSecret(1));
    await done(world, 'up');
    assert.equal(readdirSync(world.identities).length, 2);
    assert.match(world.engine.world.contentsOf('sample', 'identity') ?? '', /^AGE-SECRET-KEY-1\w+$/);
    const said = await done(world, 'down');
    assert.match(said, /1 volume of data kept/);
    assert.equal(world.engine.world.contentsOf('sample', 'identity'), undefined);
  }));

void test('a new key leaves the engine those that releases before it need', () =>
  inWorld(async (world) => {
    await add(world);
    await committed(world, withSecret(1));
    await done(world, 'up');
    rmSync(world.identities, { recursive: true });
    rmSync(path.join(world.folder, 'secrets/recipients.txt'));
    await add(world, 'for another key');
    await committed(world, withSecret(2));
    await done(world, 'up');
    assert.deepEqual(delivered(world, 'web.api-1'), { password: 'for another key' });
    assert.equal(world.engine.world.contentsOf('sample', 'identity')?.split('\n').length, 2);
    await done(world, 'rollback');
    assert.deepEqual(delivered(world, 'web.api-1'), { password: value });
  }));

void test('an environment names a version of its own', () =>
  inWorld(async (world) => {
    await add(world);
    await add(world, 'of production');
    await committed(world, withSecret(1, { production: 'secrets: { dbPassword: secret({ version: 2 }) },' }));
    await done(world, 'up', '--environment', 'production');
    assert.deepEqual(delivered(world, 'web.api-1'), { password: 'of production' });
    world.typed.text = 'newer';
    const rotated = await done(world, 'secret', 'rotate', 'dbPassword', '--environment', 'production');
    assert.match(rotated, /version 2 -> 3/);
    assert.match(readFileSync(path.join(world.folder, 'architecture.ts'), 'utf8'), /version: 1 \}[^]*production[^]*version: 3 \}/);
  }));
