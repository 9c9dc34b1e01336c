import { metricsPort } from '../metrics-port.ts';
import { assertDnsLabel, assertDnsName, type Section } from './path-config.ts';
import { quote } from './quote.ts';

const COMMON: readonly string[] = [
  'mode http',
  `bind :${metricsPort}`,
  // A connection that is kept would hold a proxy that drains.
  'option httpclose',
  'timeout client 10s',
  'timeout http-request 10s',
];

const nothingElse = `http-request return status 404 content-type application/json string '{"error":"nothing is measured here"}'`;

/** Where a data path says what it counts, in Prometheus' text format. */
export const PATH_METRICS: Section = {
  header: 'frontend metrics',
  lines: [...COMMON, 'http-request use-service lua.metrics if { path /metrics }', nothingElse],
};

/**
 * Where the core says what it counts and what there is to be asked for, and passes on to each app's data path. An app's address is
 * looked for only then, as that of one which is held for a look.
 */
export function coreMetrics(apps: readonly string[]): Section[] {
  return [
    {
      header: 'frontend metrics',
      lines: [
        ...COMMON,
        ...apps.map((app) => `acl app path -m str /apps/${assertDnsLabel(app)}`),
        'http-request use-service lua.metrics if { path /core }',
        'http-request use-service lua.targets if { path /targets }',
        ...(apps.length > 0 ? ['use_backend app-metrics if app'] : []),
        nothingElse.replace(/$/, apps.length > 0 ? ' unless app' : ''),
      ],
    },
    ...(apps.length > 0 ? [APP_METRICS] : []),
  ];
}

const APP_METRICS: Section = {
  header: 'backend app-metrics',
  lines: [
    'mode http',
    'timeout connect 500ms',
    'timeout server 10s',
    'http-request set-var(txn.name) path,field(3,/)',
    'http-request set-var(txn.name) var(txn.name),concat(.path)',
    'http-request do-resolve(txn.address,platform,ipv4) var(txn.name)',
    `http-request return status 503 content-type application/json string '{"error":"the app has no data path"}' unless { var(txn.address) -m found }`,
    'http-request set-dst var(txn.address)',
    'http-request set-path /metrics',
    `server path 0.0.0.0:${metricsPort}`,
  ],
};

/** Names under which what is counted is known: of whom, by which routes and rules. */
export interface Counted {
  readonly generation: string;
  readonly app?: string;
  readonly entry?: string;
  /** In the order of their numbers in `txn.route`. */
  readonly routes?: readonly string[];
  readonly rules?: readonly string[];
}

/** What `counts.lua` and `metrics.lua` know by the environment, because a file of lua-load gets no arguments in HAProxy 2.6. */
export const countedNames = ({ generation, app, entry, routes = [], rules = [] }: Counted): readonly string[] => [
  `setenv CHANGELESS_GENERATION ${generation}`,
  ...(app === undefined ? [] : [`setenv CHANGELESS_APP ${assertDnsLabel(app)}`]),
  ...(entry === undefined ? [] : [`setenv CHANGELESS_ENTRY ${assertDnsLabel(entry)}`]),
  ...routes.map((name, index) => `setenv CHANGELESS_ROUTE_${index} ${quote(name)}`),
  ...(rules.length > 0 ? [`setenv CHANGELESS_RULES ${quote(rules.join())}`] : []),
];

/** The apps whose data paths `targets` lists. */
export const targetNames = (apps: readonly string[]): readonly string[] =>
  apps.length > 0 ? [`setenv CHANGELESS_APPS ${apps.map(assertDnsName).join()}`] : [];
