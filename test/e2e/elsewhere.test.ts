import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { TLSSocket } from 'node:tls';
import { issueFor, makeAuthority } from '../../src/certificates/issue.ts';
import { containersOf, docker } from './docker.ts';
import { startLoad } from './load.ts';
import { makeWorld, type UnitStatus, type World } from './world.ts';

const host = 'hello.localhost';
const file = 'architecture.ts';
const services = /services: \{[^]*?\n {6}\},/;

/** An app of before: on this host, beside the engine. */
const askedFor = new Set<string>();
const answer: http.RequestListener = (request, response) => {
  request.resume();
  askedFor.add(request.headers.host ?? '');
  response.statusCode = request.url === '/nowhere' ? 404 : 200;
  const app = request.socket instanceof TLSSocket ? 'legacy over TLS' : 'legacy';
  response.end(JSON.stringify({ app, generation: request.headers['x-changeless-generation'] }));
};
const name = 'legacy.localhost';
const authority = await makeAuthority('of a test', new Date());
const shown = await issueFor([name], authority, new Date());
const [plain, encrypted] = [
  http.createServer(answer),
  https.createServer({ cert: shown.certificate, key: shown.key.revealText() }, answer),
];
// As the examples have it: it is never this side that closes a connection in use.
for (const server of [plain, encrypted]) server.keepAliveTimeout = 75_000;
const portOf = (server: http.Server): number => (server.address() as AddressInfo).port;

let world: World;
let elsewhere: string;
let own: string;
before(async () => {
  // Where containers with a way out find the host.
  const gateway = await docker('network', 'inspect', 'bridge', '--format', '{{(index .IPAM.Config 0).Gateway}}');
  await Promise.all([plain, encrypted].map((server) => once(server.listen(0, gateway), 'listening')));
  elsewhere = `elsewhere: { host: '${gateway}', port: ${portOf(plain)}, health: { path: '/healthz', timeoutMs: 5_000 } },`;
  world = await makeWorld('hello');
  own = services.exec(await world.git('show', `HEAD:${file}`))?.[0] ?? '';
  await world.commit('It lives elsewhere', { file, from: services, to: elsewhere });
});
after(async () => {
  for (const server of [plain, encrypted]) {
    server.close();
    server.closeAllConnections();
  }
  await world?.dispose();
});

type Status = { apps: Record<string, UnitStatus & { elsewhere?: string }> };

const rolesOf = async (): Promise<string[]> =>
  (await containersOf(world.architecture))
    .filter(({ unit, role }) => unit === 'app/hello' && role !== 'sandbox')
    .map(({ name, role }) => `${role} ${name.replace(/^.*hello\./, '').replace(/\.[0-9a-f]{8}\..*$/, '')}`);

test('an app that lives elsewhere, on the real engine', async (story) => {
  await story.test('is reached through a data path of its own, with the host that the client asked for', async () => {
    await world.done('up');
    assert.equal((await world.ask(host)).app, 'legacy');
    assert.ok(askedFor.has(host));
    assert.deepEqual(await rolesOf(), ['service elsewhere-1.blue', 'path path']);
    const status = (await world.json<Status>('status')).value.apps['hello'];
    assert.match(status?.elsewhere ?? '', /^http:\/\/[\d.]+:\d+$/);
    assert.match(await world.done('status'), new RegExp(`app hello +live .*, lives at ${status?.elsewhere}`));
    await world.done('verify');
  });

  await story.test('has its one way out alone in a network that leads out', async () => {
    const networks = async (name: RegExp): Promise<string> => {
      const sandbox = (await containersOf(world.architecture)).find((each) => each.role === 'sandbox' && name.test(each.name));
      return docker('inspect', '--format', '{{range $name, $each := .NetworkSettings.Networks}}{{$name}} {{end}}', sandbox?.id ?? '');
    };
    assert.doesNotMatch(await networks(/hello\.path\.slot$/), /outbound|edge/);
    assert.match(await networks(/hello\.elsewhere-1\.blue\.slot$/), /outbound/);
  });

  await story.test('gets a policy by a change of its data path alone', async () => {
    const before = await rolesOf();
    await world.commit(
      'A patch',
      { file, from: 'architecture, service }', to: 'architecture, deny, policy, service }' },
      { file, from: elsewhere, to: `${elsewhere}\n      policy: policy({ patches: { bad: deny({ path: '/bad' }) } }),` },
    );
    const load = startLoad({ host, port: world.port }, 6);
    await world.done('up');
    assert.deepEqual((await load.stop()).failed, []);
    assert.deepEqual(await rolesOf(), before);
  });

  await story.test('is not gone over to while it is not healthy', async () => {
    await world.commit('Another question', { file, from: '/healthz', to: '/nowhere' });
    const { code, stderr } = await world.changeless('up');
    assert.equal(code, 1);
    assert.match(stderr, /GET \/nowhere expecting 200[^]*404/);
    assert.equal((await world.ask(host)).app, 'legacy');
    await world.commit('As it was', { file, from: '/nowhere', to: '/healthz' });
  });

  await story.test('is spoken to over TLS when who vouches for it is known, and not otherwise', async () => {
    const over = (tls: object): string => elsewhere.replace(/port: \d+,/, `port: ${portOf(encrypted)}, tls: ${JSON.stringify(tls)},`);
    await world.commit('Nobody known vouches for it', { file, from: elsewhere, to: over({ name }) });
    const refused = await world.changeless('up');
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /L6RSP|SSL|handshake/);
    await world.commit('Its own authority does', { file, from: over({ name }), to: over({ name, ca: authority.certificate }) });
    await world.done('up');
    assert.equal((await world.ask(host)).app, 'legacy over TLS');
    await world.done('verify');
    await world.commit('As before', { file, from: over({ name, ca: authority.certificate }), to: elsewhere });
    await world.done('up');
  });

  await story.test('moves in, and out again, without losing a request', async () => {
    const load = startLoad({ host, port: world.port }, 6);
    await world.commit('It moves in', { file, from: elsewhere, to: own });
    await world.done('up');
    assert.equal((await world.ask(host)).app, 'hello');
    await world.done('rollback');
    assert.equal((await world.ask(host)).app, 'legacy');
    const { failed, answered, answeredBy } = await load.stop();
    assert.deepEqual(failed, []);
    assert.equal(answeredBy.size, 2);
    story.diagnostic(`${answered} requests, none failed`);
    await world.done('verify');
  });

  await story.test('is down when the rest is, and nothing of it is left', async () => {
    await world.done('down');
    assert.deepEqual(await rolesOf(), []);
    assert.equal(await docker('network', 'ls', '--quiet', '--filter', `label=dev.changeless.architecture=${world.architecture}`), '');
  });
});
