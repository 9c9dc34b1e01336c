import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderStorePath, type StorePath } from './store-path.ts';

const STORE: StorePath = {
  generation: 's1',
  port: 5432,
  server: 'postgres-1.blue',
  health: { kind: 'tcp' },
  drainLimitMs: 5_000,
};

const LINES = [
  ['passes bytes on', 'mode tcp'],
  ['tries again soon', 'timeout connect 200ms'],
  ['lets clients wait while the server is swapped', 'retries 100'],
  ['asks for the address again when it tries again', 'option redispatch 1'],
  ['lets a pool be idle', 'timeout client 24h'],
  ['finds a client that is gone', 'option clitcpka'],
  ['finds a server that is gone', 'option srvtcpka'],
  ['listens on the port of the store', 'bind :5432'],
  ['bounds its drain', 'hard-stop-after 5000ms'],
  ['finds its server by name', 'server postgres-1 postgres-1.blue:5432 resolvers platform init-addr libc,none resolve-prefer ipv4'],
] as const;

for (const [promise, line] of LINES) {
  test(`a store's path ${promise}`, () => {
    assert.ok(linesOf(renderStorePath(STORE).proxy).includes(line), renderStorePath(STORE).proxy);
  });
}

test("a store's path checks nothing, because a check would refuse those who can wait", () => {
  assert.doesNotMatch(renderStorePath(STORE).proxy, /check/);
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
