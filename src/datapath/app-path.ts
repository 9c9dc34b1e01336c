import { idempotentMethods, type Policy } from '../policy.ts';
import { AGE_LINES, certificateTrial, type PathTls, tlsBind, tlsLines, withIdleEnd } from './app-tls.ts';
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
  retryOnly,
  type Section,
} from './path-config.ts';
import { HEED_LEAVING, type Range, renderLeaving } from './elastic-config.ts';
import { appLogLines, serviceLine } from './access-log.ts';
import { askedHost, type Origin, originLines, originOptions, renderWayOut } from './elsewhere-config.ts';
import { COUNT_OWN, LATENCY_TABLE, OWN_TABLE, TIME_ANSWERS } from './latency-config.ts';
import { countedNames, PATH_METRICS } from './metrics-config.ts';
import { type PolicyConfig, renderPolicy, withPolicy } from './policy-config.ts';
import { ENTER_STAGES, type Stage, stagePatience, WAY_BACK_LIBRARY, waysBack } from './stage-config.ts';
import { STRICT_DEFAULTS, STRICT_LINES } from './strict-config.ts';
import { checkLines, type CheckedService, elasticLines, renderWaiting, serverLines } from './waiting-config.ts';

/** A service of an app, as its data path sees it. */
export interface PathService {
  readonly name: string;
  readonly port: number;
  readonly replicas: number | Range;
  readonly health: Health;
}

/** An app's data path: which instances there are, which of its services the world reaches, how long it drains. */
export interface AppPath {
  readonly app: string;
  readonly generation: string;
  readonly colour: 'blue' | 'green';
  readonly entry: string;
  readonly services: readonly PathService[];
  readonly drainLimitMs: number;
  readonly policy?: Policy;
  readonly tls?: PathTls | undefined;
  /** What requests pass through on their way to the entry and the routes' services. */
  readonly stages?: readonly Stage[];
  /** Where the entry leads, which then is the way out to there. */
  readonly elsewhere?: Origin;
}

/**
 * Renders an app's data path, which listens on 8080 (and with TLS on 8443) in the app's path sandbox and believes the core's PROXY v2.
 * Pure. Throws where validation let something through that it should not have.
 */
export function renderAppPath(path: AppPath): PathConfig {
  const { policy = {}, stages = [], elsewhere } = path;
  const stageNames = new Set(stages.map(({ service }) => service));
  const reached = [path.entry, ...otherServices(path)].map((name) => serviceOf(path, name));
  const backends = (name: string): string => backendOf(path, name);
  const isElastic = (service: PathService): boolean => typeof service.replicas !== 'number';
  const rendered = path.policy && renderPolicy(policy, { backendOf: backends, http2: path.tls !== undefined });
  const libraries = [...(rendered?.libraries ?? []), ...(stages.length > 0 ? [WAY_BACK_LIBRARY] : [])];
  return {
    ...(path.services.some(isElastic) && { leaving: renderLeaving(path.drainLimitMs) }),
    ...(elsewhere && { wayOut: renderWayOut(elsewhere) }),
    waiting: renderWaiting(
      path.services.map((service) => checked(service, path)),
      path.tls && [certificateTrial(path.tls)],
    ),
    proxy: renderConfig([
      proxyGlobal({
        generation: path.generation,
        maxFiles: 20_000,
        drainLimitMs: path.drainLimitMs,
        keepsListening: stages.length > 0,
        elastic: reached.filter(isElastic).map(({ name }) => backends(name)),
        names: countedNames({ ...path, ...rendered }),
        libraries,
      }),
      { ...DEFAULTS, lines: defaultLines(path) },
      frontend(path, rendered),
      PATH_METRICS,
      ...waysBack(stages, { generation: path.generation, policy, backendOf: backends }),
      ...reached.map((service) =>
        backend(backends(service.name), checked(service, path), [
          ...(stageNames.has(service.name) ? stagePatience(policy) : []),
          ...(elsewhere && service.name === path.entry ? originLines(elsewhere) : []),
        ]),
      ),
      ...(rendered?.tables ?? []),
      LATENCY_TABLE,
      OWN_TABLE,
    ]),
  };
}

function defaultLines({ policy = {}, tls, drainLimitMs }: AppPath): string[] {
  const lines = withPolicy(DEFAULTS.lines, policy);
  return tls ? withIdleEnd(lines, drainLimitMs) : lines;
}

/** Services besides the entry that requests come to: stages, and where they are routed to. Each once. */
function otherServices({ entry, policy, stages = [] }: AppPath): string[] {
  const routed = (policy?.routes ?? []).map(({ service }) => service);
  return [...new Set([...routed, ...stages.map(({ service }) => service)])].filter((name) => name !== entry).toSorted();
}

function serviceOf({ services }: AppPath, name: string): PathService {
  const found = services.find((service) => service.name === name);
  if (found === undefined) throw new Error(`datapath: no service is called ${JSON.stringify(name)}`);
  return found;
}

const backendOf = ({ entry }: AppPath, service: string): string => (service === entry ? 'entry' : `service-${assertDnsLabel(service)}`);

const DEFAULTS: Section = {
  header: 'defaults',
  lines: [
    'mode http',
    // Without it a proxy that drains closes idle connections while the next request is on its way.
    'option idle-close-on-response',
    ...STRICT_DEFAULTS,
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

function frontend(path: AppPath, rendered?: PolicyConfig): Section {
  const { generation, policy = {}, tls, stages: [first] = [] } = path;
  return {
    header: 'frontend app',
    lines: [
      'bind :8080 accept-proxy',
      ...(tls ? [tlsBind(tls), ...AGE_LINES] : []),
      ...appLogLines({ kept: policy.accessLog, hasTls: tls !== undefined }),
      ...STRICT_LINES,
      ...(tls ? tlsLines(tls) : []),
      // Only the generation that was asked for answers at a preview address.
      `http-request return status 404 content-type application/json string '{"error":"this generation is not held"}' if { req.hdr(${PREVIEW_HEADER}) -m found } !{ req.hdr(${PREVIEW_HEADER}) ${generation.slice(0, 12)} }`,
      ...(rendered?.before ?? []),
      `http-request del-header ${PREVIEW_HEADER}`,
      ...(rendered?.deciding ?? COUNT_OWN),
      ...TIME_ANSWERS,
      `http-request set-header x-changeless-generation ${generation}`,
      // Set, not appended: what the client claims is not known to be true.
      'http-request set-header x-forwarded-for %[src]',
      'http-request set-header x-forwarded-proto http',
      ...(tls ? ['http-request set-header x-forwarded-proto https if { ssl_fc }'] : []),
      retryOnly(policy.retries?.methods ?? idempotentMethods),
      ...(rendered?.handling ?? []),
      ...(first ? ENTER_STAGES : (rendered?.routing ?? [])),
      `default_backend ${first ? backendOf(path, first.service) : 'entry'}`,
    ],
  };
}

function backend(name: string, service: CheckedService, more: readonly string[]): Section {
  return {
    header: `backend ${name}`,
    lines: [
      serviceLine(service.name),
      ...more,
      ...checkLines(service.health, service.host ?? service.name),
      ...serverLines(service),
      ...elasticLines(service, `${HEED_LEAVING} ${FOLLOW_NAME}`),
    ],
  };
}

/** A name is unique to a colour: the same alias on two networks would silently resolve to one. */
function checked(service: PathService, { colour, entry, elsewhere }: AppPath): CheckedService {
  const { replicas, health } = service;
  const name = assertDnsLabel(service.name);
  const origin = elsewhere && name === entry ? { host: askedHost(elsewhere), options: originOptions(elsewhere) } : {};
  const common = { name, port: assertPort(service.port), health, ...origin };
  if (typeof replicas !== 'number') {
    const max = assertWhole(replicas.max, 1, 1_000);
    return { ...common, servers: [], elastic: { min: assertWhole(replicas.min, 1, max), max, address: `${name}.${colour}` } };
  }
  const names = Array.from({ length: assertWhole(replicas, 1, 1_000) }, (_, index) => `${name}-${index + 1}`);
  return { ...common, servers: names.map((each) => ({ name: each, address: `${each}.${colour}` })) };
}
