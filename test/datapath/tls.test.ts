import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import type tls from 'node:tls';
import { PREVIEW_HEADER } from '../../src/datapath/path-config.ts';
import { Services, type Seen } from './proxied.ts';
import { askSession, certify, foreign, host, TlsChain, type Answered, type Chained } from './tls-chain.ts';

/** What is seen where a rule stands, and where it is taken out, which `bare` does; the two have to differ. */
type Case = {
  rule: string;
  chained?: Chained;
  bare: Chained;
  see: (chain: TlsChain) => Promise<unknown>;
  with: unknown;
  without: unknown;
};

const skip = spawnSync('haproxy', ['-v']).status === 0 ? false : 'haproxy is not installed here';

const changed = (from: string | RegExp, to: string): Chained => ({ change: (config) => config.replace(from, to) });
/** Without the lines that hold it. */
const left = (text: string): Chained => ({
  change: (config) =>
    config
      .split('\n')
      .filter((line) => !line.includes(text))
      .join('\n'),
});

const outcome = (socket: tls.TLSSocket | string): string => {
  if (typeof socket === 'string') return 'refused';
  const protocol = socket.getProtocol() ?? 'none';
  socket.destroy();
  return protocol;
};
const proto = ({ body }: Answered): unknown => (JSON.parse(body) as Seen).headers['x-forwarded-proto'];
const plainly = async (chain: TlsChain, path = '/'): Promise<Answered> => {
  const socket = await chain.connect('core-8080');
  const told = await chain.ask({ socket, path });
  socket.destroy();
  return told;
};
const kept = async (chain: TlsChain): Promise<tls.TLSSocket> => {
  const socket = await chain.secure();
  if (typeof socket === 'string') throw new Error(socket);
  return socket;
};
const inSession = async (chain: TlsChain, ...asked: Parameters<typeof askSession> extends [unknown, ...infer Rest] ? Rest : never) => {
  const session = await chain.session();
  const { status } = await askSession(session, ...asked);
  session.destroy();
  return status;
};

/** What a data path that was told to stop wrote down: the version of TLS, and whether there is an id. */
const written = async (chain: TlsChain): Promise<unknown[]> => {
  const lines = (await chain.drain()).split('\n').filter((line) => line.startsWith('path {"at"'));
  return lines.map((line) => {
    const { tls: version, id, status } = JSON.parse(line.slice('path '.length)) as { tls?: string; id?: string; status: number };
    return [version, id === undefined ? 'no id' : 'an id', status];
  });
};

const cases: readonly Case[] = [
  {
    rule: 'the access log says the version of TLS, and that a handshake failed',
    bare: changed(',"tls":"%[ssl_fc_protocol]"', ''),
    see: async (chain) => {
      await inSession(chain);
      await plainly(chain);
      await chain.secure({ versions: ['TLSv1.1', 'TLSv1.1'] });
      return written(chain);
    },
    with: [
      ['TLSv1.3', 'an id', 200],
      ['-', 'an id', 200],
      [undefined, 'no id', 0],
    ],
    without: [
      [undefined, 'an id', 200],
      [undefined, 'an id', 200],
      [undefined, 'no id', 0],
    ],
  },
  {
    rule: 'the core closes connections for a name that no app has a certificate for, and those without a name',
    bare: changed('default_backend unknown', `default_backend tls:${host}`),
    see: async (chain) => [
      outcome(await chain.secure({ servername: foreign })),
      outcome(await chain.secure({ servername: 'plain.localhost' })),
      outcome(await chain.secure({ servername: '' })),
      outcome(await chain.secure()),
    ],
    with: ['refused', 'refused', 'refused', 'TLSv1.3'],
    without: ['TLSv1.3', 'TLSv1.3', 'TLSv1.3', 'TLSv1.3'],
  },
  {
    rule: 'the core finds a name in any letter case',
    bare: changed('req.ssl_sni,lower', 'req.ssl_sni'),
    see: async (chain) => outcome(await chain.secure({ servername: 'SHOP.localhost' })),
    with: 'TLSv1.3',
    without: 'refused',
  },
  {
    rule: 'the core waits for a first message that comes in parts',
    bare: left('inspect-delay'),
    see: async (chain) => {
      const socket = await chain.connect('core-8443');
      const over = once(socket, 'close').then(() => 'closed');
      socket.on('error', () => undefined).resume();
      socket.write(Buffer.from([22, 3, 1]));
      const waited = await Promise.race([over, new Promise((resolve) => setTimeout(resolve, 300, 'waits'))]);
      socket.destroy();
      return waited;
    },
    with: 'waits',
    without: 'closed',
  },
  {
    rule: 'the core does not wait long for it',
    chained: changed(/inspect-delay \d+ms/, 'inspect-delay 100ms'),
    bare: changed(/inspect-delay \d+ms/, 'inspect-delay 1h'),
    see: async (chain) => {
      const socket = await chain.connect('core-8443');
      const over = once(socket.on('error', () => undefined).resume(), 'close').then(() => 'closed');
      const waited = await Promise.race([over, new Promise((resolve) => setTimeout(resolve, 1500, 'waits'))]);
      socket.destroy();
      return waited;
    },
    with: 'closed',
    without: 'waits',
  },
  {
    rule: 'the rules for sources hold for encrypted connections',
    chained: { sources: { deny: ['127.0.0.9'] } },
    bare: {},
    see: async (chain) => [outcome(await chain.secure({ source: '127.0.0.9' })), outcome(await chain.secure())],
    with: ['refused', 'TLSv1.3'],
    without: ['TLSv1.3', 'TLSv1.3'],
  },
  {
    rule: 'connections of a source are counted together, plain and encrypted',
    chained: { perSource: { connections: 1 } },
    bare: {},
    see: async (chain) => {
      const plain = await chain.connect('core-8080');
      const told = await chain.ask({ socket: plain });
      const second = outcome(await chain.secure());
      plain.destroy();
      return [told.status, second, outcome(await chain.secure({ source: '127.0.0.2' }))];
    },
    with: [200, 'refused', 'TLSv1.3'],
    without: [200, 'TLSv1.3', 'TLSv1.3'],
  },
  {
    rule: 'services are told how the request came',
    bare: left('x-forwarded-proto https'),
    see: async (chain) => [proto(await chain.ask()), proto(await plainly(chain))],
    with: ['https', 'http'],
    without: ['http', 'http'],
  },
  {
    rule: 'a connection is for the host it was made for',
    bare: left('status 421'),
    see: async (chain) => [await inSession(chain, { ':authority': foreign }), await inSession(chain)],
    with: [421, 200],
    without: [200, 200],
  },
  {
    rule: 'plain requests are redirected, with their path and query',
    chained: { redirectPort: 8443 },
    bare: {},
    see: async (chain) => {
      const { status, headers } = await plainly(chain, '/a//b?c=d');
      return [status, headers.location];
    },
    with: [308, `https://${host}:8443/a//b?c=d`],
    without: [200, undefined],
  },
  {
    rule: 'the port that is meant where none is said is not said',
    chained: { redirectPort: 443 },
    bare: { redirectPort: 444 },
    see: async (chain) => (await plainly(chain)).headers.location,
    with: `https://${host}/`,
    without: `https://${host}:444/`,
  },
  {
    rule: 'a generation that is held can be looked at over plain HTTP',
    chained: { redirectPort: 443 },
    bare: { redirectPort: 443, ...changed(` !{ req.hdr(${PREVIEW_HEADER}) -m found }`, '') },
    see: async (chain) => {
      const socket = await chain.connect('path-8080');
      const { status } = await chain.ask({ socket, headers: { [PREVIEW_HEADER]: 'a'.repeat(12) } });
      socket.destroy();
      return status;
    },
    with: 200,
    without: 308,
  },
  {
    rule: 'no client says which generation it wants',
    bare: left(`del-header ${PREVIEW_HEADER} if { ssl_fc }`),
    see: async (chain) => (await chain.ask({ headers: { [PREVIEW_HEADER]: 'b'.repeat(12) } })).status,
    with: 200,
    without: 404,
  },
  {
    rule: 'TLS 1.1 is refused',
    bare: changed(/ssl-min-ver TLSv1.2 ciphers \S+/, 'ssl-min-ver TLSv1.0 ciphers ALL:@SECLEVEL=0'),
    see: async (chain) => [
      outcome(await chain.secure({ versions: ['TLSv1.1', 'TLSv1.1'] })),
      outcome(await chain.secure({ versions: ['TLSv1.2', 'TLSv1.2'] })),
    ],
    with: ['refused', 'TLSv1.2'],
    without: ['TLSv1.1', 'TLSv1.2'],
  },
  {
    rule: 'suites that HTTP/2 does not want are refused',
    bare: changed(/ ciphers \S+/, ''),
    see: async (chain) => outcome(await chain.secure({ versions: ['TLSv1.2', 'TLSv1.2'], ciphers: 'ECDHE-ECDSA-AES128-SHA' })),
    with: 'refused',
    without: 'TLSv1.2',
  },
  {
    rule: 'HTTP/2 is spoken with clients that do',
    bare: changed('alpn h2,http/1.1', 'alpn http/1.1'),
    see: async (chain) => {
      const socket = await chain.secure({ protocols: ['h2', 'http/1.1'] });
      if (typeof socket === 'string') return socket;
      const { alpnProtocol } = socket;
      socket.destroy();
      return alpnProtocol;
    },
    with: 'h2',
    without: 'http/1.1',
  },
  {
    rule: 'a body of HTTP/2 that does not say its length does not pass a body limit',
    chained: { policy: { bodyLimitBytes: 10 } },
    bare: { policy: { bodyLimitBytes: 10 }, ...left('fc_http_major 2') },
    see: async (chain) => [
      await inSession(chain, { ':method': 'POST' }, 'x'.repeat(100)),
      await inSession(chain, { ':method': 'POST', 'content-length': 100 }, 'x'.repeat(100)),
      await inSession(chain, { ':method': 'POST', 'content-length': 1 }, 'x'),
      await inSession(chain),
    ],
    with: [411, 413, 200, 200],
    without: [200, 413, 200, 200],
  },
  {
    rule: 'idle connections end before a data path that drains is ended',
    chained: { drainLimitMs: 1000 },
    bare: { drainLimitMs: 1000, ...changed(/timeout http-keep-alive \d+ms/, 'timeout http-keep-alive 30s') },
    see: async (chain) => {
      const idle = await kept(chain);
      await chain.ask({ socket: idle });
      return /hard-stop/.test(await chain.drain());
    },
    with: false,
    without: true,
  },
  {
    rule: 'a connection that the core cannot look into does not grow old',
    chained: changed('ge 60 }', 'ge 0 }'),
    bare: left('sess.since) ge'),
    see: async (chain) => [(await chain.ask()).headers.connection, (await plainly(chain)).headers.connection],
    with: ['close', undefined],
    without: [undefined, undefined],
  },
  {
    rule: 'what upgrades goes on, however old its connection is',
    chained: changed('ge 60 }', 'ge 0 }'),
    bare: changed('ge 60 } !{ status 101 }', 'ge 0 }'),
    see: async (chain) => {
      const socket = await kept(chain);
      socket.write(`GET / HTTP/1.1\r\nhost: ${host}\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n`);
      const [text] = (await once(socket.setEncoding('utf8'), 'data')) as [string];
      socket.destroy();
      return /^connection: (.*)\r$/m.exec(text)?.[1];
    },
    with: 'upgrade',
    without: undefined,
  },
];

let services: Services;
let certified: Awaited<ReturnType<typeof certify>>;
before(async () => {
  [services, certified] = await Promise.all([Services.start(), certify()]);
});
after(() => services?.stop());

async function seenBehind(chained: Chained | undefined, see: Case['see']): Promise<unknown> {
  const chain = await TlsChain.start(services, certified, chained);
  try {
    return await see(chain);
  } finally {
    await chain.stop();
  }
}

test('the core counts encrypted connections, too', { skip, timeout: 20_000 }, async () => {
  const chain = await TlsChain.start(services, certified);
  try {
    await chain.ask();
    await chain.heard(/^core .*"measures":.*"connections":1\b/);
  } finally {
    await chain.stop();
  }
});

test('every rule of TLS makes the difference', { skip, concurrency: 4 }, async (suite) => {
  const all = cases.map(({ rule, chained, bare, see, ...expected }) =>
    suite.test(rule, { timeout: 20_000 }, async () => {
      assert.notDeepEqual(expected.with, expected.without);
      assert.deepEqual(await seenBehind(chained, see), expected.with);
      assert.deepEqual(await seenBehind(bare, see), expected.without);
    }),
  );
  await Promise.all(all);
});
