import {
  assertDnsName,
  assertPort,
  FOLLOW_NAME,
  PROBE_SILENT_PEERS,
  type Health,
  type PathConfig,
  proxyGlobal,
  renderConfig,
  type Section,
} from './path-config.ts';
import { renderWaiting } from './waiting-config.ts';

/** A store's data path: the port clients use, and the name of the one server behind it. */
export interface StorePath {
  readonly generation: string;
  readonly port: number;
  readonly server: string;
  readonly health: Extract<Health, { readonly kind: 'tcp' }>;
  readonly drainLimitMs: number;
}

/**
 * Renders a store's data path in TCP mode. While the server is being swapped, new connections wait (20 s when they
 * are refused); checks would refuse them. Pure. Throws on a name that could add to the configuration.
 */
export function renderStorePath(store: StorePath): PathConfig {
  const address = assertDnsName(store.server);
  const server = { name: address.replace(/\..*/, ''), address };
  return {
    waiting: renderWaiting([{ name: 'store', port: store.port, health: store.health, servers: [server] }]),
    proxy: renderConfig([
      proxyGlobal({ generation: store.generation, maxFiles: 20_000, drainLimitMs: store.drainLimitMs }),
      DEFAULTS,
      {
        header: 'listen store',
        lines: [`bind :${assertPort(store.port)}`, `server ${server.name} ${server.address}:${store.port} ${FOLLOW_NAME}`],
      },
    ]),
  };
}

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
    'timeout client 24h',
    'timeout server 24h',
    'timeout client-fin 10s',
  ],
};
