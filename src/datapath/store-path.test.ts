import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderStorePath, type StorePath } from './store-path.ts';

const STORE: StorePath = {
  generation: 's1',
  port: 5432,
  server: 'postgres-1.blue',
  health: { kind: 'tcp' },
  holdLimitMs: 60_000,
  drainLimitMs: 5_000,
};

const LINES = [
  ['passes bytes on', 'mode tcp'],
  ['tries again soon', 'timeout connect 200ms'],
  ['tries a connection that the server just refused again', 'retries 100'],
  ['lets clients wait until the server passes its check', 'tcp-request content lua.hold 60000'],
  ['passes those who wait on to its successor', 'server successor 127.0.0.1:5432'],
  ['ends what it passed on when nothing is said on it', 'timeout tunnel 2500ms'],
  ['asks for the address again when it tries again', 'option redispatch 1'],
  ['lets a pool be idle', 'timeout client 24h'],
  ['finds a client that is gone', 'option clitcpka'],
  ['finds a server that is gone', 'option srvtcpka'],
  ['listens on the port of the store', 'bind :5432'],
  ['bounds its drain', 'hard-stop-after 5000ms'],
  [
    'finds its server by name, and checks it',
    'server postgres-1 postgres-1.blue:5432 resolvers platform init-addr libc,none resolve-prefer ipv4 check inter 1s fastinter 50ms downinter 50ms rise 1 fall 1 observe layer4 error-limit 1 on-error mark-down',
  ],
] as const;

for (const [promise, line] of LINES) {
  test(`a store's path ${promise}`, () => {
    assert.ok(linesOf(renderStorePath(STORE).proxy).includes(line), renderStorePath(STORE).proxy);
  });
}

const CHECKS = [
  [
    { kind: 'redis' },
    ['tcp-check connect linger', 'tcp-check send-binary 50494e470d0a', 'tcp-check expect min-recv 7 binary 2b504f4e470d0a'],
  ],
  [
    { kind: 'postgres' },
    [
      'tcp-check connect linger',
      'tcp-check send-binary 00000017000300007573657200706f7374677265730000',
      'tcp-check expect rbinary ^(52.{16}.*5A0000000549|52.{8}(?!00000000)|(52.{16})?45.*0043(?!3537503033)3)',
    ],
  ],
  [{ kind: 'exchange', expect: "it's $ready" }, ['tcp-check connect linger', 'tcp-check expect binary 6974277320247265616479']],
] as const;

for (const [health, lines] of CHECKS)
  test(`waiter and proxy of a store check in the way of ${health.kind}`, () => {
    const { waiting, proxy } = renderStorePath({ ...STORE, health });
    for (const config of [waiting, proxy])
      assert.deepEqual(
        linesOf(config).filter((line) => line.startsWith('tcp-check')),
        lines,
      );
  });

test("a store's waiter connects to the server", () => {
  const lines = linesOf(renderStorePath(STORE).waiting);
  assert.ok(lines.includes("setenv CHANGELESS_CHECK_1 'service-store=connect to port 5432'"));
  assert.ok(lines.includes('option tcp-check'));
  assert.ok(lines.some((line) => line.startsWith('server postgres-1 postgres-1.blue:5432 ')));
});

test('a server name that could add to the configuration is a bug that throws', () => {
  assert.throws(() => renderStorePath({ ...STORE, server: 'postgres:1 backup' }), /^Error: datapath: /);
});

function linesOf(config: string): readonly string[] {
  return config.split('\n').map((line) => line.trim());
}
