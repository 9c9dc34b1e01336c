import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { issueFor, makeAuthority } from '../../src/certificates/issue.ts';
import { certificateMistakes } from '../../src/certificates/certificate-mistakes.ts';
import { labels } from '../../src/engine/labels.ts';
import { Secret } from '../../src/secret.ts';
import type { CliWorld } from './cli-world.ts';
import { commit, done, inWorld as inSample, writeSample, type Sample } from './sample.ts';

/** What the world's clock says. */
const now = new Date('2026-01-01T00:00:00.000Z');
const days = (count: number): Date => new Date(now.getTime() + count * 86_400_000);

const withTls = (version: number, more: Sample = {}): Sample => ({
  publish: ', { port: 8443, tls: true }',
  web: ", tls: { certificate: 'webCertificate', key: 'webKey' }",
  more: `secrets: {\n    webCertificate: secret({ version: ${version} }),\n    webKey: secret({ version: ${version} }),\n  },`,
  ...more,
});

const inWorld = (body: (world: CliWorld) => Promise<void>, sample = withTls(1)): Promise<void> => inSample(body, sample);

const own = (world: CliWorld): string => path.join(world.identities, '../authority');

/** Who runs: its secrets, in which versions. */
async function running(world: CliWorld): Promise<Map<string, readonly string[]>> {
  const observed = await world.engine.observe('sample');
  assert.ok(observed.ok);
  return new Map(
    observed.value.instances
      .filter(({ state }) => state === 'running')
      .map(({ name, secrets = [] }) => [name, secrets.map(({ file, secret, version }) => `${file} ${secret} ${version}`)]),
  );
}

const isPath = (name: string): boolean => name.startsWith('web.path.');

void test('a certificate of its own authority is delivered to the data path alone, and another one replaces it alone', () =>
  inWorld(async (world) => {
    assert.match(await done(world, 'secret', 'certificate', 'web'), /update-ca-certificates/);
    commit(world, 'a certificate');
    assert.match(await done(world, 'up'), /web +https:\/\/web\.localhost:8443/);
    const first = await running(world);
    const [name = '', delivered] = [...first].find(([each]) => isPath(each)) ?? [];
    assert.deepEqual(delivered, ['tls.pem webCertificate 1', 'tls.pem.key webKey 1']);
    assert.deepEqual(
      [...first].filter(([each, secrets]) => !isPath(each) && secrets.length > 0),
      [],
    );
    const { 'tls.pem': certificate = '', 'tls.pem.key': key = '' } = world.engine.world.secretsOf(name);
    const served = { certificate: new Secret(certificate), key: new Secret(key), hosts: ['web.localhost'], now: now.getTime() };
    assert.deepEqual(certificateMistakes(served), []);
    const said = await done(world, 'secret', 'certificate', 'web');
    assert.equal([...said.matchAll(/moved at architecture\.ts:\d+, version 1 -> 2/g)].length, 2, said);
    commit(world, 'another');
    assert.match(await done(world, 'plan'), /secret webCertificate: version 1 -> 2/);
    await done(world, 'up');
    const second = await running(world);
    const others = (all: typeof first): string[] => [...all.keys()].filter((each) => !isPath(each));
    assert.deepEqual(others(second), others(first));
    assert.deepEqual(
      [...second].filter(([each]) => isPath(each)).map(([, secrets]) => secrets),
      [['tls.pem webCertificate 2', 'tls.pem.key webKey 2']],
    );
  }));

void test('the proxy checks a configuration with TLS by a certificate that is nobody’s, and others without one', () =>
  inWorld(async (world) => {
    const { images } = world.engine.world;
    const answer = images.onRunOnce;
    const checked: (Map<string, string> | undefined)[] = [];
    images.onRunOnce = (request) => {
      const files = new Map((request.files ?? []).map(({ path: file, contents }) => [file, String(contents)]));
      if (request.labels[labels.role] === 'check') checked.push(files);
      return answer?.(request) ?? {};
    };
    await done(world, 'secret', 'certificate', 'web');
    commit(world, 'a certificate');
    await done(world, 'build');
    const [used] = checked;
    const shown = new X509Certificate(used?.get('/run/secrets/tls.pem') ?? '');
    assert.ok(shown.checkPrivateKey(createPrivateKey(used?.get('/run/secrets/tls.pem.key') ?? '')));
    assert.equal(shown.checkHost('web.localhost'), undefined);
    writeSample(world, { greeting: 'bonjour', web: ', drain: { limitMs: 5 }' });
    commit(world, 'no TLS');
    await done(world, 'build');
    assert.deepEqual([checked.length, checked[1]?.has('/run/secrets/tls.pem')], [2, false]);
  }));

void test('the authority is made once, its key is its owner’s alone, and one that others may read is not used', () =>
  inWorld(async (world) => {
    await done(world, 'secret', 'certificate', 'web');
    const key = path.join(own(world), 'key.pem');
    assert.equal(statSync(key).mode & 0o777, 0o600);
    const before = readdirSync(own(world)).map((file) => readFileSync(path.join(own(world), file), 'utf8'));
    await done(world, 'secret', 'certificate', 'web');
    assert.deepEqual(
      readdirSync(own(world)).map((file) => readFileSync(path.join(own(world), file), 'utf8')),
      before,
    );
    chmodSync(key, 0o640);
    assert.match((await world.changeless('secret', 'certificate', 'web')).stderr, /IDENTITY_EXPOSED/);
  }));

for (const [what, sample, app, said] of [
  ['a host that is not below localhost', withTls(1, { hosts: "'web.localhost', 'example.com'" }), 'web', /not for example\.com/],
  ['an app without tls', {}, 'web', /says of no secrets[^]*tls: \{ certificate: 'webCertificate'/],
  ['an app that is none', withTls(1), 'wbe', /no app wbe/],
] as const) {
  void test(`${what} gets no certificate`, () =>
    inWorld(async (world) => {
      const { code, stderr } = await world.changeless('secret', 'certificate', app);
      assert.equal(code, 2, stderr);
      assert.match(stderr, said);
      assert.throws(() => readdirSync(path.join(world.folder, 'secrets')));
    }, sample));
}

const authority = makeAuthority('An authority of tests', days(-1000));
const issued = async (host: string, at: Date) => issueFor([host], await authority, at);

for (const [what, make, said] of [
  ['has ended', async () => issued('web.localhost', days(-400)), /webCertificate: the certificate ended at 2025-12-29/],
  ['ends within a day', async () => issued('web.localhost', days(-396.5)), /webCertificate: the certificate ends within a day/],
  ['has not begun', async () => issued('web.localhost', days(2)), /webCertificate: the certificate begins only at 2026-01-02T23/],
  ['is for another host', async () => issued('other.localhost', now), /not for web\.localhost, but for DNS:other\.localhost/],
  [
    'has another key',
    async () => ({ ...(await issued('web.localhost', now)), key: (await issued('web.localhost', now)).key }),
    /webKey: the key is not that of the certificate/,
  ],
  ['is none', async () => ({ certificate: 'x', key: new Secret('y') }), /expected a certificate as PEM[^]*expected a private key as PEM/],
] as const) {
  void test(`a certificate that ${what} is told with its place before anything is built`, () =>
    inWorld(async (world) => {
      const { certificate, key } = await make();
      for (const [name, text] of [
        ['webCertificate', certificate],
        ['webKey', key.revealText()],
      ] as const) {
        world.typed.text = text;
        await done(world, 'secret', 'add', name);
      }
      commit(world, 'a bad one');
      const { code, stderr } = await world.changeless('up');
      assert.equal(code, 2, stderr);
      assert.match(stderr, /CERTIFICATE_UNFIT/);
      assert.match(stderr, said);
      assert.match(stderr, /architecture\.ts:\d+/);
      assert.equal(stderr.includes('PRIVATE'), false);
      assert.deepEqual(await world.engine.images.list({ reference: 'changeless/*' }), []);
    }));
}

void test('a port for TLS, and secrets that are there, are wanted in every environment', () =>
  inWorld(async (world) => {
    const refused = async (more: Sample): Promise<string> => {
      writeSample(world, withTls(1, more));
      commit(world, 'a mistake');
      return (await world.changeless('plan')).stderr;
    };
    const unknown = await refused({ web: ", tls: { certificate: 'webCertificate', key: 'webKye' }" });
    assert.match(unknown, /architecture\.ts:\d+[^]*expected a name in secrets \(webCertificate, webKey\), found webKye/);
    const unpublished = await refused({ publish: '' });
    assert.match(unpublished, /architecture\.ts:\d+[^]*apps\.web\.tls: expected a port that is published for TLS/);
    assert.match(unpublished, /found none in environment production/);
  }, {}));
