import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Policy } from '../../src/policy.ts';
import { skip } from '../../src/datapath/haproxy-fixture.ts';
import { startNaively, readLeniently } from './naive-front.ts';
import { RecordingOrigin } from './recording-origin.ts';
import { DENIED, findingsOf, type Finding, type Front } from './smuggling-check.ts';
import { permutations } from './smuggling-bodies.ts';
import { smuggling } from './smuggling-cases.ts';
import type { SmugglingCase } from './smuggling-request.ts';
import { readStrictly } from './strict-request.ts';
import { certify, host, TlsChain, type Chained } from './tls-chain.ts';

const denying: Policy = { access: [{ action: 'deny', match: { path: [{ under: DENIED }] } }] };

let certified: Awaited<ReturnType<typeof certify>>;
before(async () => {
  certified = await certify();
});

/** Both proxies say of each request that they take for one what it asks for, instead of what they log otherwise. */
const noting = (config: string): string =>
  config
    .replaceAll(/^ +(?:log |log-format |error-log-format |option log-separate-errors|http-re\w+ set-log-level ).*\n/gm, '')
    .replace(/^frontend (?:app|core)$/m, '$&\n    log stdout format raw local0\n    log-format "noted %HU"');

type Through = { by: 'plain' | 'tls'; policy?: Policy; change?: (config: string) => string };

/** What is found where the cases go through the core and an app's data path, or, encrypted, through its data path. */
async function found(cases: readonly SmugglingCase[], { by, policy, change = (config) => config }: Through): Promise<Finding[]> {
  const origin = await RecordingOrigin.start(readStrictly);
  const chained: Chained = { ...(policy && { policy }), change: (config) => noting(change(config)) };
  try {
    const chain = await TlsChain.start(origin, certified, chained);
    try {
      return await findingsOf(cases, frontOf(chain, origin, by), policy !== undefined);
    } finally {
      await chain.stop();
    }
  } finally {
    await origin.stop();
  }
}

function frontOf(chain: TlsChain, origin: RecordingOrigin, by: Through['by']): Front {
  const readers = by === 'plain' ? ['core', 'path'] : ['path'];
  return {
    host,
    origin,
    connect: async () => {
      if (by === 'plain') return chain.connect('core-8080');
      const socket = await chain.secure({ protocols: ['http/1.1'] });
      if (typeof socket === 'string') throw new Error(socket);
      return socket;
    },
    readers: async () => {
      const socket = await chain.connect('core-8080');
      await chain.ask({ socket, path: '/last' });
      socket.destroy();
      await Promise.all(['core', 'path'].map((reader) => chain.heard(new RegExp(`^${reader} noted /last`))));
      return Object.fromEntries(readers.map((reader) => [reader, chain.said.filter((line) => line.startsWith(`${reader} noted `))]));
    },
  };
}

const list: readonly [name: string, cases: readonly SmugglingCase[], through: Through][] = [
  ['the core and a data path with a rule', [...smuggling, ...permutations], { by: 'plain', policy: denying }],
  ['the core and a data path without a policy', smuggling, { by: 'plain' }],
  ['an encrypted connection to a data path with a rule', smuggling, { by: 'tls', policy: denying }],
];

for (const [name, cases, through] of list) {
  test(`no request is smuggled through ${name}`, { skip, timeout: 300_000 }, async () => {
    assert.deepEqual(await found(cases, through), []);
  });
}

test('the list finds a proxy that believes lengths before a service that believes chunks', { timeout: 60_000 }, async () => {
  const origin = await RecordingOrigin.start((text) => readLeniently(text, 'chunks'));
  const { front, stop } = await startNaively(origin, host);
  try {
    const findings = await findingsOf(smuggling, front, true);
    const of = (name: string): string[] => findings.filter((finding) => finding.name === name).map(({ what }) => what);
    assert.deepEqual(of('a coding, as it should be, chunks end first'), [
      'service saw /admin?c0-hidden 1 times, proxy 0',
      'what is denied reached the service',
    ]);
    assert.ok(new Set(findings.map(({ name }) => name)).size > 100, 'and many more');
  } finally {
    stop();
    await origin.stop();
  }
});

/** A line of the configuration, by a part of it, and a case that goes through without it. */
const mends: readonly (readonly [line: string, name: string])[] = [
  ['http-restrict-req-hdr-names', 'a coding, an underscore for the hyphen, chunks end first'],
  ['two-ways req.hdrs', '0x00 in a value'],
  ['two-ways req.hdr(content-length)', 'a length, a zero in front, POST'],
  ['two-ways req.fhdr(host)', 'a host with a user'],
  ['two-ways method', 'lower letters'],
  ['if two-ways', 'HTTP/1.0 with chunks'],
  ['two-ways url', 'a tunnel'],
  ['del-header upgrade', 'an upgrade to HTTP/2'],
  ['del-header http2-settings', 'an upgrade to HTTP/2'],
  ['two-ways url', 'an asterisk before a path'],
  ['two-ways url', 'an address of a tunnel'],
  ['set-uri /', 'a whole address without a path'],
  ['set-uri %[pathq]', 'a whole address'],
  ['set-header transfer-encoding', 'a coding, capitals, no length'],
  ['set-header connection', 'an upgrade beside another word'],
  ['del-header connection', 'Connection names headers of the data path'],
  ['x-original-url', 'the path in a header'],
  ['x-rewrite-url', 'the path in another header'],
];

test('every line against smuggling makes the difference', { skip, timeout: 120_000 }, async () => {
  for (const [line, name] of mends) {
    const cases = smuggling.filter((each) => each.name === name);
    const change = (config: string): string =>
      config
        .split('\n')
        .filter((each) => !each.includes(line))
        .join('\n');
    const names = (await found(cases, { by: 'plain', change })).map((finding) => finding.name);
    assert.ok(names.length > 0, `${line}: ${name} is found without it`);
  }
});
