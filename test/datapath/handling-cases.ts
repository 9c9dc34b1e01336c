import type { Case } from './conformance.test.ts';
import { each, status } from './routing-cases.ts';
import type { Proxied, Told } from './proxied.ts';

const start = 'GET / HTTP/1.1\r\nhost: shop.localhost\r\n';
// Long, so that whoever gives up after the limit has done so; nobody waits for it where that is so.
const afterMs = 1500;
const limitMs = 100;

const statuses = (text: string): string => [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, code]) => code).join(' ');
const exchanged = (parts: readonly string[], until: RegExp) => async (path: Proxied) =>
  statuses(await path.exchange(parts, { afterMs, until }));
const done = /HTTP\/1\.1 [^]*\}/;
const gzip = { headers: { 'accept-encoding': 'br, gzip' } };
const encoding = ({ headers }: Told): string => headers['content-encoding'] ?? 'none';

/** How long is waited, what is tried again, what is compressed. */
export const handling: readonly Case[] = [
  {
    rule: "a request's headers come in time",
    policy: { timeouts: { headersMs: limitMs } },
    see: exchanged([start, '\r\n'], done),
    with: '408',
    without: '200',
  },
  {
    rule: "a request's body comes in time",
    policy: { timeouts: { requestMs: limitMs } },
    see: exchanged(['POST /?afterMs=100 HTTP/1.1\r\nhost: shop.localhost\r\ncontent-length: 2\r\n\r\nx', 'x'], done),
    with: '408',
    without: '200',
  },
  {
    rule: 'an instance is not silent for long',
    policy: { timeouts: { responseMs: limitMs } },
    see: each([`/?afterMs=${afterMs}`], status),
    with: [504],
    without: [200],
  },
  {
    rule: 'a connection is not idle for long',
    policy: { timeouts: { idleMs: limitMs } },
    see: exchanged([`${start}\r\n`, `${start}\r\n`], /(HTTP\/1\.1 [^]*){2}\}/),
    with: '200',
    without: '200 200',
  },
  {
    rule: 'a tunnel is not silent for long',
    policy: { timeouts: { tunnelMs: limitMs } },
    see: async (path) => {
      const text = await path.exchange([`${start}connection: upgrade\r\nupgrade: echo\r\n\r\n`, 'still there'], {
        afterMs,
        until: /still there/,
      });
      return text.includes('still there');
    },
    with: false,
    without: true,
  },
  {
    rule: 'nothing is tried again where that is not to be',
    policy: { retries: { attempts: 0 } },
    see: each(['/drop', '/drop'], status),
    with: [502, 200],
    without: [200, 200],
  },
  {
    rule: 'a method that is not among those that may be repeated is not',
    policy: { retries: { methods: ['GET'] } },
    see: each(
      [
        { path: '/drop', method: 'PUT' },
        { path: '/drop', method: 'GET' },
      ],
      status,
    ),
    with: [502, 200],
    without: [200, 200],
  },
  {
    rule: 'an answer that is named is tried again',
    policy: { retries: { on: ['response-timeout'] }, timeouts: { responseMs: 5 * limitMs } },
    base: { timeouts: { responseMs: 5 * limitMs } },
    see: each(['/slow-once', '/slow-once'], status),
    with: [200, 200],
    without: [504, 200],
  },
  {
    rule: 'answers of a type are compressed where the client takes it',
    policy: { compression: { types: ['text/plain'] } },
    see: each([{ ...gzip, path: '/text?bytes=500' }, { ...gzip, path: '/text?bytes=500&type=image/png' }, '/text?bytes=500'], encoding),
    with: ['gzip', 'none', 'none'],
    without: ['none', 'none', 'none'],
  },
];
