import { hiddenIn, type Tokens } from './smuggling-request.ts';

type Field = readonly [name: string, value: string];

/**
 * A request of HTTP/2 that becomes two, or another one, where it is passed on as HTTP/1.1. The tricks are of: desync
 * (PortSwigger/http-request-smuggler, its permutations for HTTP/2), RFC 9113 section 8.2.1 and 8.3.1, CVE-2021-39240, 39241, 39242.
 */
export type H2Case = { name: string; fields: (tokens: Tokens) => readonly Field[]; body?: (tokens: Tokens) => string };

const pseudo = (tokens: Tokens, change: Readonly<Record<string, string>> = {}): Field[] =>
  Object.entries({ ':method': 'GET', ':scheme': 'https', ':authority': tokens.host, ':path': tokens.first, ...change });

const withField = (name: string, field: (tokens: Tokens) => Field): H2Case => ({
  name,
  fields: (tokens) => [...pseudo(tokens), field(tokens)],
});

const posted = (name: string, field: Field, body: (tokens: Tokens) => string): H2Case => ({
  name,
  fields: (tokens) => [...pseudo(tokens, { ':method': 'POST' }), field],
  body,
});

const lines = (tokens: Tokens): string => ` HTTP/1.1\r\nhost: ${tokens.host}\r\n\r\n${hiddenIn(tokens)}`;
const chunks = (tokens: Tokens): string => `0\r\n\r\n${hiddenIn(tokens)}`;

/** What ends a line or a word for somebody. */
const breaks = ['\r\n', '\n', '\r', '\0', '\v', '\f', '\x01', '\x7f', '\x85', ' ', '\t'];
const shown = (text: string): string => JSON.stringify(text);

export const h2Cases: readonly H2Case[] = [
  // Where the body ends.
  posted('a length of 0', ['content-length', '0'], hiddenIn),
  posted('a length that is too short', ['content-length', '3'], hiddenIn),
  posted('a length that is too long', ['content-length', '9999'], hiddenIn),
  posted('a length that is none', ['content-length', 'x'], hiddenIn),
  posted('a length with a plus', ['content-length', '+3'], hiddenIn),
  posted('a length that is empty', ['content-length', ''], hiddenIn),
  posted('a coding', ['transfer-encoding', 'chunked'], chunks),
  posted('a coding in capitals', ['transfer-encoding', 'CHUNKED'], chunks),
  posted('a coding in another letter case', ['Transfer-Encoding', 'chunked'], chunks),
  posted('a coding under a name with an underscore', ['transfer_encoding', 'chunked'], chunks),
  posted('a coding under a name with a blank', ['transfer-encoding ', 'chunked'], chunks),
  posted('a coding under a name with a colon', ['transfer-encoding:chunked', 'x'], chunks),
  posted('a coding in a name', ['transfer-encoding: chunked\r\nx', 'y'], chunks),
  posted('a coding in a value', ['x', 'y\r\ntransfer-encoding: chunked'], chunks),
  posted('a coding in a value, by LF', ['x', 'y\ntransfer-encoding: chunked'], chunks),
  // What HTTP/2 has no headers for.
  ...['connection', 'keep-alive', 'proxy-connection', 'upgrade', 'http2-settings'].map((name) =>
    withField(name, () => [name, 'close, h2c']),
  ),
  withField('te', () => ['te', 'chunked']),
  // Names and values.
  withField('a name that is empty', () => ['', 'x']),
  withField('a name of a colon', () => [':', 'x']),
  withField('a pseudo-header nobody knows', () => [':x', 'y']),
  withField('a pseudo-header in the wrong place', ({ hidden }) => [':path', hidden]),
  ...breaks.flatMap((text) => [
    withField(`${shown(text)} in a name`, () => [`x${text}y`, 'z']),
    withField(`${shown(text)} in a value`, (tokens) => ['x', `y${text}${text}${hiddenIn(tokens)}`]),
    withField(`${shown(text)} before a value`, () => ['x', `${text}y`]),
    withField(`${shown(text)} behind a value`, () => ['x', `y${text}`]),
  ]),
  // The request line.
  ...([':method', ':path', ':authority', ':scheme'] as const).flatMap((name) =>
    breaks.map((text) => ({
      name: `${shown(text)} in ${name}`,
      fields: (tokens: Tokens) => {
        const own = pseudo(tokens).find(([each]) => each === name)?.[1] ?? '';
        return pseudo(tokens, { [name]: `${own}${text}${text === '\r\n' ? lines(tokens) : tokens.hidden}` });
      },
    })),
  ),
  { name: 'a request line as the method', fields: (t) => pseudo(t, { ':method': `GET ${t.hidden} HTTP/1.1` }) },
  { name: 'a method in lower letters', fields: (t) => pseudo(t, { ':method': 'get' }) },
  { name: 'a method that is empty', fields: (t) => pseudo(t, { ':method': '' }) },
  {
    name: 'a tunnel',
    fields: (t) => [
      [':method', 'CONNECT'],
      [':authority', t.host],
    ],
  },
  { name: 'a tunnel with a protocol', fields: (t) => [...pseudo(t, { ':method': 'CONNECT' }), [':protocol', 'websocket']] },
  { name: 'a path without a slash', fields: (t) => pseudo(t, { ':path': t.hidden.slice(1) }) },
  { name: 'a path that is empty', fields: (t) => pseudo(t, { ':path': '' }) },
  { name: 'a path that is an address', fields: (t) => pseudo(t, { ':path': `https://${t.host}${t.hidden}` }) },
  { name: 'a path that is an address of nobody', fields: (t) => pseudo(t, { ':path': `x${t.hidden}` }) },
  { name: 'a path that is an asterisk', fields: (t) => pseudo(t, { ':path': '*' }) },
  { name: 'a path with a fragment', fields: (t) => pseudo(t, { ':path': `${t.first}#x` }) },
  { name: 'a scheme with an address', fields: (t) => pseudo(t, { ':scheme': `https://${t.host}${t.hidden}?` }) },
  { name: 'a scheme with a path', fields: (t) => pseudo(t, { ':scheme': `x${t.hidden}` }) },
  { name: 'another scheme', fields: (t) => pseudo(t, { ':scheme': 'ftp' }) },
  { name: 'no path', fields: (t) => pseudo(t).filter(([name]) => name !== ':path') },
  { name: 'no method', fields: (t) => pseudo(t).filter(([name]) => name !== ':method') },
  { name: 'no scheme', fields: (t) => pseudo(t).filter(([name]) => name !== ':scheme') },
  ...[':method', ':path', ':authority', ':scheme'].map((name) => ({
    name: `two of ${name}`,
    fields: (tokens: Tokens) => [
      ...pseudo(tokens),
      [name, pseudo(tokens, { ':path': tokens.hidden }).find(([each]) => each === name)?.[1] ?? ''] as const,
    ],
  })),
  // Which host.
  withField('another host', () => ['host', 'other.localhost']),
  withField('the same host', ({ host }) => ['host', host]),
  { name: 'a host beside none', fields: (t) => [...pseudo(t).filter(([name]) => name !== ':authority'), ['host', t.host]] },
  {
    name: 'two hosts',
    fields: (t) => [...pseudo(t).filter(([name]) => name !== ':authority'), ['host', t.host], ['host', 'other.localhost']],
  },
  {
    name: 'a list of hosts',
    fields: (t) => [...pseudo(t).filter(([name]) => name !== ':authority'), ['host', `other.localhost, ${t.host}`]],
  },
  { name: 'a user in the authority', fields: (t) => pseudo(t, { ':authority': `${t.host}:@other.localhost` }) },
  { name: 'a path in the authority', fields: (t) => pseudo(t, { ':authority': `${t.host}${t.hidden}` }) },
  { name: 'a path behind the port of the authority', fields: (t) => pseudo(t, { ':authority': `${t.host}:443${t.hidden}` }) },
  withField('the path in a header', ({ hidden }) => ['x-original-url', hidden]),
];
