import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import tls from 'node:tls';
import { issueFor, makeAuthority } from '../certificates/issue.ts';
import type { App } from '../architecture/model.ts';
import { endingCertificates } from './ending-certificates.ts';

const issuedAt = new Date('2026-01-01T00:00:00Z');
const endsAt = '2027-02-02T00:00:00.000Z';
let server: tls.Server;
before(async () => {
  const { certificate, key } = await issueFor(['web.localhost'], await makeAuthority('of a test', issuedAt), issuedAt);
  server = tls
    .createServer({ cert: certificate, key: key.revealText() }, (socket) => socket.on('error', () => undefined))
    .listen(0, '127.0.0.1');
  await once(server, 'listening');
});
after(() => server.close());

const app = (hosts: readonly string[], isEncrypted = true): App => ({
  hosts,
  services: {},
  drain: { limitMs: 1 },
  ...(isEncrypted && { tls: { certificate: 'a', key: 'b' } }),
});

const seen = async (clock: string, { env = {}, port }: { env?: Record<string, string>; port?: number } = {}) =>
  endingCertificates(
    { env, clock: () => clock },
    {
      core: { publish: [{ address: '127.0.0.1', port: port ?? (server.address() as AddressInfo).port, tls: true }] },
      apps: { web: app(['web.localhost']), plain: app(['plain.localhost'], false) },
    },
  );

test('what clients are shown is said to end from 14 days before on', async () => {
  assert.deepEqual(await seen('2027-01-19T00:00:01Z'), [{ app: 'web', host: 'web.localhost', endsAt }]);
  assert.deepEqual(await seen('2027-03-01T00:00:00Z'), [{ app: 'web', host: 'web.localhost', endsAt }]);
  assert.deepEqual(await seen('2027-01-18T23:59:59Z'), []);
});

test('of an engine elsewhere, and of who does not answer, nothing is said', async () => {
  assert.deepEqual(await seen(endsAt, { env: { DOCKER_HOST: 'tcp://elsewhere' } }), []);
  assert.deepEqual(await seen(endsAt, { port: 1 }), []);
});
