import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { freePort, skip, withSources } from '../../src/datapath/haproxy-fixture.ts';
import { type Core, renderCore } from '../../src/datapath/core-path.ts';
import { Services } from './proxied.ts';

/** Each a client of its own: the whole of 127.0.0.0/8 is this machine. */
const [ann, bob] = ['127.0.0.1', '127.0.0.2'];

let services: Services;
before(async () => {
  services = await Services.start();
});
after(() => services.stop());

type Rules = Pick<Core, 'sources' | 'perSource'>;
type Asked = (source: string) => Promise<string>;

/** What a rule does, and what is seen without it: the two have to differ. */
const cases: readonly {
  rule: string;
  rules: Rules;
  see: (ask: Asked, port: number) => Promise<unknown>;
  with: unknown;
  without: unknown;
}[] = [
  {
    rule: 'who is denied is closed without an answer',
    rules: { sources: { deny: [bob] } },
    see: (ask) => inTurn(ask, [ann, bob]),
    with: ['200', 'closed'],
    without: ['200', '200'],
  },
  {
    rule: 'who is in no range that is allowed is closed without an answer',
    rules: { sources: { allow: ['10.0.0.0/8', `${bob}/32`] } },
    see: (ask) => inTurn(ask, [ann, bob]),
    with: ['closed', '200'],
    without: ['200', '200'],
  },
  {
    rule: 'what is allowed and denied is denied',
    rules: { sources: { allow: ['127.0.0.0/8'], deny: [bob] } },
    see: (ask) => inTurn(ask, [ann, bob]),
    with: ['200', 'closed'],
    without: ['200', '200'],
  },
  {
    rule: 'one source has so many connections at a time, and another its own',
    rules: { perSource: { connections: 1 } },
    see: async (ask, port) => {
      const held = net.connect({ host: ann, port, localAddress: ann });
      await once(held, 'connect');
      const meanwhile = await inTurn(ask, [ann, bob]);
      held.destroy();
      return meanwhile;
    },
    with: ['closed', '200'],
    without: ['200', '200'],
  },
  {
    rule: 'one source connects so often, and another as often itself',
    rules: { perSource: { newConnections: { count: 2, perMs: 600_000 } } },
    see: (ask) => inTurn(ask, [ann, ann, ann, bob]),
    with: ['200', '200', 'closed', '200'],
    without: ['200', '200', '200', '200'],
  },
  {
    rule: 'one source asks so often, and is then told when to come again',
    rules: { perSource: { requests: { count: 2, perMs: 600_000 } } },
    see: (ask) => inTurn(ask, [ann, ann, ann, bob]),
    with: ['200', '200', '429 after 600 s', '200'],
    without: ['200', '200', '200', '200'],
  },
];

test('every rule of the core makes the difference', { skip, concurrency: 3 }, async (suite) => {
  await Promise.all(
    cases.map(({ rule, rules, see, ...expected }) =>
      suite.test(rule, { timeout: 20_000 }, async () => {
        assert.notDeepEqual(expected.with, expected.without);
        assert.deepEqual(await seenBehind(rules, see), expected.with);
        assert.deepEqual(await seenBehind({}, see), expected.without);
      }),
    ),
  );
});

async function seenBehind(rules: Rules, see: (ask: Asked, port: number) => Promise<unknown>): Promise<unknown> {
  const port = await freePort();
  const proxy = await startCore(rules, port);
  try {
    return await see((source) => answerFor(source, port), port);
  } finally {
    const ended = once(proxy, 'close');
    proxy.kill('SIGKILL');
    await ended;
  }
}

/** The core of one app, whose path is the service's own socket; it listens where other addresses of this machine reach it. */
async function startCore(rules: Rules, port: number): Promise<ChildProcess> {
  const { proxy } = renderCore({ generation: `core${port}`, routes: [{ host: 'shop.localhost', app: 'shop' }], ...rules });
  const file = path.join(services.folder, `core-${port}.cfg`);
  const ours = proxy
    .replace('bind :8080', `bind 127.0.0.1:${port}`)
    .replace(/server shop .*/, `server shop unix@${services.socket('web')}`)
    .replaceAll('/run/changeless', services.folder);
  writeFileSync(file, withSources(ours));
  const child = spawn('haproxy', ['-db', '-f', file], { env: { ...process.env, CHANGELESS_INCARNATION: String(port) } });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  while (!said.includes('"serving"')) {
    if (child.exitCode !== null) throw new Error(`the proxy ended:\n${said}`);
    await Promise.race([once(child.stderr, 'data'), once(child, 'close')]);
  }
  return child;
}

/** One request on a connection of its own: its status, or that the connection was closed. */
function answerFor(source: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const request = http.get({ host: ann, port, localAddress: source, agent: false, headers: { host: 'shop.localhost' } }, (response) => {
      response.resume();
      const later = response.headers['retry-after'];
      resolve(`${response.statusCode}${later === undefined ? '' : ` after ${later} s`}`);
    });
    request.on('error', () => resolve('closed'));
  });
}

async function inTurn(ask: Asked, sources: readonly string[]): Promise<string[]> {
  const answers: string[] = [];
  for (const source of sources) answers.push(await ask(source));
  return answers;
}
