import assert from 'node:assert/strict';
import { test } from 'node:test';
import { channelOutlets } from '../../src/controller/channel-outlets.ts';
import type { Post } from '../../src/controller/post.ts';
import type { HttpRequest } from '../../src/http.ts';
import type { LedgerEntry } from '../../src/ledger/channel-places.ts';
import type { Sent } from '../../src/notify/outlet.ts';
import type { Manifest } from '../../src/release/manifest.ts';
import { done, failed } from '../../src/result.ts';
import { Secret } from '../../src/secret.ts';
import { alarm } from './telling-fixture.ts';

const values: Record<string, string> = { slack: 'https://hooks.example.com/T0PSECRET\n', key: 'k', broken: 'not an address' };

/** What a channel that is written so is sent, and what comes of it. */
async function told(webhook: string | { secret: string }, secret?: string): Promise<{ sent: Sent; asked: HttpRequest[] }> {
  const asked: HttpRequest[] = [];
  const sealed = Object.fromEntries([...Object.keys(values), 'gone'].map((name) => [name, { '1': name }]));
  const post: Partial<Post> = {
    environment: 'local',
    manifest: { inputs: { secrets: sealed } } as unknown as Manifest,
    openSecret: async ({ secret: name }) =>
      values[name] === undefined
        ? failed({ code: 'IDENTITY_MISSING', what: 'there is no key here that opens secret gone, version 1' })
        : done(new Secret(values[name])),
    http: async (request) => {
      asked.push(request);
      return done({ status: 200, header: () => undefined, body: '' });
    },
  };
  const secrets = Object.fromEntries(Object.keys(sealed).map((name) => [name, { version: 1 }]));
  const channels = { ops: { webhook, ...(secret !== undefined && { secret }) } };
  const architecture = { name: 'shop', core: { publish: [] }, apps: {}, stores: {}, agents: {}, channels, secrets };
  const entry: LedgerEntry = { number: 1, digest: 'd', event: alarm('slow') };
  const [letter] = channelOutlets(post as Post, architecture)[0]!.letters([entry]);
  const sent = await letter!.send({ dropped: 0, now: new Date(0), signal: new AbortController().signal });
  return { sent, asked };
}

test('the address of a channel may be the value of a secret, and is told to nobody', async () => {
  const { sent, asked } = await told({ secret: 'slack' }, 'key');
  assert.deepEqual(sent, { state: 'taken' });
  assert.equal(asked[0]?.url, 'https://hooks.example.com/T0PSECRET');
  assert.doesNotMatch(asked[0]?.body ?? '', /T0PSECRET/);
  assert.match(asked[0]?.headers['webhook-signature'] ?? '', /^v1,/);
});

test('a channel whose secret is no address, or cannot be opened, waits, and says why', async () => {
  assert.deepEqual((await told({ secret: 'broken' })).sent, { state: 'later', why: 'the value of secret broken is no address' });
  assert.deepEqual((await told({ secret: 'gone' })).sent, {
    state: 'later',
    why: 'there is no key here that opens secret gone, version 1',
  });
  assert.deepEqual((await told('https://example.com/', 'gone')).asked, []);
});
