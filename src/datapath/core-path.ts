import type { SourceLimits, SourceRules } from '../source-rules.ts';
import { limitLines, requestLimitLines, sourceLines } from './source-config.ts';
import { CORE_LOG_LINES } from './access-log.ts';
import { tlsSections } from './core-tls.ts';
import { LATENCY_TABLE, TIME_ANSWERS } from './latency-config.ts';
import { countedNames, coreMetrics, targetNames } from './metrics-config.ts';
import {
  assertDnsLabel,
  assertDnsName,
  FOLLOW_NAME,
  PROBE_SILENT_PEERS,
  type PathConfig,
  PREVIEW_HEADER,
  proxyGlobal,
  renderConfig,
  RETRY_IDEMPOTENT,
  type Section,
} from './path-config.ts';
import { renderWaiting } from './waiting-config.ts';

/** A host name and the app that answers to it. */
export interface CoreRoute {
  readonly host: string;
  readonly app: string;
  /** Whether the app has a certificate for it. */
  readonly tls?: boolean;
}

/** The core: which host name belongs to which app. Without a drain limit it lives until its last connection ends. */
export interface Core {
  readonly generation: string;
  readonly routes: readonly CoreRoute[];
  readonly sources?: SourceRules;
  readonly perSource?: SourceLimits;
  readonly drainLimitMs?: number;
  /** Whether it shows what it and the data paths of apps count. */
  readonly showsMetrics?: boolean;
}

/**
 * Renders the core, which listens in its sandbox on 8080, and on 8443 where an app has TLS, and knows nothing of an app but its host
 * names.
 * Pure. Throws on a name that could add to the configuration, and on a host that two apps claim.
 */
export function renderCore(core: Core): PathConfig {
  assertOneAppPerHost(core.routes);
  return {
    waiting: renderWaiting([]),
    proxy: renderConfig([
      proxyGlobal({
        generation: core.generation,
        maxFiles: 50_000,
        drainLimitMs: core.drainLimitMs,
        names: [...countedNames({ generation: core.generation }), ...(core.showsMetrics ? targetNames(appsOf(core)) : [])],
      }),
      DEFAULTS,
      frontend(core),
      preview(core.routes),
      LATENCY_TABLE,
      ...(core.showsMetrics ? coreMetrics(appsOf(core)) : []),
      ...core.routes.map(renderRoute),
      ...tlsSections(
        core.routes.filter(({ tls }) => tls),
        core,
      ),
    ]),
  };
}

const appsOf = ({ routes }: Core): string[] => [...new Set(routes.map(({ app }) => app))].toSorted();

const DEFAULTS: Section = {
  header: 'defaults',
  lines: [
    'mode http',
    'option idle-close-on-response',
    // What a data path is sent is HTTP/1.1; HTTP/2 is spoken where TLS ends.
    'option disable-h2-upgrade',
    ...PROBE_SILENT_PEERS,
    // A connection kept open to an app would go on reaching its old data path.
    'option http-server-close',
    // Finds the address again before each retry: an app's sandbox that was made anew has another one.
    'option redispatch 1',
    // Nothing is checked here, so nothing is refused while an app's proxy is being healed: for 5 s it is tried again.
    'retries 10',
    'retry-on conn-failure empty-response',
    'timeout connect 500ms',
    'timeout queue 5s',
    'timeout http-request 10s',
    'timeout http-keep-alive 30s',
    // Longer than the data paths': which of the two gives up is the app's policy.
    'timeout client 10m',
    'timeout server 10m',
    'timeout client-fin 10s',
    'timeout tunnel 24h',
  ],
};

/**
 * A host is found as the name of its backend: one look-up however many apps there are, and what a client sends is
 * only ever compared. An unknown one is answered 404, not 421: clients repeat a request that got 421.
 */
const frontend = ({ sources, perSource }: Core): Section => ({
  header: 'frontend core',
  lines: [
    'bind :8080',
    ...(sources ? sourceLines(sources) : []),
    ...limitLines(perSource),
    ...CORE_LOG_LINES,
    ...requestLimitLines(perSource),
    ...TIME_ANSWERS,
    RETRY_IDEMPOTENT,
    `http-request del-header ${PREVIEW_HEADER}`,
    'use_backend host:%[req.hdr(host),field(1,:),lower]',
    'default_backend preview',
  ],
});

/**
 * Who asks for no app's host may ask for a generation of one that is held for a look: `<generation>.<host>`. Its address is looked
 * for only then, so that 123 apps that hold nothing cost no look-up. All else has come to the wrong place.
 */
function preview(routes: readonly CoreRoute[]): Section {
  const pattern = (host: string): string => assertDnsName(host).replaceAll('.', String.raw`\.`);
  const isOf = (host: string): string => String.raw`{ req.hdr(host) -m reg -i ^[0-9a-f]{12}\.${pattern(host)}(:[0-9]+)?$ }`;
  const apps = routes.map(({ host, app }) => `http-request set-var(txn.preview) str(${assertDnsLabel(app)}.preview) if ${isOf(host)}`);
  return {
    header: 'backend preview',
    lines: [
      ...apps,
      'http-request do-resolve(txn.address,platform,ipv4) var(txn.preview) if { var(txn.preview) -m found }',
      `http-request return status 404 content-type application/json string '{"error":"nothing answers to this host name"}' unless { var(txn.address) -m found }`,
      `http-request set-header ${PREVIEW_HEADER} %[req.hdr(host),lower,field(1,.)]`,
      'http-request set-dst var(txn.address)',
      'server preview 0.0.0.0:8080 send-proxy-v2',
    ],
  };
}

function renderRoute({ host, app }: CoreRoute): Section {
  return {
    header: `backend host:${assertDnsName(host)}`,
    lines: [`server ${assertDnsLabel(app)} ${app}.path:8080 send-proxy-v2 ${FOLLOW_NAME}`],
  };
}

function assertOneAppPerHost(routes: readonly CoreRoute[]): void {
  const hosts = new Set<string>();
  for (const { host } of routes) {
    if (hosts.has(host)) throw new Error(`datapath: ${JSON.stringify(host)} is routed twice`);
    hosts.add(host);
  }
}
