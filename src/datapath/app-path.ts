import {
  assertDnsLabel,
  assertPort,
  assertWhole,
  FOLLOW_NAME,
  PREVIEW_HEADER,
  PROBE_SILENT_PEERS,
  type Health,
  type PathConfig,
  proxyGlobal,
  renderConfig,
  RETRY_IDEMPOTENT,
  type Section,
} from './path-config.ts';
import { HEED_LEAVING, type Range, renderLeaving } from './elastic-config.ts';
import { LATENCY_TABLE, TIME_ANSWERS } from './latency-config.ts';
import { checkLines, type CheckedService, elasticLines, renderWaiting } from './waiting-config.ts';

/** A service of an app, as its data path sees it. */
export interface PathService {
  readonly name: string;
  readonly port: number;
  readonly replicas: number | Range;
  readonly health: Health;
}

/** An app's data path: which instances there are, which of its services the world reaches, how long it drains. */
export interface AppPath {
  readonly generation: string;
  readonly colour: 'blue' | 'green';
  readonly entry: string;
  readonly services: readonly PathService[];
  readonly drainLimitMs: number;
}

/**
 * Renders an app's data path, which listens on 8080 in the app's path sandbox and believes the core's PROXY v2.
 * Pure. Throws where validation let something through that it should not have.
 */
export function renderAppPath(path: AppPath): PathConfig {
  const entry = path.services.find(({ name }) => name === path.entry);
  if (entry === undefined) throw new Error(`datapath: no service is called ${JSON.stringify(path.entry)}`);
  const isElastic = (service: PathService): boolean => typeof service.replicas !== 'number';
  return {
    ...(path.services.some(isElastic) && { leaving: renderLeaving(path.drainLimitMs) }),
    waiting: renderWaiting(path.services.map((service) => checked(service, path.colour))),
    proxy: renderConfig([
      proxyGlobal({ generation: path.generation, maxFiles: 20_000, drainLimitMs: path.drainLimitMs, byAddress: isElastic(entry) }),
      DEFAULTS,
      frontend(path.generation),
      backend(checked(entry, path.colour)),
      LATENCY_TABLE,
    ]),
  };
}

const DEFAULTS: Section = {
  header: 'defaults',
  lines: [
    'mode http',
    // Without it a proxy that drains closes idle connections while the next request is on its way.
    'option idle-close-on-response',
    ...PROBE_SILENT_PEERS,
    'option redispatch 1',
    // Also how long a refused connection waits for its next try where one server is left: a whole second would be seen.
    'timeout connect 300ms',
    'retries 4',
    'retry-on conn-failure empty-response',
    'timeout queue 5s',
    'timeout http-request 10s',
    'timeout http-keep-alive 30s',
    'timeout client 60s',
    'timeout server 60s',
    'timeout client-fin 10s',
    'timeout tunnel 1h',
    'timeout check 2s',
    'default-server check inter 1s fastinter 200ms downinter 500ms rise 1 fall 3',
  ],
};

function frontend(generation: string): Section {
  return {
    header: 'frontend app',
    lines: [
      'bind :8080 accept-proxy',
      // Only the generation that was asked for answers at a preview address.
      `http-request return status 404 content-type application/json string '{"error":"this generation is not held"}' if { req.hdr(${PREVIEW_HEADER}) -m found } !{ req.hdr(${PREVIEW_HEADER}) ${generation.slice(0, 12)} }`,
      `http-request del-header ${PREVIEW_HEADER}`,
      ...TIME_ANSWERS,
      `http-request set-header x-changeless-generation ${generation}`,
      // Set, not appended: what the client claims is not known to be true.
      'http-request set-header x-forwarded-for %[src]',
      'http-request set-header x-forwarded-proto http',
      RETRY_IDEMPOTENT,
      'default_backend entry',
    ],
  };
}

function backend(service: CheckedService): Section {
  return {
    header: 'backend entry',
    lines: [
      ...checkLines(service.health, service.name),
      ...service.servers.map(({ name, address }) => `server ${name} ${address}:${service.port} ${FOLLOW_NAME}`),
      ...elasticLines(service, `${HEED_LEAVING} ${FOLLOW_NAME}`),
    ],
  };
}

/** A name is unique to a colour: the same alias on two networks would silently resolve to one. */
function checked(service: PathService, colour: AppPath['colour']): CheckedService {
  const { replicas, health } = service;
  const name = assertDnsLabel(service.name);
  const common = { name, port: assertPort(service.port), health };
  if (typeof replicas !== 'number') {
    const max = assertWhole(replicas.max, 1, 1_000);
    return { ...common, servers: [], elastic: { min: assertWhole(replicas.min, 1, max), max, address: `${name}.${colour}` } };
  }
  const names = Array.from({ length: assertWhole(replicas, 1, 1_000) }, (_, index) => `${name}-${index + 1}`);
  return { ...common, servers: names.map((each) => ({ name: each, address: `${each}.${colour}` })) };
}
