import { bodies, chunked, codings } from './smuggling-bodies.ts';
import { byte, bytes, hiddenIn, named, nextIn, request, type SmugglingCase, type Tokens } from './smuggling-request.ts';

const TE = 'Transfer-Encoding';

/** The first line, and all that is not about a body. */
const lines: readonly (readonly [name: string, source: string, raw: (tokens: Tokens) => string])[] = [
  ['HTTP/0.9', 'RFC 9112 section 2.3', ({ hidden }) => `GET ${hidden}\r\n`],
  [
    'HTTP/1.0 with chunks',
    'RFC 9112 section 6.1',
    (t) => `POST ${t.first} HTTP/1.0\r\nhost: ${t.host}\r\n${TE}: chunked\r\n\r\n0\r\n\r\n${hiddenIn(t)}`,
  ],
  [
    'HTTP/1.0 that stays',
    'RFC 9112 section 9.3',
    (t) => `GET ${t.first} HTTP/1.0\r\nhost: ${t.host}\r\nconnection: keep-alive\r\n\r\n${hiddenIn(t)}`,
  ],
  ['HTTP/1.2', 'garden, server 5', (t) => `GET ${t.first} HTTP/1.2\r\nhost: ${t.host}\r\n\r\n`],
  ['HTTP/1.32', 'garden, server 5', (t) => `GET ${t.first} HTTP/1.32\r\nhost: ${t.host}\r\n\r\n`],
  ['HTTP/2.0 in words', 'RFC 9112 section 2.3', (t) => `GET ${t.first} HTTP/2.0\r\nhost: ${t.host}\r\n\r\n`],
  ['a version that overflows', 'garden, server 24', (t) => `GET ${t.first} HTTP/4294967295.255\r\nhost: ${t.host}\r\n\r\n`],
  ['a version with CR', 'garden, server 15', (t) => `GET ${t.first} HTTP/\r\r1.1\r\nhost: ${t.host}\r\n\r\n`],
  ['two versions', 'desync h2path', (t) => `GET ${t.first} HTTP/1.1 HTTP/1.1\r\nhost: ${t.host}\r\n\r\n`],
  ['lower letters', 'probe, request line', (t) => `get ${t.first} HTTP/1.1\r\nhost: ${t.host}\r\n\r\n`],
  ['signs in the method', 'garden, server 6', (t) => `G=":<>(e),[T];?" ${t.first} HTTP/1.1\r\nhost: ${t.host}\r\n\r\n`],
  ['signs of tokens in the method', 'RFC 9110 section 5.6.2', (t) => `G!#$%&'*+.^_|~T ${t.first} HTTP/1.1\r\nhost: ${t.host}\r\n\r\n`],
  ['NUL for a method', 'garden, server 40', (t) => `\0 ${t.first} HTTP/1.1\r\nhost: ${t.host}\r\n\r\n`],
  ['tabs for blanks', 'RFC 9112 section 3', (t) => `GET\t${t.first}\tHTTP/1.1\r\nhost: ${t.host}\r\n\r\n`],
  ['LF for a blank', 'garden, server 9', (t) => `GET ${t.first}\nHTTP/1.1\r\nhost: ${t.host}\r\n\r\n`],
  ['two blanks', 'RFC 9112 section 3', (t) => `GET  ${t.first}  HTTP/1.1\r\nhost: ${t.host}\r\n\r\n`],
  ['a blank in front', 'RFC 9112 section 2.2', (t) => ` GET ${t.first} HTTP/1.1\r\nhost: ${t.host}\r\n\r\n`],
  ['a blank in the target', 'desync h2path', (t) => `GET ${t.first} x HTTP/1.1\r\nhost: ${t.host}\r\n\r\n`],
  ['empty lines in front', 'RFC 9112 section 2.2', (t) => `\r\n\r\nGET ${t.first} HTTP/1.1\r\nhost: ${t.host}\r\n\r\n`],
  ['LF for every end', 'garden, proxy 16', (t) => `GET ${t.first} HTTP/1.1\nhost: ${t.host}\n\n${hiddenIn(t)}`],
  ['CR for every end', 'garden, server 13', (t) => `GET ${t.first} HTTP/1.1\rhost: ${t.host}\r\r${hiddenIn(t)}`],
  ['a fragment', 'CVE-2023-45539', (t) => `GET ${t.first}#.png HTTP/1.1\r\nhost: ${t.host}\r\n\r\n`],
  ['a whole address', 'RFC 9112 section 3.2.2', (t) => `GET http://${t.host}${t.first} HTTP/1.1\r\nhost: ${t.host}\r\n\r\n`],
  [
    'a whole address of another scheme',
    'RFC 9112 section 3.2.2',
    (t) => `GET ftp://${t.host}${t.first} HTTP/1.1\r\nhost: ${t.host}\r\n\r\n`,
  ],
  [
    'a whole address of another host',
    'RFC 9112 section 3.2.2',
    (t) => `GET http://other.localhost${t.first} HTTP/1.1\r\nhost: ${t.host}\r\n\r\n`,
  ],
  [
    'a whole address with a user',
    'RFC 9110 section 4.2.4',
    (t) => `GET http://${t.host}:80@other.localhost${t.first} HTTP/1.1\r\nhost: ${t.host}\r\n\r\n`,
  ],
  ['a whole address without a path', 'RFC 9112 section 3.2.1', (t) => `GET http://${t.host} HTTP/1.1\r\nhost: ${t.host}\r\n\r\n`],
  ['an asterisk', 'RFC 9112 section 3.2.4', (t) => `GET * HTTP/1.1\r\nhost: ${t.host}\r\n\r\n`],
  ['an asterisk before a path', 'RFC 9112 section 3.2.4', (t) => `GET *${t.first} HTTP/1.1\r\nhost: ${t.host}\r\n\r\n`],
  ['an address of a tunnel', 'RFC 9112 section 3.2.3', (t) => `GET x@ HTTP/1.1\r\nhost: ${t.host}\r\n\r\n`],
  ['DEL in the target', 'RFC 9112 section 3.2', (t) => `GET ${t.first}\x7f HTTP/1.1\r\nhost: ${t.host}\r\n\r\n`],
  ['no slash', 'garden, server 7', (t) => `GET ${t.first.slice(1)} HTTP/1.1\r\nhost: ${t.host}\r\n\r\n`],
  ['a tunnel', 'RFC 9110 section 9.3.6', (t) => `CONNECT ${t.host}:80 HTTP/1.1\r\nhost: ${t.host}:80\r\n\r\n${hiddenIn(t)}`],
  ['HTTP/2 from the start', 'RFC 9113 section 3.3', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0'],
  ['the first line of HTTP/2 as a request', 'RFC 9113 section 3.4', (t) => `PRI * HTTP/2.0\r\nhost: ${t.host}\r\n\r\nSM\r\n\r\n`],
  [
    'an upgrade to HTTP/2',
    'h2c smuggling, RFC 7540 section 3.2',
    (t) =>
      `GET ${t.first} HTTP/1.1\r\nhost: ${t.host}\r\nconnection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n\r\n${hiddenIn(t)}`,
  ],
  [
    'an upgrade beside another word',
    'hop-by-hop abuse',
    (t) => `GET ${t.first} HTTP/1.1\r\nhost: ${t.host}\r\nconnection: x-forwarded-for, upgrade\r\nupgrade: echo\r\n\r\n`,
  ],
  [
    'an upgrade that is not named in Connection',
    'h2c smuggling',
    (t) => `GET ${t.first} HTTP/1.1\r\nhost: ${t.host}\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n\r\n${hiddenIn(t)}`,
  ],
  [
    'an upgrade to a WebSocket of a version nobody knows',
    'WebSocket smuggling',
    (t) =>
      `GET ${t.first} HTTP/1.1\r\nhost: ${t.host}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 777\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n${hiddenIn(t)}`,
  ],
  ['the protocol in front that the core speaks', 'PROXY protocol', (t) => `PROXY TCP4 10.0.0.1 10.0.0.2 1 80\r\n${hiddenIn(t)}`],
  ['two hosts', 'RFC 9112 section 3.2', (t) => `GET ${t.first} HTTP/1.1\r\nhost: ${t.host}\r\nhost: other.localhost\r\n\r\n`],
  [
    'two hosts, the other first',
    'RFC 9112 section 3.2',
    (t) => `GET ${t.first} HTTP/1.1\r\nhost: other.localhost\r\nhost: ${t.host}\r\n\r\n`,
  ],
  ['a list of hosts', 'host confusion', (t) => `GET ${t.first} HTTP/1.1\r\nhost: other.localhost, ${t.host}\r\n\r\n`],
  ['a host with a user', 'host confusion', (t) => `GET ${t.first} HTTP/1.1\r\nhost: ${t.host}:@other.localhost\r\n\r\n`],
  ['a host with a path', 'host confusion', (t) => `GET ${t.first} HTTP/1.1\r\nhost: ${t.host}:/other\r\n\r\n`],
  ['a host with a port that is none', 'host confusion', (t) => `GET ${t.first} HTTP/1.1\r\nhost: ${t.host}:123456\r\n\r\n`],
  ['a host with NUL', 'garden, proxy 12', (t) => `GET ${t.first} HTTP/1.1\r\nhost: ${t.host}:\0other.localhost\r\n\r\n`],
  ['a host with 0xff', 'garden, server 46', (t) => `GET ${t.first} HTTP/1.1\r\nhost: \xff${t.host}:80\xff\r\n\r\n`],
  ['a host on a fold', 'RFC 9112 section 5.2', (t) => `GET ${t.first} HTTP/1.1\r\nhost: ${t.host}:\r\n other.localhost\r\n\r\n`],
  [
    'a host with a blank before the colon',
    'host confusion',
    (t) => `GET ${t.first} HTTP/1.1\r\nhost: ${t.host}\r\nhost : other.localhost\r\n\r\n`,
  ],
  ['a header without a name', 'CVE-2023-25725', (t) => `GET ${t.first} HTTP/1.1\r\nhost: ${t.host}\r\n: x\r\n\r\n`],
  ['a line without a colon', 'garden, proxy 14', (t) => `GET ${t.first} HTTP/1.1\r\nhost: ${t.host}\r\nTe\r\nst: test\r\n\r\n`],
  [
    'Connection names headers of the data path',
    'hop-by-hop abuse',
    (t) => `GET ${t.first} HTTP/1.1\r\nhost: ${t.host}\r\nconnection: close, x-forwarded-for\r\n\r\n`,
  ],
  [
    'the path in a header',
    'desync, access control',
    (t) => `GET ${t.first} HTTP/1.1\r\nhost: ${t.host}\r\nx-original-url: ${t.hidden}\r\n\r\n`,
  ],
  [
    'the path in another header',
    'desync, access control',
    (t) => `GET ${t.first} HTTP/1.1\r\nhost: ${t.host}\r\nx-rewrite-url: ${t.hidden}\r\n\r\n`,
  ],
  ['an empty line within a value', 'garden, server 19', (t) => `GET ${t.first} HTTP/1.1\r\nhost: ${t.host}\r\nuseless:\n\n${hiddenIn(t)}`],
  [
    'a header of the data path under another name',
    'underscores',
    (t) => `GET ${t.first} HTTP/1.1\r\nhost: ${t.host}\r\nx_forwarded_for: 10.0.0.1\r\n\r\n`,
  ],
];

/** Every byte that does not belong in a name, and those that do not in a value. */
const characters: SmugglingCase[] = [
  ...bytes(0, 0x21),
  0x22,
  0x28,
  0x29,
  0x2c,
  0x2e,
  0x2f,
  0x3b,
  0x3c,
  0x3d,
  0x3e,
  0x40,
  0x5b,
  0x5c,
  0x5d,
  0x5f,
  0x7b,
  0x7d,
  0x7f,
  0x80,
  0x85,
  0xa0,
  0xff,
].flatMap((code) => [
  { name: `${named(code)} in a name`, source: 'garden, server 14 and proxy 6', raw: request([`x${byte(code)}y: 1`], () => '', 'GET') },
  {
    name: `${named(code)} in a value`,
    source: 'garden, server 2 and proxies 10, 12 and 20',
    raw: request([`x: y${byte(code)}z: 1`], () => '', 'GET'),
  },
]);

/** The list without what follows from it by trying every byte. */
export const smuggling: readonly SmugglingCase[] = [
  ...codings,
  ...bodies,
  ...chunked,
  ...lines.map(([name, source, raw]) => ({ name, source, raw: (tokens: Tokens) => `${raw(tokens)}${nextIn(tokens)}` })),
  ...characters,
];
