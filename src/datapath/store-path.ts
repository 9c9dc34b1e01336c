import {
  assertDnsName,
  assertPort,
  assertWhole,
  FOLLOW_NAME,
  PROBE_SILENT_PEERS,
  type PathConfig,
  proxyGlobal,
  renderConfig,
  type Section,
  type StoreHealth,
} from './path-config.ts';
import { checkLines, renderWaiting } from './waiting-config.ts';

/** A store's data path: the port clients use, and the name of the one server behind it. */
export interface StorePath {
  readonly generation: string;
  readonly port: number;
  readonly server: string;
  readonly health: StoreHealth;
  /** How long a new connection waits for a server that does not pass its check. */
  readonly holdLimitMs: number;
  readonly drainLimitMs: number;
}

/**
 * Renders a store's data path in TCP mode. A new connection waits until the server passes the store's check; while the server
 * is swapped, until the path's gate is open as well. Pure. Throws on a name that could add to the configuration.
 */
export function renderStorePath(store: StorePath): PathConfig {
  const address = assertDnsName(store.server);
  const server = { name: address.replace(/\..*/, ''), address };
  const port = assertPort(store.port);
  const { generation, drainLimitMs } = store;
  return {
    waiting: renderWaiting([{ name: 'store', port, health: store.health, servers: [server] }]),
    proxy: renderConfig([
      proxyGlobal({ generation, maxFiles: 20_000, drainLimitMs, libraries: ['hold.lua'] }),
      DEFAULTS,
      {
        header: 'listen store',
        lines: [
          `bind :${port}`,
          // As long as HAProxy lets anything wait: hold.lua knows when it has been long enough.
          'tcp-request inspect-delay 24d',
          `tcp-request content lua.hold ${assertWhole(store.holdLimitMs, 0, 2_147_483_647)}`,
          'use_backend successor if { var(txn.successor) -m bool }',
          ...checkLines(store.health, server.name),
          `server ${server.name} ${server.address}:${port} ${FOLLOW_NAME} ${CHECK}`,
        ],
      },
      { header: 'backend successor', lines: [`timeout tunnel ${passedOnIdleMs(store)}ms`, `server successor 127.0.0.1:${port}`] },
    ]),
  };
}

/**
 * What was passed on goes through a path that is to end, and a pool would keep it there until the drain limit cuts it: it ends
 * when nobody says anything on it for half of that, longer than most questions take, and the pool's next connection goes to the
 * successor itself.
 */
const passedOnIdleMs = ({ drainLimitMs }: StorePath): number => Math.ceil(drainLimitMs / 2);

/** One that fails is asked again at once; a refused connection is a failed check, too. */
const CHECK = 'check inter 1s fastinter 50ms downinter 50ms rise 1 fall 1 observe layer4 error-limit 1 on-error mark-down';

/** Clients pool connections and leave them idle, so only a peer that is gone ends one: keep-alive probes find it. */
const DEFAULTS: Section = {
  header: 'defaults',
  lines: [
    'mode tcp',
    'option clitcpka',
    ...PROBE_SILENT_PEERS,
    'option redispatch 1',
    'retries 100',
    'timeout connect 200ms',
    'timeout check 2s',
    'timeout client 24h',
    'timeout server 24h',
    'timeout client-fin 10s',
  ],
};
