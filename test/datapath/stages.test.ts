import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { ownAddress, skip } from '../../src/datapath/haproxy-fixture.ts';
import type { Policy } from '../../src/policy.ts';
import { setImmediate as aTurn } from 'node:timers/promises';
import { Staged, tell } from './staged.ts';

/** What is seen where a rule stands, and where it is taken out, which `bare` does; the two have to differ. */
type Case = {
  rule: string;
  policy?: Policy;
  bare: (config: string) => string;
  change?: (config: string) => string;
  see: (path: Staged) => Promise<unknown>;
  with: unknown;
  without: unknown;
};

/** Without the lines that hold it. */
const left =
  (text: string) =>
  (config: string): string =>
    config
      .split('\n')
      .filter((line) => !line.includes(text))
      .join('\n');
const changed = (from: string | RegExp, to: string) => (config: string) => config.replaceAll(from, to);

const routes = [{ path: '/api', service: 'api' }];
const headers = { remove: ['x-user'], set: {}, add: {} };

/** An address of this machine that is on a network of its own. */
const otherAddress = Object.values(networkInterfaces())
  .flat()
  .find((each) => each?.family === 'IPv4' && !each.internal)?.address;

async function upgraded(path: Staged): Promise<string> {
  const socket = await path.connect();
  socket.write('GET / HTTP/1.1\r\nhost: shop.localhost\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n');
  let text = '';
  socket.setEncoding('utf8').on('error', () => undefined);
  const ended = once(socket, 'close').then(() => 'closed');
  const said = new Promise<string>((resolve) =>
    socket.on('data', (chunk: string) => {
      if (text === '') socket.write('hello');
      text += chunk;
      if (text.endsWith('hello')) resolve('echoed');
      if (/^HTTP\/1.1 [2-5]/.test(text)) resolve(text.slice(9, 12));
    }),
  );
  const seen = await Promise.race([said, ended]);
  socket.destroy();
  return seen;
}

const cases: readonly Case[] = [
  {
    rule: 'a request passes the stages in their order, and then comes to the service of its route',
    policy: { routes },
    bare: changed('default_backend service-waf', 'default_backend entry'),
    see: async (path) => {
      const { asked } = await path.ask({ path: '/api/x' });
      return [asked?.service, asked?.headers['x-stages'], asked?.headers['host']];
    },
    with: ['api', 'waf auth', 'shop.localhost'],
    without: ['web', undefined, 'shop.localhost'],
  },
  {
    rule: 'what one stage refuses comes no further',
    bare: changed('default_backend service-auth', 'default_backend entry'),
    see: async (path) => {
      const { status, headers: answer } = await path.ask({ headers: tell({ refuse: 'auth' }) });
      return [status, answer['x-refused-by'], path.asked.length];
    },
    with: [401, 'auth', 0],
    without: [200, undefined, 1],
  },
  {
    rule: "the service knows the client's address and protocol whatever stages say of it",
    bare: left('set-header x-forwarded-for %[req.hdr(x-changeless-client)]'),
    see: async (path) => {
      const { asked } = await path.ask({ headers: tell({ say: '{"x-forwarded-for":"10.0.0.9","x-forwarded-proto":"gopher"}' }) });
      return [asked?.headers['x-forwarded-for'], asked?.headers['x-forwarded-proto']];
    },
    with: ['192.0.2.1', 'http'],
    without: ['10.0.0.9', 'http'],
  },
  {
    rule: 'no client says who it is in the words in which the data path does',
    bare: (config) => left('set-header x-changeless-client %')(config).replace('http-request del-header x-changeless-client', ''),
    see: async (path) => {
      const { asked } = await path.ask({ headers: { 'x-changeless-client': ['6.6.6.6', '7.7.7.7'], 'x-changeless-protocol': 'https' } });
      return [asked?.headers['x-forwarded-for'], asked?.headers['x-forwarded-proto']];
    },
    with: ['192.0.2.1', 'http'],
    without: ['7.7.7.7', 'http'],
  },
  {
    rule: 'no client has a stage leave out what the data path says',
    bare: left('http-request del-header connection'),
    see: async (path) => {
      const named = { connection: 'x-changeless-client, x-forwarded-for', ...tell({ say: '{"x-forwarded-for":"10.0.0.9"}' }) };
      return (await path.ask({ headers: named })).asked?.headers['x-forwarded-for'];
    },
    with: '192.0.2.1',
    without: '10.0.0.9',
  },
  {
    rule: 'services are told nothing that is meant for the way back',
    bare: left('http-request del-header x-changeless'),
    see: async (path) => {
      const { asked } = await path.ask({ headers: { 'x-request-id': 'mine' } });
      return Object.keys(asked?.headers ?? {}).filter((name) => /^x-changeless-(?!generation)/.test(name));
    },
    with: [],
    without: ['x-changeless-host', 'x-changeless-client', 'x-changeless-protocol', 'x-changeless-request'],
  },
  {
    rule: 'the service knows which host was asked for, and which request it is, whatever stages say of it',
    policy: { routes: [{ host: 'shop.localhost', path: '/', service: 'api' }] },
    bare: (config) => left('set-header host %')(left('set-header x-request-id %')(config)),
    see: async (path) => {
      const say = '{"host":"path.:10200","x-request-id":"theirs"}';
      const { asked, headers } = await path.ask({ headers: tell({ say }) });
      return [asked?.service, asked?.headers['host'], asked?.headers['x-request-id'] === headers['x-request-id']];
    },
    with: ['api', 'shop.localhost', true],
    without: ['web', 'path.:10200', false],
  },
  {
    rule: 'a route is found by what the stages made of the request',
    policy: { routes },
    bare: left('use_backend service-api'),
    see: async (path) => (await path.ask({ headers: tell({ path: '/api/y' }) })).asked?.service,
    with: 'api',
    without: 'web',
  },
  {
    rule: 'a path that a stage made ambiguous is refused as if a client had sent it',
    policy: { routes },
    bare: left('set-var(txn.refused) str(ambiguous-path)'),
    see: async (path) => (await path.ask({ headers: tell({ path: '/x/..%2fapi' }) })).status,
    with: 400,
    without: 200,
  },
  {
    rule: 'what the policy takes away is taken from the client, and not from a stage',
    policy: { headers: { request: headers } },
    bare: left('del-header x-user'),
    see: async (path) => [
      (await path.ask({ headers: { 'x-user': 'mallory' } })).asked?.headers['x-user'],
      (await path.ask({ headers: { 'x-user': 'mallory', ...tell({ say: '{"x-user":"alice"}' }) } })).asked?.headers['x-user'],
    ],
    with: [undefined, 'alice'],
    without: ['mallory', 'alice'],
  },
  {
    rule: "the policy's headers are on a stage's own answer, too",
    policy: { headers: { response: { set: { 'x-safe': 'yes' }, add: {}, remove: [] } } },
    bare: left('set-header x-safe'),
    see: async (path) => (await path.ask({ headers: tell({ refuse: 'waf' }) })).headers['x-safe'],
    with: 'yes',
    without: undefined,
  },
  {
    rule: 'a WebSocket passes',
    bare: left('set-header connection upgrade'),
    see: upgraded,
    with: 'echoed',
    without: '200',
  },
  {
    rule: 'what was under way in a stage when the data path was told to stop comes back to it, and then it ends',
    bare: left('grace '),
    see: async (path) => {
      const asked = path.ask({ headers: tell({ delayMs: '400' }) });
      await path.until(() => path.staged.length === 1);
      const ended = path.drain();
      return [(await asked).status, await ended];
    },
    with: [200, 0],
    without: [502, 0],
  },
  {
    rule: 'a data path that was told to stop offers the listeners it still has to nobody',
    bare: (config) => config.replace('setenv CHANGELESS_SOCKET "', 'setenv CHANGELESS_SOCKET "/nowhere'),
    see: async (path) => {
      const asked = path.ask({ headers: tell({ delayMs: '400' }) }).then(() => 'offered');
      await path.until(() => path.staged.length === 1);
      assert.ok(path.isOffered);
      const ended = path.drain();
      const withdrawn = async (): Promise<string> => {
        while (path.isOffered) await aTurn();
        return 'withdrawn';
      };
      const seen = await Promise.race([asked, withdrawn()]);
      await Promise.all([asked, ended]);
      return seen;
    },
    with: 'withdrawn',
    without: 'offered',
  },
  {
    rule: 'what is still under way at the drain limit is cut',
    bare: changed(/grace \d+ms/g, 'grace 1h'),
    change: changed(/grace \d+ms/g, 'grace 100ms'),
    see: async (path) => {
      const asked = path.ask({ headers: tell({ delayMs: '2000' }) }).then(
        ({ status }) => status,
        () => 'cut',
      );
      await path.until(() => path.staged.length === 1);
      const ended = path.drain();
      const seen = await asked;
      await ended;
      return [seen, path.cut];
    },
    with: ['cut', 1],
    without: [200, 0],
  },
  {
    rule: 'a stage keeps no connection to a data path that may be told to stop',
    bare: left('option httpclose'),
    see: async (path) => {
      await path.ask();
      return path.connections;
    },
    with: ['close', 'close'],
    without: ['', ''],
  },
  {
    rule: 'a request that a stage drops is tried again where that is safe',
    bare: left('retry-on conn-failure empty-response'),
    see: async (path) => {
      const drop = tell({ drop: 'yes' });
      const [get, post] = [
        await path.ask({ headers: drop }),
        await path.ask({ method: 'POST', headers: { 'content-length': 0, ...drop } }),
      ];
      return [get.status, post.status];
    },
    with: [200, 502],
    without: [502, 502],
  },
  {
    rule: 'further tries that a policy asks for are made once, not by each stage',
    policy: { retries: { attempts: 1, on: [503], methods: ['GET'] } },
    bare: left('retry-on conn-failure empty-response'),
    see: async (path) => {
      const { status } = await path.ask({ headers: tell({ status: '503' }) });
      return [status, path.asked.length];
    },
    with: [503, 2],
    without: [503, 8],
  },
  {
    rule: 'each request is counted once, however many stages it passes',
    bare: changed('frontend after-', 'frontend back-'),
    see: async (path) => {
      await path.ask();
      const told = (): number => path.measures.reduce((sum, { requests }) => sum + requests, 0);
      await path.until(() => told() > 0);
      return [told(), path.measures.reduce((sum, { answers }) => sum + answers['2xx'], 0)];
    },
    with: [1, 1],
    without: [3, 3],
  },
];

test('every rule of stages makes the difference', { skip, concurrency: 4 }, async (suite) => {
  const seen = async (setting: Parameters<typeof Staged.start>[0], see: Case['see']): Promise<unknown> => {
    const path = await Staged.start(setting);
    try {
      return await see(path);
    } finally {
      await path.stop();
    }
  };
  const all = cases.map(({ rule, policy, bare, change = (config) => config, see, ...expected }) =>
    suite.test(rule, { timeout: 30_000 }, async () => {
      assert.notDeepEqual(expected.with, expected.without);
      const setting = policy ? { policy } : {};
      assert.deepEqual(await seen({ ...setting, change }, see), expected.with);
      assert.deepEqual(await seen({ ...setting, change: bare }, see), expected.without);
    }),
  );
  await Promise.all(all);
});

test("a data path that drains finishes what came back to it of another one's requests", { skip }, async () => {
  const path = await Staged.start();
  try {
    const headers = tell({ answerMs: '300' });
    const request = http.get({ host: ownAddress, port: path.wayBack('auth'), agent: false, headers });
    const answered = once(request, 'response') as Promise<[http.IncomingMessage]>;
    await path.until(() => path.asked.length === 1);
    const ended = path.drain();
    const [response] = await answered;
    assert.equal(response.resume().statusCode, 200);
    assert.equal(await ended, 0);
  } finally {
    await path.stop();
  }
});

test('handed over again and again under load, a data path with stages loses no request', { skip, timeout: 60_000 }, async () => {
  const path = await Staged.start();
  let isOver = false;
  const failed: string[] = [];
  const client = async (): Promise<number> => {
    let answered = 0;
    for (; !isOver; answered += 1) {
      const { status, body } = await path.ask({ method: 'POST', headers: { 'content-length': 0, ...tell({ answerMs: '2' }) } });
      if (status !== 200) failed.push(`${status} ${body}`);
    }
    return answered;
  };
  try {
    const clients = Array.from({ length: 16 }, client);
    for (let handover = 0; handover < 20; handover += 1) assert.equal(await path.succeed(), 0);
    isOver = true;
    const answered = (await Promise.all(clients)).reduce((sum, each) => sum + each, 0);
    assert.deepEqual(failed, []);
    assert.ok(answered > 100, `${answered} requests are too few to say so`);
  } finally {
    isOver = true;
    await path.stop();
  }
});

const unreachable = skip === false && otherAddress === undefined ? 'this machine has one network' : skip;

test("a way back is open to the stages' own network alone", { skip: unreachable }, async () => {
  const outcome = async (change: (config: string) => string): Promise<string[]> => {
    // Not all addresses: another process's proxy may have the port on its own.
    const both = (config: string): string => config.replaceAll(/bind (127[\d.]+):(\d+)/g, `bind $1:$2,${otherAddress}:$2`);
    const path = await Staged.start({ change: (config) => both(change(config)) });
    try {
      const from = (address: string): Promise<string> =>
        new Promise((resolve) => {
          const request = http.get({ host: address, port: path.wayBack('auth'), agent: false }, (response) => {
            response.resume();
            resolve(String(response.statusCode));
          });
          request.on('error', () => resolve('closed'));
        });
      return [await from(ownAddress), await from(otherAddress ?? '')];
    } finally {
      await path.stop();
    }
  };
  assert.deepEqual(await outcome((config) => config), ['200', 'closed']);
  assert.deepEqual(await outcome(left('lua.from_network_of')), ['200', '200']);
});
