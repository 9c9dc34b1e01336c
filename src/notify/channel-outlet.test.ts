import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { sendHttp } from '../http.ts';
import type { LedgerEntry } from '../ledger/channel-places.ts';
import { done, failed } from '../result.ts';
import { Secret } from '../secret.ts';
import { standardSignature } from '../signature.ts';
import { channelOutlet, type ChannelSetup } from './channel-outlet.ts';
import type { Sent } from './outlet.ts';

const now = new Date('2026-01-01T00:00:10.000Z');
const entry: LedgerEntry = {
  number: 7,
  digest: 'a'.repeat(64),
  event: {
    type: 'alarm-fired',
    unit: { kind: 'app', name: 'catalog' },
    alarm: 'catalog/slow',
    what: 'catalog/slow: too slow',
    at: '2026-01-01T00:00:00.000Z',
  },
};

type Got = { method?: string | undefined; url?: string | undefined; headers: IncomingHttpHeaders; body: string };
type Answer = { status: number; headers?: Record<string, string> };

/** Somebody on this machine who takes webhooks. */
async function receiver(context: TestContext, answers: Answer[] = []): Promise<{ url: string; got: Got[] }> {
  const got: Got[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      const { method, url, headers } = request;
      got.push({ method, url, headers, body });
      const { status, headers: said } = answers.shift() ?? { status: 204 };
      response.writeHead(status, said).end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, got };
}

const setupOf = (url: string, more: Partial<ChannelSetup> = {}): ChannelSetup => ({
  name: 'ops',
  architecture: 'streaming',
  environment: 'production',
  address: async () => done(url),
  key: async () => done(undefined),
  http: sendHttp,
  ...more,
});

function send(setup: ChannelSetup, dropped = 0): Promise<Sent> {
  const [letter] = channelOutlet(setup).letters([entry]);
  assert.equal(letter?.number, entry.number);
  return letter.send({ dropped, now, signal: new AbortController().signal });
}

test('a message is posted as JSON that Slack takes, with the headers of Standard Webhooks', async (context) => {
  const { url, got } = await receiver(context);
  assert.deepEqual(await send(setupOf(url)), { state: 'taken' });
  const [{ method, url: path, headers, body } = { headers: {}, body: '' }] = got;
  assert.deepEqual(
    [method, path, headers['content-type'], headers['webhook-timestamp']],
    ['POST', '/hook', 'application/json', '1767225610'],
  );
  assert.match(String(headers['webhook-id']), /^msg_[0-9a-f]{32}$/);
  assert.equal(headers['webhook-signature'], undefined);
  assert.deepEqual(JSON.parse(body), {
    type: 'alarm-fired',
    timestamp: entry.event.at,
    text: 'streaming (production): alarm catalog/slow: too slow',
    event: entry.event,
  });
});

test('its id is the same however often it is sent, and another in every channel and environment', async (context) => {
  const { url, got } = await receiver(context);
  for (const more of [{}, {}, { name: 'night' }, { environment: 'staging' }]) await send(setupOf(url, more));
  const ids = got.map(({ headers }) => headers['webhook-id']);
  assert.equal(ids[0], ids[1]);
  assert.equal(new Set(ids).size, 3);
});

test('it is signed with every key of the secret', async (context) => {
  const { url, got } = await receiver(context);
  const keys = ['whsec_c2VjcmV0', 'plain'];
  await send(setupOf(url, { key: async () => done(new Secret(keys.join('\n'))) }));
  const [{ headers, body } = { headers: {}, body: '' }] = got;
  const [id, timestamp] = [String(headers['webhook-id']), String(headers['webhook-timestamp'])];
  const expected = keys.map((key) => `v1,${standardSignature(key, { id, timestamp, body }).toString('base64')}`);
  assert.equal(headers['webhook-signature'], expected.join(' '));
});

test('the first that is taken after others were lost says how many', async (context) => {
  const { url, got } = await receiver(context);
  await send(setupOf(url), 2);
  const { text } = JSON.parse(got[0]?.body ?? '') as { text: string };
  assert.equal(
    text,
    'streaming (production): alarm catalog/slow: too slow\n2 messages before this one could not be delivered, and are lost',
  );
});

const judged: [Answer, Sent][] = [
  [{ status: 200 }, { state: 'taken' }],
  [
    { status: 302, headers: { location: 'http://127.0.0.1:1/' } },
    { state: 'later', why: 'it answered 302' },
  ],
  [{ status: 400 }, { state: 'refused', why: 'it answered 400' }],
  [{ status: 404 }, { state: 'later', why: 'it answered 404' }],
  [{ status: 410 }, { state: 'later', why: 'it answered 410' }],
  [
    { status: 429, headers: { 'retry-after': '30' } },
    { state: 'later', why: 'it answered 429', afterMs: 30_000 },
  ],
  [
    { status: 503, headers: { 'retry-after': 'Thu, 01 Jan 2026 00:01:10 GMT' } },
    { state: 'later', why: 'it answered 503', afterMs: 60_000 },
  ],
  [
    { status: 500, headers: { 'retry-after': 'soon' } },
    { state: 'later', why: 'it answered 500' },
  ],
];

for (const [answer, sent] of judged)
  test(`one that is answered ${answer.status} is ${sent.state}`, async (context) => {
    const { url } = await receiver(context, [answer]);
    assert.deepEqual(await send(setupOf(url)), sent);
  });

test('whoever cannot be reached is told later, and nothing of a secret address is said', async (context) => {
  const { url } = await receiver(context);
  const away = url.replace(/\d+\/hook/, '9/hook-T0PSECRET');
  const sent = await send(setupOf(away));
  assert.equal(sent.state, 'later');
  assert.doesNotMatch(JSON.stringify(sent), /T0PSECRET|127\.0\.0\.1/);
  assert.match(JSON.stringify(sent), /ECONNREFUSED|no connection/);
});

test('a secret that cannot be opened is waited for', async (context) => {
  const { url, got } = await receiver(context);
  const why = 'there is no key here';
  assert.deepEqual(await send(setupOf(url, { address: async () => failed(why) })), { state: 'later', why });
  assert.deepEqual(await send(setupOf(url, { key: async () => failed(why) })), { state: 'later', why });
  assert.deepEqual(got, []);
});
