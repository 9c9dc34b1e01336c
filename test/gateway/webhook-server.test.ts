import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { staleMs } from '../../src/gateway/judge-signed.ts';
import { readAll } from './inbox-fixture.ts';
import { githubHeaders, githubKey, post, pushOf, served, signedHeaders } from './webhook-fixture.ts';

const body = JSON.stringify(pushOf());

describe("GitHub's webhook", () => {
  it('is on disk when it is answered, with what it says and the bytes that came', async (context) => {
    const { url, files } = await served(context);
    const answer = await post(`${url}/webhooks/github`, body, githubHeaders(body));
    files.losePower();
    assert.deepEqual(answer, { status: 202, said: { taken: '72d3162e-cc78-11e3-81ab-4c9367dc0958' } });
    const [delivery, ...more] = await readAll(files);
    assert.deepEqual(more, []);
    assert.ok(delivery);
    const { receivedAt, body: kept, once: key, ...said } = delivery;
    assert.equal(key, createHash('sha256').update(body).digest('hex'));
    assert.deepEqual(said, {
      source: 'github',
      id: '72d3162e-cc78-11e3-81ab-4c9367dc0958',
      kind: 'push',
      repository: 'octo/streaming',
      branch: 'main',
      before: 'a'.repeat(40),
      after: 'b'.repeat(40),
    });
    assert.equal(Buffer.from(kept).toString(), body);
    assert.ok(Math.abs(Date.parse(receivedAt) - Date.now()) < 60_000);
  });

  it('is answered the same again when it comes again', async (context) => {
    const { url } = await served(context);
    const first = await post(`${url}/webhooks/github`, body, githubHeaders(body));
    assert.deepEqual(await post(`${url}/webhooks/github`, body, githubHeaders(body)), first);
  });

  it('takes a ping, a branch that is made and one that is deleted', async (context) => {
    const { url, files } = await served(context);
    const none = '0'.repeat(40);
    for (const [id, event, payload] of [
      ['1', 'ping', { zen: 'Keep it logically awesome.' }],
      ['2', 'push', pushOf({ before: none })],
      ['3', 'push', pushOf({ after: none, deleted: true })],
    ] as const) {
      const text = JSON.stringify(payload);
      const headers = githubHeaders(text, { 'x-github-delivery': id, 'x-github-event': event });
      assert.equal((await post(`${url}/webhooks/github`, text, headers)).status, 202);
    }
    const taken = (await readAll(files)).map(({ id, kind, before, after }) => [id, kind, before !== undefined, after !== undefined]);
    assert.deepEqual(taken, [
      ['1', 'ping', false, false],
      ['2', 'push', false, true],
      ['3', 'push', true, false],
    ]);
  });

  const ignored: Record<string, [Record<string, unknown>, Record<string, string>?]> = {
    'an event that nobody works on': [{}, { 'x-github-event': 'issues' }],
    'a tag': [pushOf({ ref: 'refs/tags/v1' })],
    'another repository': [pushOf({ repository: { full_name: 'octo/other' } })],
  };
  for (const [what, [payload, headers]] of Object.entries(ignored))
    it(`is ignored, and that is noted, for ${what}`, async (context) => {
      const { url, files, events } = await served(context);
      const text = JSON.stringify(payload);
      const { status, said } = await post(`${url}/webhooks/github`, text, githubHeaders(text, headers));
      assert.equal(status, 202);
      assert.ok(said['ignored']);
      assert.deepEqual(events, [{ type: 'delivery-ignored', webhook: 'github', why: said['ignored'] }]);
      assert.equal(files.stored.size, 0);
    });

  const deep = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
  const refused: Record<string, { text?: string; headers?: Record<string, string>; status: number; why: RegExp }> = {
    'another signature': { headers: { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` }, status: 401, why: /signature .* wrong/ },
    'a signature that is none': { headers: { 'x-hub-signature-256': 'sha256=00' }, status: 401, why: /signature/ },
    'a signature over other bytes': { headers: githubHeaders(`${body} `), status: 401, why: /signature/ },
    'no delivery id': { headers: { 'x-github-delivery': '' }, status: 400, why: /X-GitHub-Delivery is missing/ },
    'an id that is a path': { headers: { 'x-github-delivery': '../../etc' }, status: 400, why: /X-GitHub-Delivery/ },
    'a form': { headers: { 'content-type': 'application/x-www-form-urlencoded' }, status: 415, why: /choose it in the webhook/ },
    'what is not JSON': { text: '{"ref":', status: 400, why: /not JSON/ },
    'a list': { text: '[]', status: 400, why: /not an object/ },
    'deep nesting': { text: deep, status: 400, why: /deeper than 64/ },
    'no ref': { text: JSON.stringify(pushOf({ ref: 1 })), status: 400, why: /no ref/ },
    'a program for a ref': { text: JSON.stringify(pushOf({ ref: "ext::sh -c 'id'" })), status: 400, why: /refs/ },
    'a commit that is none': { text: JSON.stringify(pushOf({ after: 'HEAD' })), status: 400, why: /commits/ },
    'a repository that is an address': {
      text: JSON.stringify(pushOf({ repository: { full_name: 'ext::sh -c id/x' } })),
      status: 400,
      why: /repository is not a name/,
    },
    'a repository above': { text: JSON.stringify(pushOf({ repository: { full_name: 'octo/..' } })), status: 400, why: /repository/ },
  };
  for (const [what, { text = body, headers, status, why }] of Object.entries(refused))
    it(`is refused with a sentence for ${what}, and nothing of it is kept`, async (context) => {
      const { url, files, events } = await served(context);
      const answer = await post(`${url}/webhooks/github`, text, githubHeaders(text, headers));
      assert.equal(answer.status, status);
      assert.match(answer.said['refused'] ?? '', why);
      assert.equal(events[0]?.type, 'delivery-refused');
      assert.equal(files.stored.size, 0);
    });

  for (const branch of [
    '$(reboot)',
    'a;b',
    'a b',
    '-f',
    '--upload-pack=x',
    'a..b',
    'a//b',
    'x.lock',
    '.x',
    'a~1',
    'a^',
    'a:b',
    'a\\b',
    'a\nb',
    '@',
    '',
    'a/',
  ])
    it(`takes a branch called ${JSON.stringify(branch)} for data: refused where git would refuse it`, async (context) => {
      const { url, files } = await served(context);
      const text = JSON.stringify(pushOf({ ref: `refs/heads/${branch}` }));
      const { status } = await post(`${url}/webhooks/github`, text, githubHeaders(text));
      const isName = branch === '$(reboot)' || branch === 'a;b';
      assert.equal(status, isName ? 202 : 400);
      assert.equal((await readAll(files))[0]?.branch, isName ? branch : undefined);
    });

  it('is refused before anything is parsed when its signature is missing', async (context) => {
    const { url } = await served(context);
    assert.equal((await post(`${url}/webhooks/github`, deep, { 'x-github-event': 'push' })).status, 401);
  });

  it('is answered 503 with what to do while the disk is full, and taken when there is room', async (context) => {
    const { url, files, events } = await served(context);
    files.roomBytes = 100;
    const answer = await post(`${url}/webhooks/github`, body, githubHeaders(body));
    assert.equal(answer.status, 503);
    assert.match(JSON.stringify(answer.said), /no space is left.*answered with 2xx is on disk.*make room/);
    assert.equal(events[0]?.type, 'inbox-failed');
    files.roomBytes = Infinity;
    assert.equal((await post(`${url}/webhooks/github`, body, githubHeaders(body))).status, 202);
  });
});

describe('a signed webhook', () => {
  const call = JSON.stringify({ type: 'nightly', with: [1, 2] });
  const now = Date.UTC(2026, 0, 1);
  const right = signedHeaders(call, { at: now });

  it('is taken with its type, by the newer or the older key', async (context) => {
    const { url, files } = await served(context);
    for (const [id, key] of [
      ['msg_1', 'another secret'],
      ['msg_2', 'an-older-one'],
    ] as const)
      assert.deepEqual(await post(`${url}/webhooks/forge`, call, signedHeaders(call, { id, key })), { status: 202, said: { taken: id } });
    assert.deepEqual(
      (await readAll(files)).map(({ source, id, kind }) => [source, id, kind]),
      [
        ['forge', 'msg_1', 'nightly'],
        ['forge', 'msg_2', 'nightly'],
      ],
    );
  });

  it('says a push in the same words as any', async (context) => {
    const { url, files } = await served(context);
    const push = JSON.stringify({ type: 'push', ...pushOf({ repository: 'me/mine' }) });
    assert.equal((await post(`${url}/webhooks/forge`, push, signedHeaders(push))).status, 202);
    const [delivery] = await readAll(files);
    assert.deepEqual([delivery?.kind, delivery?.repository, delivery?.branch], ['push', 'me/mine', 'main']);
  });

  for (const [what, headers] of [
    ['a time that is long past', signedHeaders(call, { at: now - staleMs - 1000 })],
    ['a time that is far ahead', signedHeaders(call, { at: now + staleMs + 1000 })],
    ['another key', signedHeaders(call, { at: now, key: 'x' })],
    ['another id than was signed', { ...right, 'webhook-id': 'msg_9' }],
    ['another time than was signed', { ...right, 'webhook-timestamp': String(now / 1000 + 60) }],
    ["GitHub's signature", githubHeaders(call)],
  ] as const)
    it(`is refused for ${what}`, async (context) => {
      const { url, files } = await served(context, { clock: () => new Date(now) });
      assert.equal((await post(`${url}/webhooks/forge`, call, headers)).status, 401);
      assert.equal(files.stored.size, 0);
      assert.equal((await post(`${url}/webhooks/forge`, call, right)).status, 202);
    });

  it('is refused without a type', async (context) => {
    const { url } = await served(context);
    assert.match((await post(`${url}/webhooks/forge`, '{}', signedHeaders('{}'))).said['refused'] ?? '', /no type/);
  });
});

describe('the server', () => {
  it('answers /healthz, and nothing else than webhooks', async (context) => {
    const { url } = await served(context);
    assert.equal((await fetch(`${url}/healthz`)).status, 200);
    assert.equal((await fetch(`${url}/`)).status, 404);
    assert.equal((await fetch(`${url}/webhooks/github`)).status, 405);
    assert.equal((await post(`${url}/webhooks/other`, '{}', {})).status, 404);
  });

  it('takes a body of 25 MB, and answers 413 beyond it, said or not', async (context) => {
    const { url, files } = await served(context);
    const long = Buffer.from(JSON.stringify(pushOf({ commits: 'x'.repeat(25 * 1024 * 1024 - 1000) })));
    assert.equal((await post(`${url}/webhooks/github`, long, githubHeaders(long))).status, 202);
    assert.equal((await readAll(files))[0]?.body.length, long.length);
    const longer = Buffer.alloc(25 * 1024 * 1024 + 1, ' ');
    assert.equal((await post(`${url}/webhooks/github`, longer, githubHeaders(longer))).status, 413);
    const stream = { method: 'POST', body: new Blob([longer]).stream(), duplex: 'half' as const };
    // Node closes the connection of who goes on sending; a client may see that first.
    const chunked = await fetch(`${url}/webhooks/github`, stream).catch(() => undefined);
    assert.ok(chunked === undefined || chunked.status === 413);
  });

  it('gives up on a body that comes too slowly, and gives its room back', async (context) => {
    const { url, port } = await served(context, { requestMs: 500, roomBytes: 1_000_000 });
    const slow = [1, 2].map(() => connect(port, '127.0.0.1'));
    const ended = slow.map((socket) => once(socket, 'close'));
    for (const socket of slow) {
      socket.resume();
      socket.write(`POST /webhooks/github HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n${'x'.repeat(150_000)}`);
    }
    const small = await post(`${url}/webhooks/github`, body, githubHeaders(body));
    assert.equal(small.status, 202, 'what is usual does not wait for what is long');
    await Promise.all(ended);
    const long = JSON.stringify(pushOf({ commits: 'x'.repeat(150_000) }));
    assert.equal((await post(`${url}/webhooks/github`, long, githubHeaders(long))).status, 202);
  });

  it('lets long bodies wait for one another, and takes them all', async (context) => {
    const { url } = await served(context, { roomBytes: 1_100_000 });
    const long = JSON.stringify(pushOf({ commits: 'x'.repeat(1_000_000) }));
    const answers = await Promise.all(Array.from({ length: 8 }, () => post(`${url}/webhooks/github`, long, githubHeaders(long))));
    assert.deepEqual(
      answers.map(({ status }) => status),
      Array.from({ length: 8 }, () => 202),
    );
  });

  it('never says a secret', async (context) => {
    const { url, events } = await served(context);
    const said = await post(`${url}/webhooks/github`, body, {});
    assert.ok(!JSON.stringify([said, events]).includes(githubKey));
  });
});
