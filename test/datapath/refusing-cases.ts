import { allow, deny } from '../../src/architecture/authoring.ts';
import type { Case } from './conformance.test.ts';
import { each, status } from './routing-cases.ts';
import type { Ask, Proxied, Told } from './proxied.ts';

const spellings = [
  '/admin',
  '//admin',
  '/./admin',
  '/x/../admin',
  '/%61dmin',
  '/%61DMIN/',
  '/x/%2e%2e/admin',
  '/%2E/admin',
  '/x%2f..%2fadmin',
];
const more = [
  '/x%5c..%5cadmin',
  '/x\\..\\admin',
  '/admin;v=1/x',
  '/;/admin',
  '/x/..;/admin',
  '/%252e%252e/admin',
  '/%c0%ae/admin',
  '/%zz/admin',
  '/admin%00',
];
const innocent = ['/administrator', '/a.b/..c/d..', '/50%25', '/%E2%82%AC', '/a;b/c', '/~x/%7Ex', '/x?path=/../admin%2f%zz'];

const error = ({ status: code, body }: Told): string => `${code} ${code === 200 ? '' : (JSON.parse(body) as { error: string }).error}`;
const retry = ({ status: code, headers }: Told): string => `${code} ${headers['retry-after'] ?? ''}`;
const times = <Item>(item: Item, count: number): Item[] => Array.from({ length: count }, () => item);
const post = (bytes: number, path = '/'): Ask => ({
  method: 'POST',
  path,
  body: 'x'.repeat(bytes),
  headers: { 'content-length': `${bytes}` },
});
const query = (text: string): string => `/?${text}`;

/** The status that is answered to a request as it is written. */
const exchanged = async (path: Proxied, request: string): Promise<string | undefined> =>
  /HTTP\/1\.1 (\d+)/.exec(await path.exchange([request], { afterMs: 0, until: /\r\n\r\n/ }))?.[1];

/** All asked, then how often each rule refused, as the data path tells it. */
const counted =
  (asks: readonly (Ask | string)[]) =>
  async (path: Proxied): Promise<unknown> => {
    await each(asks, status)(path);
    await path.until(() => path.measures.reduce((total, { requests }) => total + requests, 0) === asks.length);
    // Each line has all since the proxy serves.
    return path.measures.at(-1)?.refused ?? {};
  };

/** Who is not let on. */
export const refusing: readonly Case[] = [
  {
    rule: 'a path is denied in every spelling: as itself, or as one that can be understood in two ways',
    policy: { access: [deny({ path: '/admin' })] },
    see: each([...spellings, ...more, ...innocent], status),
    with: [403, 403, 400, 400, 403, 403, 400, 400, 400, 400, 400, 403, 403, 400, 400, 400, 400, 400, ...times(200, innocent.length)],
    without: times(200, spellings.length + more.length + innocent.length),
  },
  {
    rule: 'a path is denied also where the whole address is asked for',
    policy: { access: [deny({ path: '/admin' })] },
    see: (path) => exchanged(path, 'GET http://shop.localhost/admin HTTP/1.1\r\nhost: shop.localhost\r\n\r\n'),
    with: '403',
    without: '200',
  },
  {
    rule: 'what is permitted is permitted as it is written',
    policy: { access: [allow({ path: '/open' }), deny({ path: '/' })] },
    base: { access: [deny({ path: '/' })] },
    see: each(['/open', '/open/x', '/OPEN', '/opened'], status),
    with: [200, 200, 403, 403],
    without: [403, 403, 403, 403],
  },
  {
    rule: 'a virtual patch refuses by path, method, query and header at once, and says its name',
    policy: {
      patches: {
        'CVE-2026-1234': deny({
          path: { matches: '^/v[0-9]+/run$' },
          method: ['POST', 'PUT'],
          query: { cmd: { contains: '${jndi:' } },
          header: { 'x-mode': { matches: '^raw' } },
        }),
      },
    },
    see: each(
      [
        { path: '/v1/run?cmd=a%24%7bJNDI:x', method: 'POST', headers: { 'x-mode': 'RAW' } },
        { path: '/v1/run?cmd=a%24%7bJNDI:x', method: 'GET', headers: { 'x-mode': 'RAW' } },
        { path: '/v1/run?cmd=a', method: 'POST', headers: { 'x-mode': 'RAW' } },
        { path: '/v1/run?cmd=a%24%7bjndi:x', method: 'PUT' },
        { path: '/vx/run?cmd=a%24%7bjndi:x', method: 'PUT', headers: { 'x-mode': 'raw' } },
      ],
      error,
    ),
    with: ['403 refused by the virtual patch CVE-2026-1234', '200 ', '200 ', '200 ', '200 '],
    without: ['200 ', '200 ', '200 ', '200 ', '200 '],
  },
  {
    rule: 'a parameter is found however its name is spelt, whichever of several it is, and is not found in another',
    policy: {
      patches: {
        id: deny({ query: { id: { matches: '[^0-9]' } } }),
        gone: deny({ query: { gone: true } }),
        one: deny({ query: { one: 'a b' } }),
      },
    },
    see: each(
      [
        'id=5&name=bob',
        'id=x',
        '%69d=5%27',
        'id=1&id=x',
        'id=1;id=x',
        'x=1;id=x',
        'id=1&id=2&id=3&id=4&id=5',
        'gone',
        'gone=',
        'one=a+b',
        'one=A%20B',
        'one=a%20bc',
        'id=',
      ].map(query),
      status,
    ),
    with: [200, 403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 200, 200],
    without: times(200, 13),
  },
  {
    rule: 'patches whose names are alike are not mixed up',
    policy: { patches: { 'a-b': deny({ query: { q: 'x' }, method: 'PUT' }), a_b: deny({ query: { r: 'x' } }) } },
    see: each(['q=x', 'r=x'].map(query), status),
    with: [200, 403],
    without: [200, 200],
  },
  {
    rule: 'one of several alternatives of a patch is enough',
    policy: { patches: { two: [deny({ path: { exact: '/a' } }), deny({ host: 'other.localhost' })] } },
    see: each(['/a', '/a/b', { headers: { host: 'other.localhost' } }], status),
    with: [403, 200, 403],
    without: [200, 200, 200],
  },
  {
    rule: 'text that means something to the proxy is only text',
    policy: {
      patches: Object.fromEntries(
        [`"`, `'`, '\\', '#', '$HOME', '}', '{', ' ', '-i', '--', '-f', '%[src]', ','].map((text, index) => [
          `p${index}`,
          deny({ header: { 'x-a': text } }),
        ]),
      ),
    },
    see: each(
      [`"`, `'`, '\\', '#', '$HOME', '}', '{', '-i', '--', '-f', '%[src]', ',', 'x'].map((text) => ({ headers: { 'x-a': text } })),
      status,
    ),
    with: [...times(403, 12), 200],
    without: times(200, 13),
  },
  {
    rule: 'a client gets so many requests at once, the next one is told when to come again, and another client is not concerned',
    policy: { rateLimits: { all: { requests: 30, periodMs: 600_000, burst: 3 } } },
    see: each([...times({}, 5), { source: '192.0.2.2' }], retry),
    with: ['200 ', '200 ', '200 ', '429 60', '429 60', '200 '],
    without: times('200 ', 6),
  },
  {
    rule: 'a rate limit counts only what it is for',
    policy: { rateLimits: { login: { requests: 1, periodMs: 60_000, for: { path: '/login', method: 'POST' } } } },
    see: each([{ path: '/login', method: 'POST' }, { path: '/login' }, '/', { path: '//LOGIN', method: 'POST' }], retry),
    with: ['200 ', '200 ', '200 ', '429 60'],
    without: times('200 ', 4),
  },
  {
    rule: 'a client that waits is let on again',
    policy: { rateLimits: { all: { requests: 1, periodMs: 1500 } } },
    see: async (path) => {
      const first = await each(times({}, 2), status)(path);
      while ((await path.ask()).status === 429);
      return [...first, 'then 200'];
    },
    with: [200, 429, 'then 200'],
    without: [200, 200, 'then 200'],
  },
  {
    rule: 'a body is as long as it may be',
    policy: { bodyLimit: 10, routes: [{ path: '/upload', service: 'api', bodyLimit: 20 }] },
    base: { routes: [{ path: '/upload', service: 'api' }] },
    see: each(
      [
        post(10),
        post(11),
        post(11, '/upload'),
        post(21, '/upload'),
        // Nobody is cut off before the answer is read.
        post(2_000_000),
        { method: 'POST', body: 'x', headers: { 'transfer-encoding': 'chunked' } },
      ],
      status,
    ),
    with: [200, 413, 200, 413, 413, 411],
    without: times(200, 6),
  },
  {
    rule: 'while an app is maintained everybody but those who are excepted is told when to come again',
    policy: { maintenance: { body: `<h1>"Soon" & 'so' #1 %\n$HOME \\ é</h1>\n`, retryAfterSeconds: 60, except: ['10.0.0.0/8'] } },
    see: each([{ path: '/x' }, { path: '/x', source: '10.0.0.1' }], ({ status: code, headers, body }) => [
      code,
      headers['retry-after'],
      code === 503 && body,
      headers['content-type'],
    ]),
    with: [
      [503, '60', `<h1>"Soon" & 'so' #1 %\n$HOME \\ é</h1>\n`, 'text/html; charset=utf-8'],
      [200, undefined, false, 'application/json'],
    ],
    without: times([200, undefined, false, 'application/json'], 2),
  },
  {
    rule: 'a page as long as it may be',
    policy: { maintenance: { body: '"'.repeat(8192) } },
    see: each([{}], ({ status: code, body }) => [code, code === 503 && body.length]),
    with: [[503, 8192]],
    without: [[200, false]],
  },
  {
    rule: 'what was refused is counted by the rule that refused it',
    policy: {
      patches: { 'CVE-1': deny({ path: '/bad' }) },
      access: [deny({ path: '/admin' })],
      rateLimits: { all: { requests: 1, periodMs: 60_000 } },
    },
    see: counted(['/bad', '/bad/x', '/admin', '/../x', '/', '/', '/']),
    with: { 'patch:CVE-1': 2, 'access:0': 1, 'ambiguous-path': 1, 'rate:all': 2 },
    without: {},
  },
];
