import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { describe, it } from 'node:test';
import { includesScope, isToken, tokenOf } from '../../src/api-token.ts';
import { authenticate } from '../../src/gateway/api/authenticate.ts';
import { RateLimit, sourceOf } from '../../src/gateway/api/rate-limit.ts';
import { ApiWorld, runOf, tokens } from './api-fixture.ts';
import { samplePaths } from './described.ts';

const { read, deploy, admin } = tokens;

describe('who asks', () => {
  for (const [what, header, says] of [
    ['nothing', undefined, 'bears no token'],
    ['another scheme', `Basic ${read}`, 'bears no token'],
    ['two words', `Bearer ${read} ${read}`, 'bears no token'],
    ['what is no token', 'Bearer secret', 'no token'],
    ['a token with a character mistyped', `Bearer ${read.replace('1', '2')}`, 'no token'],
    ['a token that nobody made', `Bearer ${tokens.unknown}`, 'unknown'],
    ['a token that was revoked', `Bearer ${tokens.revoked}`, 'was revoked'],
    ['a token that has ended', `Bearer ${tokens.ended}`, 'ended at'],
  ] as const)
    it(`with ${what} is told 401, and why`, async (context) => {
      const world = await ApiWorld.make(context);
      const { status, value, headers } = await world.ask('GET', '/api/v1/status', {
        ...(header !== undefined && { headers: { authorization: header } }),
      });
      assert.deepEqual([status, value['code'], headers.get('www-authenticate')], [401, 'TOKEN_REFUSED', 'Bearer']);
      assert.match(String(value['detail']), new RegExp(says));
    });

  it('is let do what the scope of the token includes, at every endpoint, and nothing else', async (context) => {
    const world = await ApiWorld.make(context);
    for (const { endpoint, path: asked } of samplePaths.filter(({ endpoint: { streams } }) => streams === undefined))
      for (const scope of ['read', 'deploy', 'admin'] as const) {
        const { status, value } = await world.ask(endpoint.method, asked, { token: tokens[scope], ...(endpoint.body && { body: {} }) });
        const isLetOn = includesScope(scope, endpoint.scope);
        assert.equal(status === 403, !isLetOn, `${endpoint.method} ${asked} with ${scope}: ${status}`);
        if (!isLetOn) assert.equal(value['code'], 'SCOPE_MISSING');
      }
  });

  it('with a token that is revoked is refused from then on', async (context) => {
    const world = await ApiWorld.make(context);
    assert.equal((await world.ask('GET', '/api/v1/status', { token: deploy })).status, 200);
    await world.ledger.revokeToken('deploy');
    assert.equal((await world.ask('GET', '/api/v1/status', { token: deploy })).status, 401);
  });

  it('is compared with all tokens, whole: how long it takes tells nothing of any', () => {
    const compared: string[] = [];
    const records = ['a', 'b', 'c'].map((name) => ({
      name,
      scope: 'read' as const,
      get digest() {
        compared.push(name);
        return 'f'.repeat(64);
      },
      addedAt: '2026-01-01T00:00:00.000Z',
      expiresAt: '2999-01-01T00:00:00.000Z',
    }));
    assert.equal(authenticate({ header: `Bearer ${read}`, tokens: records, now: new Date() }).ok, false);
    assert.deepEqual(compared, ['a', 'b', 'c']);
  });

  it('can be found by scanners where a token was published: prefix and checksum', () => {
    assert.ok(isToken(tokenOf('0123456789abcdef'.repeat(3).slice(0, 40))));
    for (const text of ['', 'chg_', `${read}0`, read.toUpperCase(), read.replace('chg_', 'ghp_')]) assert.equal(isToken(text), false, text);
  });
});

describe('who asks too much', () => {
  it('is told what is left, and 429 with when to come again, by token', async (context) => {
    const world = await ApiWorld.make(context);
    world.now = () => new Date('2026-01-01T00:00:00.000Z');
    const first = await world.ask('GET', '/api/v1/status', { token: admin });
    assert.deepEqual([first.headers.get('ratelimit-policy'), first.headers.get('ratelimit')], ['"token";q=600;w=60', '"token";r=599;t=1']);
    let last = first;
    for (let index = 0; index < 600; index += 1) last = await world.ask('GET', '/api/v1/deliveries?limit=1', { token: admin });
    assert.deepEqual([last.status, last.headers.get('retry-after'), last.value['code']], [429, '1', 'RATE_EXCEEDED']);
    assert.equal((await world.ask('GET', '/api/v1/status', { token: read })).status, 200, 'another token has its own');
    world.now = () => new Date('2026-01-01T00:00:01.000Z');
    assert.equal((await world.ask('GET', '/api/v1/status', { token: admin })).status, 200);
  });

  it('without a token shares the rate of where it comes from, which is no token holder’s', async (context) => {
    const world = await ApiWorld.make(context);
    world.now = () => new Date('2026-01-01T00:00:00.000Z');
    const from = (address: string, token?: string) =>
      world.ask('GET', '/api/v1/status', { headers: { 'x-forwarded-for': address }, ...(token !== undefined && { token }) });
    for (let index = 0; index < 60; index += 1) assert.equal((await from('192.0.2.1')).status, 401);
    assert.equal((await from('192.0.2.1')).status, 429);
    assert.equal((await from('192.0.2.1', tokens.unknown)).status, 429);
    assert.equal((await from('192.0.2.2')).status, 401);
    assert.equal((await from('192.0.2.1', read)).status, 200);
  });

  it('is kept in bounded memory, and by network where addresses are cheap', () => {
    const limit = new RateLimit({ name: 'source', count: 2, perMs: 1000 }, 3);
    for (const who of ['a', 'a', 'b', 'c', 'd']) assert.ok(limit.take(who, 0).isLetOn);
    assert.ok(limit.take('a', 0).isLetOn, 'the one that was heard of longest ago is forgotten');
    assert.ok(limit.take('d', 0).isLetOn);
    assert.equal(limit.take('d', 0).isLetOn, false);
    assert.ok(limit.take('d', 500).isLetOn);
    assert.equal(sourceOf('2001:db8:1:2:3:4:5:6', undefined), sourceOf('2001:db8:1:2:ffff::1', undefined));
    assert.notEqual(sourceOf('192.0.2.1', undefined), sourceOf('192.0.2.2', undefined));
  });
});

describe('what is asked', () => {
  for (const [method, asked, status, allow] of [
    ['GET', '/api/', 404],
    ['GET', '/api/v2/status', 404],
    ['GET', '/api/v1/status/', 404],
    ['GET', '/api/v1/runs/a/b', 404],
    ['GET', '/api/v1/runs/%E0%A4%A/logs', 404],
    ['PUT', '/api/v1/status', 405, 'GET, HEAD, OPTIONS'],
    ['DELETE', '/api/openapi.json', 405, 'GET, HEAD, OPTIONS'],
    ['GET', '/api/v1/rollback', 405, 'POST, OPTIONS'],
    ['OPTIONS', '/api/v1/rollback', 204, 'POST, OPTIONS'],
    ['OPTIONS', '/api/v1/status', 204, 'GET, HEAD, OPTIONS'],
    ['HEAD', '/api/v1/status', 200],
    ['HEAD', '/api/v1/events/stream', 200],
    ['HEAD', '/api/openapi.json', 200],
  ] as const)
    it(`${method} ${asked} is answered ${status}, with no word to other origins`, async (context) => {
      const world = await ApiWorld.make(context);
      const told = await world.ask(method, asked, { token: read, headers: { origin: 'https://evil.example' } });
      assert.deepEqual([told.status, told.headers.get('allow') ?? undefined], [status, allow]);
      assert.equal(told.headers.get('access-control-allow-origin'), null);
    });

  const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
  const commit = 'b'.repeat(40);
  for (const [what, body, code, headers] of [
    ['deep JSON', `{"commit":${deep}}`, 'REQUEST_INVALID'],
    ['what is no JSON', '{', 'REQUEST_INVALID'],
    ['a list', '[]', 'REQUEST_INVALID'],
    ['a commit that is an option', { commit: '--upload-pack=x' }, 'REQUEST_INVALID'],
    ['a member that nobody knows', { commit, role: 'root' }, 'REQUEST_INVALID'],
    ['a prototype', `{"commit":"${commit}","__proto__":{"x":1}}`, 'REQUEST_INVALID'],
    ['parameters that are no texts', { commit, parameters: { a: 1 } }, 'REQUEST_INVALID'],
    [
      'too many parameters',
      { commit, parameters: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`p${i}`, 'x'])) },
      'REQUEST_INVALID',
    ],
    ['another type', { commit }, 'BODY_NOT_JSON', { 'content-type': 'text/plain' }],
    ['a key that is none', { commit }, 'REQUEST_INVALID', { 'idempotency-key': 'a b' }],
    ['more than 64 KB', { commit, parameters: { a: 'x'.repeat(70_000) } }, 'BODY_TOO_LONG'],
  ] as const)
    it(`with ${what} is refused, and nothing is written down`, async (context) => {
      const world = await ApiWorld.make(context);
      await world.ask('GET', '/api/v1/status', { token: deploy });
      const { value } = await world.ask('POST', '/api/v1/jobs/test/runs', { token: deploy, body, ...(headers && { headers }) });
      assert.equal(value['code'], code);
      await world.take();
      assert.deepEqual(await world.ledger.openCommands(0), []);
    });

  for (const asked of ['limit=0', 'limit=501', 'limit=1e9', 'limit=1&limit=2', 'before=-1', 'nonsense=1', 'limit='])
    it(`with the query ${asked} is refused`, async (context) => {
      const world = await ApiWorld.make(context);
      const { status, value } = await world.ask('GET', `/api/v1/rollouts?${asked}`, { token: read });
      assert.deepEqual([status, value['code']], [400, 'REQUEST_INVALID']);
    });

  for (const run of ['..%2f..%2fsecret', '%2e%2e%2fsecret', '..', '%00', 'A', 'a%0d%0aset-cookie:x', `a${'b'.repeat(64)}`])
    it(`of a run ${run.slice(0, 20)} reaches no file`, async (context) => {
      const world = await ApiWorld.make(context);
      mkdirSync(path.join(world.logs, '../secret'));
      writeFileSync(path.join(world.logs, '../secret/secret'), 'secret');
      await world.ledger.runs.accept(runOf('one'));
      // As it is: fetch would resolve the dots.
      const socket = connect(world.port, '127.0.0.1').setEncoding('utf8');
      context.after(() => socket.destroy());
      socket.write(`GET /api/v1/runs/${run}/logs HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer ${read}\r\n\r\n`);
      let said = '';
      socket.on('data', (text: string) => (said += text));
      await once(socket, 'close');
      assert.match(said, /^HTTP\/1\.1 40[04] /);
      assert.doesNotMatch(said, /set-cookie: ?x/i);
    });

  it('with headers beyond all bounds is refused by 431', async (context) => {
    const world = await ApiWorld.make(context);
    const socket = connect(world.port, '127.0.0.1').setEncoding('utf8');
    context.after(() => socket.destroy());
    socket.write(`GET /api/v1/status HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`);
    const [said] = (await once(socket, 'data')) as [string];
    assert.match(said, /^HTTP\/1\.1 431 /);
  });

  it('while the ledger cannot be read is answered 503, and when to come again', async (context) => {
    const world = await ApiWorld.make(context, { api: { read: () => undefined, logs: { folder: '/nowhere' } } });
    const { status, value, headers } = await world.ask('GET', '/api/v1/status', { token: read });
    assert.deepEqual([status, value['code'], headers.get('retry-after')], [503, 'LEDGER_UNREADABLE', '5']);
  });
});
