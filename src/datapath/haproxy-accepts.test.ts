import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { issueFor, makeAuthority } from '../certificates/issue.ts';
import { skip, withSources } from './haproxy-fixture.ts';
import { renderAppPath } from './app-path.ts';
import { renderCore } from './core-path.ts';
import { type PathConfig } from './path-config.ts';
import { renderStorePath } from './store-path.ts';

const folder = mkdtempSync(join(tmpdir(), 'datapath-'));
after(() => rmSync(folder, { recursive: true }));

const awkward = `"b" 'c' \\ # $HOME \${HOME} %[src] %% {} } ; , é`;

const { certificate, key } = await issueFor(['shop.localhost'], await makeAuthority('of a test', new Date()), new Date());
writeFileSync(join(folder, 'tls.pem'), certificate);
writeFileSync(join(folder, 'tls.pem.key'), key.revealText());

const PATHS: Readonly<Record<string, PathConfig>> = {
  'an app': renderAppPath({
    app: 'shop',
    generation: 'a'.repeat(64),
    colour: 'blue',
    entry: 'web',
    services: [
      { name: 'web', port: 80, replicas: 3, health: { kind: 'http', path: '/a-b_c~/%20?x=1&y=(2)*+,;:@!', status: 200 } },
      { name: 'db', port: 5432, replicas: 1, health: { kind: 'tcp' } },
    ],
    drainLimitMs: 1,
  }),
  'an app whose instances come and go': renderAppPath({
    app: 'shop',
    generation: 'b'.repeat(64),
    colour: 'green',
    entry: 'web',
    services: [{ name: 'web', port: 80, replicas: { min: 1, max: 100 }, health: { kind: 'tcp' } }],
    drainLimitMs: 30_000,
  }),
  'an app with a policy': renderAppPath({
    app: 'shop',
    generation: 'p'.repeat(64),
    colour: 'blue',
    entry: 'web',
    services: ['web', 'api', 'more'].map((name) => ({
      name,
      port: 80,
      replicas: name === 'more' ? { min: 1, max: 3 } : 1,
      health: { kind: 'tcp' },
    })),
    drainLimitMs: 1,
    policy: {
      routes: [
        { path: '/api', service: 'api', bodyLimitBytes: 1, headers: { request: { set: { a: awkward }, add: {}, remove: ['b'] } } },
        { host: 'a.localhost', path: '/', service: 'more' },
        { path: '/web', service: 'web' },
      ],
      redirects: [
        { host: 'b.localhost', path: '/', exact: false, to: 'https://example.com/', status: 308, keepQuery: true },
        { path: '/a', exact: true, to: '/%20', status: 301, keepQuery: false },
      ],
      headers: { response: { set: { a: awkward }, add: { b: awkward }, remove: ['server'] } },
      access: [
        { action: 'allow', match: { source: ['10.0.0.0/8', '2001:db8::/32'], path: [{ under: `/${awkward}` }] } },
        { action: 'deny', match: { path: [{ under: '/' }], host: ['a.localhost'] } },
      ],
      rateLimits: {
        all: { requests: 1_000_000, periodMs: 86_400_000, burst: 1_000_000 },
        'a.b_c-D': { requests: 1, periodMs: 1, burst: 1, for: { path: [{ exact: '/' }] } },
      },
      bodyLimitBytes: Number.MAX_SAFE_INTEGER,
      timeouts: { headersMs: 1, requestMs: 1, responseMs: 1, idleMs: 1, tunnelMs: 86_400_000 },
      retries: { attempts: 10, on: ['empty-response', 'response-timeout', 500, 502, 503, 504], methods: ['GET', 'TRACE'] },
      compression: { types: ['text/', 'application/json'] },
      maintenance: { body: `${awkward}\n`.repeat(150), contentType: awkward, retryAfterSeconds: 1, except: ['::1'] },
      patches: {
        'CVE-2026-1234': [
          {
            path: [{ matches: '^/(a|b)$' }],
            method: ['POST', 'PUT'],
            header: { a: { exact: awkward }, b: { contains: awkward }, c: { present: true } },
          },
          { query: { [awkward]: { matches: '\\$\\{' }, b: { present: true } } },
        ],
      },
    },
  }),
  'an app with TLS': renderAppPath({
    app: 'shop',
    generation: 't'.repeat(64),
    colour: 'green',
    entry: 'web',
    services: [{ name: 'web', port: 80, replicas: 1, health: { kind: 'tcp' } }],
    drainLimitMs: 1,
    policy: { bodyLimitBytes: 1, timeouts: { idleMs: 86_400_000 } },
    tls: { certificate: join(folder, 'tls.pem'), redirectPort: 8443 },
  }),
  'an app with stages': renderAppPath({
    app: 'shop',
    generation: 's'.repeat(64),
    colour: 'green',
    entry: 'web',
    services: ['auth', 'waf', 'web'].map((name) => ({
      name,
      port: 80,
      replicas: name === 'waf' ? { min: 1, max: 3 } : 2,
      health: { kind: 'tcp' },
    })),
    stages: [
      { service: 'waf', port: 10_300 },
      { service: 'auth', port: 10_301 },
    ],
    drainLimitMs: 86_400_000,
    policy: {
      routes: [{ host: 'a.localhost', path: '/', service: 'web' }],
      retries: { attempts: 10, on: ['response-timeout', 503], methods: ['GET'] },
      timeouts: { responseMs: 86_400_000 },
    },
  }),
  'an app that lives elsewhere': renderAppPath({
    app: 'shop',
    generation: 'e'.repeat(64),
    colour: 'blue',
    entry: 'elsewhere',
    services: [{ name: 'elsewhere', port: 8080, replicas: 1, health: { kind: 'http', path: '/', status: 200 } }],
    drainLimitMs: 1,
    elsewhere: { host: 'legacy.example.com', port: 443, tls: { name: 'legacy.example.com' }, hostHeader: 'shop.example.com' },
  }),
  'an app that lives at an address, with an authority of its own': renderAppPath({
    app: 'shop',
    generation: 'e'.repeat(64),
    colour: 'blue',
    entry: 'elsewhere',
    services: [{ name: 'elsewhere', port: 8080, replicas: 1, health: { kind: 'http', path: '/', status: 200 } }],
    drainLimitMs: 1,
    elsewhere: { host: '192.0.2.7', port: 8443, tls: { name: 'legacy.localhost', ca: join(folder, 'tls.pem') } },
  }),
  'a core with TLS': renderCore({
    generation: 'c1',
    routes: [
      { host: 'shop.localhost', app: 'shop', tls: true },
      { host: 'a-b.example.com', app: 'other' },
    ],
    sources: { allow: ['10.0.0.0/8', '::1'], deny: ['192.0.2.7'] },
    perSource: { connections: 1, newConnections: { count: 1, perMs: 1_000 }, requests: { count: 1, perMs: 1_000 } },
  }),
  'the core': renderCore({
    generation: 'c1',
    routes: [
      { host: 'shop.localhost', app: 'shop' },
      { host: 'a-b.example.com', app: 'shop' },
    ],
    drainLimitMs: 86_400_000,
  }),
  'a core with rules for sources': renderCore({
    generation: 'c1',
    routes: [{ host: 'shop.localhost', app: 'shop' }],
    sources: { allow: ['10.0.0.0/8', '2001:db8::/32', '::1'], deny: ['192.0.2.7'] },
    perSource: { connections: 1, newConnections: { count: 1_000_000, perMs: 3_600_000 }, requests: { count: 1, perMs: 1_000 } },
  }),
  'a core that shows what many apps count': renderCore({
    generation: 'c1',
    routes: Array.from({ length: 20 }, (_, index) => ({ host: `a${index}.localhost`, app: `a${index}` })),
    showsMetrics: true,
  }),
  'a core without apps that shows what it counts': renderCore({ generation: 'c1', routes: [], showsMetrics: true }),
  'a core without apps': renderCore({ generation: 'c1', routes: [] }),
  'a store': renderStorePath({
    generation: 's1',
    port: 6379,
    server: 'redis-1.blue',
    health: { kind: 'tcp' },
    holdLimitMs: 2_147_483_647,
    drainLimitMs: 2_147_483_647,
  }),
  ...Object.fromEntries(
    ([{ kind: 'redis' }, { kind: 'postgres' }, { kind: 'exchange', send: '"a b" # \\ $\r\n', expect: "'" }] as const).map((health) => [
      `a store that is checked in the way of ${health.kind}`,
      renderStorePath({ generation: 's1', port: 6379, server: 'store.server.blue', health, holdLimitMs: 1, drainLimitMs: 1 }),
    ]),
  ),
};

for (const [what, config] of Object.entries(PATHS)) {
  for (const [part, text] of Object.entries(config)) {
    test(`haproxy accepts the ${part} configuration of ${what}, without a warning`, { skip }, () => {
      assert.equal(complaints(text), '');
    });
  }
}

test('haproxy does not start to wait with a certificate whose key is not there, or another', { skip }, async () => {
  const { waiting } = PATHS['an app with TLS']!;
  writeFileSync(join(folder, 'other.pem'), certificate);
  const elsewhere = waiting.replaceAll('tls.pem', 'other.pem');
  assert.match(complaints(elsewhere), /No Private Key found/);
  const other = await issueFor(['shop.localhost'], await makeAuthority('of a test', new Date()), new Date());
  writeFileSync(join(folder, 'other.pem.key'), other.key.revealText());
  writeFileSync(join(folder, 'both.pem'), certificate + key.revealText());
  assert.equal(complaints(waiting.replaceAll('tls.pem', 'both.pem')), '', 'a key in the file of its certificate is found');
  assert.match(complaints(elsewhere), /inconsistencies between private key and certificate/);
});

test('haproxy refuses a configuration with a word it does not know', { skip }, () => {
  assert.match(complaints(`${PATHS['a store']!.proxy}    no-such-word\n`), /no-such-word/);
});

/** What haproxy has to say, apart from names that do not resolve on this machine. */
function complaints(config: string): string {
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(file, withSources(config));
  const env = { ...process.env, CHANGELESS_INCARNATION: '0123abcd', CHANGELESS_LEAVING: 'drain', RES_OPTIONS: 'timeout:1 attempts:1' };
  const { status, stderr } = spawnSync('haproxy', ['-c', '-f', file], { encoding: 'utf8', env });
  const lines = stderr.split('\n').filter((line) => /ALERT|WARNING/.test(line) && !/could not resolve address/.test(line));
  if (status !== 0 && lines.length === 0) lines.push(`exit code ${status}: ${stderr}`);
  return lines.join('\n');
}
