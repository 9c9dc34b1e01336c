import { allow, deny } from '../../src/architecture/authoring.ts';
import type { Case } from './conformance.test.ts';
import type { Ask, Proxied, Told } from './proxied.ts';

/** One value of each answer. */
export const each =
  (asks: readonly (Ask | string)[], of: (told: Told) => unknown) =>
  async (path: Proxied): Promise<unknown[]> => {
    const answers = [];
    for (const ask of asks) answers.push(of(await path.ask(typeof ask === 'string' ? { path: ask } : ask)));
    return answers;
  };

export const status = ({ status }: Told): number => status;
const service = ({ seen }: Told): string => seen?.service ?? 'none';
const location = ({ status, headers }: Told): string => `${status} ${headers.location ?? ''}`;

const header =
  (name: string) =>
  ({ headers }: Told) =>
    headers[name];
const asked =
  (name: string) =>
  ({ seen }: Told) =>
    seen?.headers[name];
const other = { headers: { host: 'other.localhost' } };
const awkward = `a "b" 'c' \\ # $HOME \${HOME} %[src] %% {} } ; , é`;

/** Which service, and what is told of the request and the answer on the way. */
export const routing: readonly Case[] = [
  {
    rule: 'a route leads a path and all below it to a service, and nothing beside it',
    policy: { routes: [{ path: '/api', service: 'api' }] },
    see: each(['/api', '/api/', '/api/x?y', '/apis', '/', '/x/api'], service),
    with: ['api', 'api', 'api', 'web', 'web', 'web'],
    without: ['web', 'web', 'web', 'web', 'web', 'web'],
  },
  {
    rule: 'the longest path goes first',
    policy: {
      routes: [
        { path: '/a', service: 'api' },
        { path: '/a/b', service: 'web' },
      ],
    },
    base: { routes: [{ path: '/a', service: 'api' }] },
    see: each(['/a', '/a/b', '/a/b/c', '/a/bc'], service),
    with: ['api', 'web', 'web', 'api'],
    without: ['api', 'api', 'api', 'api'],
  },
  {
    rule: 'a route by host goes before one without',
    policy: {
      routes: [
        { path: '/long/path', service: 'web' },
        { host: 'other.localhost', service: 'api' },
      ],
    },
    see: each([{ ...other, path: '/' }, { ...other, path: '/long/path' }, { headers: { host: 'OTHER.localhost:8080' } }, '/'], service),
    with: ['api', 'api', 'api', 'web'],
    without: ['web', 'web', 'web', 'web'],
  },
  {
    rule: 'a host is known by its name also where a generation of it is looked at',
    policy: { routes: [{ host: 'other.localhost', service: 'api' }] },
    see: each([{ headers: { host: 'aaaaaaaaaaaa.other.localhost', 'x-changeless-preview': 'aaaaaaaaaaaa' } }], service),
    with: ['api'],
    without: ['web'],
  },
  {
    rule: 'a route is not passed by another spelling of its path',
    policy: { routes: [{ path: '/api/é x', service: 'api' }] },
    see: each(['//api/%C3%A9%20x', '/%61pi//%c3%a9%20x/y', '/api;v=1/%C3%A9%20x'], service),
    with: ['api', 'api', 'api'],
    without: ['web', 'web', 'web'],
  },
  {
    rule: 'a service gets the path that rules saw, and its escapes as they were sent',
    policy: { routes: [{ path: '/api', service: 'api' }] },
    see: each(['//api///a%20b%3d/?q=//x'], ({ seen }) => seen?.url),
    with: ['/api/a%20b%3d/?q=//x'],
    without: ['//api///a%20b%3d/?q=//x'],
  },
  {
    rule: 'a redirect brings along what is below its path, and what is asked',
    policy: { redirects: [{ from: { path: '/old' }, to: '/new' }] },
    see: each(['/old', '/old/a%20b/?q=1&r=%25', '//%6fld/x', '/older'], location),
    with: ['308 /new', '308 /new/a%20b/?q=1&r=%25', '308 /new/x', '200 '],
    without: ['200 ', '200 ', '200 ', '200 '],
  },
  {
    rule: 'a redirect of one path takes nothing along that is not to be',
    policy: { redirects: [{ from: { path: { exact: '/a' } }, to: 'https://example.com/b%20c', status: 301, keepQuery: false }] },
    see: each(['/a?q=1', '/a/b'], location),
    with: ['301 https://example.com/b%20c', '200 '],
    without: ['200 ', '200 '],
  },
  {
    rule: 'a redirect of a host keeps the whole path, and never leads to another host than it says',
    policy: { redirects: [{ from: { host: 'other.localhost' }, to: '/', status: 302 }] },
    see: each([{ ...other, path: '//evil.example/x' }, { ...other, path: '/a?b' }, other, '/'], location),
    with: ['302 /evil.example/x', '302 /a?b', '302 /', '200 '],
    without: ['200 ', '200 ', '200 ', '200 '],
  },
  {
    rule: 'a header of a request is set, added and removed',
    policy: { headers: { request: { set: { 'x-set': awkward }, add: { 'x-add': 'ours' }, remove: ['x-gone'] } } },
    see: each([{ headers: { 'x-set': 'theirs', 'x-add': 'theirs', 'x-gone': 'theirs' } }], (told) =>
      ['x-set', 'x-add', 'x-gone'].map((name) => asked(name)(told)),
    ),
    with: [[Buffer.from(awkward).toString('latin1'), 'theirs, ours', undefined]],
    without: [['theirs', 'theirs', 'theirs']],
  },
  {
    rule: 'a header of an answer is set, added and removed, also of an answer of the data path itself',
    policy: {
      access: [deny({ path: '/no' })],
      headers: { response: { set: { 'x-set': awkward }, add: { 'x-add': 'ours' }, remove: ['server'] } },
    },
    base: { access: [deny({ path: '/no' })] },
    see: each(['/', '/no'], (told) => ['x-set', 'x-add', 'server'].map((name) => header(name)(told))),
    with: [
      [Buffer.from(awkward).toString('latin1'), 'ours', undefined],
      [Buffer.from(awkward).toString('latin1'), 'ours', undefined],
    ],
    without: [
      [undefined, undefined, 'theirs'],
      [undefined, undefined, undefined],
    ],
  },
  {
    rule: "a route's headers are those of its requests and answers alone, after the app's",
    policy: {
      headers: { response: { set: { 'x-of': 'app' } } },
      routes: [
        { path: '/api', service: 'api', headers: { request: { set: { 'x-route': 'api' } }, response: { set: { 'x-of': 'route' } } } },
      ],
    },
    base: { headers: { response: { set: { 'x-of': 'app' } } }, routes: [{ path: '/api', service: 'api' }] },
    see: each(['/api', '/'], (told) => [header('x-of')(told), asked('x-route')(told)]),
    with: [
      ['route', 'api'],
      ['app', undefined],
    ],
    without: [
      ['app', undefined],
      ['app', undefined],
    ],
  },
  {
    rule: 'of access the first rule that fits decides',
    policy: { access: [allow({ path: '/admin', source: ['10.0.0.0/8', '2001:db8::/32'] }), deny({ path: '/admin' })] },
    see: each(
      [
        { path: '/admin', source: '10.1.2.3' },
        { path: '/admin/x', source: '11.1.2.3' },
        { path: '/admin', source: '2001:db8::1' },
        { path: '/admin', source: '2001:db9::1' },
        { path: '/', source: '11.1.2.3' },
      ],
      status,
    ),
    with: [200, 403, 200, 403, 200],
    without: [200, 200, 200, 200, 200],
  },
  {
    rule: 'who is allowed comes before who is denied',
    policy: { access: [allow({ source: '10.0.0.0/8' }), deny({ path: '/admin' })] },
    base: { access: [deny({ path: '/admin' })] },
    see: each([{ path: '/admin', source: '10.1.2.3' }, { path: '/admin' }], status),
    with: [200, 403],
    without: [403, 403],
  },
];
