import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { makeCliWorld, type CliWorld } from './cli-world.ts';
import { commit, commitSample, done, writeSample } from './sample.ts';

const sample = { more: "secrets: { push: secret({ version: 1 }) },\n  gateway: gateway({ git: { secret: 'push' } })," };
const url = 'http://deliver.localhost:8080/git/sample.git';

let world: CliWorld;
before(async () => {
  world = await makeCliWorld();
  await commitSample(world, sample);
  world.typed.text = 'older\npa ss:wörd/%\n';
  await done(world, 'secret', 'add', 'push');
  commit(world, 'A password');
});
after(() => world.dispose());

const credentials = (): string => path.join(world.folder, '.git/changeless/changeless.credentials');
const configOf = (key: string): string => world.git('config', '--default', '', '--get', key);

/** What git would send there, asked the way `git push` asks. */
function passwordFor(address: string): string | undefined {
  const { protocol, host, pathname } = new URL(address);
  const input = `protocol=${protocol.replace(':', '')}\nhost=${host}\npath=${pathname.slice(1)}\nusername=changeless\n\n`;
  const env = { PATH: process.env['PATH'], HOME: '/nonexistent', GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_NOSYSTEM: '1' };
  try {
    const said = execFileSync('git', ['-C', world.folder, 'credential', 'fill'], { input, env, stdio: 'pipe', encoding: 'utf8' });
    return /^password=(.*)$/m.exec(said)?.[1];
  } catch {
    return undefined;
  }
}

test('up adds the gateway’s remote with its password, which git finds for that address alone, and others cannot read', async () => {
  assert.match(await done(world, 'up'), /git push changeless main/);
  assert.equal(configOf('remote.changeless.url'), url.replace('//', '//changeless@'));
  assert.equal(passwordFor(url), 'pa ss:wörd/%', 'of several the last');
  for (const other of [
    url.replace('sample', 'other'),
    'http://other.localhost:8080/git/sample.git',
    'http://deliver.localhost/git/sample.git',
  ])
    assert.equal(passwordFor(other), undefined, other);
  assert.equal(statSync(credentials()).mode & 0o777, 0o600);
  assert.equal(statSync(path.dirname(credentials())).mode & 0o777, 0o700);
  assert.doesNotMatch(readFileSync(path.join(world.folder, '.git/config'), 'utf8'), /pa ss|pa%20ss/);
  assert.equal(world.git('status', '--porcelain'), '', 'nothing of it is in the working folder');
});

test('another up brings the password that is right then, once', async () => {
  writeSample(world, { more: sample.more.replace('version: 1', 'version: 2') });
  world.typed.text = 'another';
  await done(world, 'secret', 'add', 'push');
  commit(world, 'Another password');
  await done(world, 'up');
  assert.equal(passwordFor(url), 'another');
  assert.equal(world.git('config', '--get-regexp', 'credential.*helper').split('\n').length, 2, 'one that forgets others, and ours');
  rmSync(credentials());
  assert.match(await done(world, 'up'), /nothing was changed[^]*git push changeless main/);
  assert.equal(passwordFor(url), 'another');
});

test('a remote of that name that is another’s stays as it is, and it is said', async () => {
  world.git('config', '--unset', 'remote.changeless.changeless');
  world.git('config', 'remote.changeless.url', 'https://forge.example/x.git');
  rmSync(credentials());
  assert.match(await done(world, 'up'), /the remote changeless of this repository is another's, and was left alone; the gateway's is http/);
  assert.equal(configOf('remote.changeless.url'), 'https://forge.example/x.git');
  assert.equal(passwordFor(url), undefined);
});

test('where no key of this machine opens the password, nothing is added', async () => {
  world.git('config', '--remove-section', 'remote.changeless');
  rmSync(world.identities, { recursive: true });
  assert.doesNotMatch(await done(world, 'up'), /git push/);
  assert.equal(configOf('remote.changeless.url'), '');
});
