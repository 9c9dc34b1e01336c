import { timeLimits, type HeaderPolicy, type Headers, type Policy, type TimeLimit } from '../policy.ts';
import { assertWhole, PREVIEW_HEADER, type Section } from './path-config.ts';
import { COUNT_OWN } from './latency-config.ts';
import { assertHeaderName, sorted } from './policy-match.ts';
import { countLines, isRoute, rateTables, refusals } from './policy-refusals.ts';
import { namesPath, PATH_RULE } from './policy-path.ts';
import { type OrderedRoute, orderRoutes, redirectLines, routeLines, routeName } from './policy-routes.ts';
import { answerLines, mark } from './policy-rule.ts';
import { quote, quoteFormat } from './quote.ts';

/** A policy's lines in the frontend, in the order in which they are gone through, and the tables they count in. */
export interface PolicyConfig {
  readonly before: readonly string[];
  readonly deciding: readonly string[];
  readonly handling: readonly string[];
  /** Which service takes the request. */
  readonly routing: readonly string[];
  readonly tables: readonly Section[];
  /** Lua that they need. */
  readonly libraries: readonly string[];
  /** What routes are called, in the order in which they were written, and rules that refuse. */
  readonly routes: readonly string[];
  readonly rules: readonly string[];
}

/** Where `measures.lua` finds how many requests each rule refused. */
const REFUSED_TABLE: Section = { header: 'backend refused', lines: ['stick-table type string len 96 size 1k store gpc0'] };

/** The host a request is for, also where a generation is looked at: before what tells so is taken away. */
const HOST_LINES: readonly string[] = [
  'http-request set-var(txn.host) req.hdr(host),field(1,:),lower',
  `http-request set-var(txn.host) var(txn.host),regsub(^[0-9a-f]{12}[.],) if { req.hdr(${PREVIEW_HEADER}) -m found }`,
];

/**
 * The lines of a policy. `backendOf`: the name of a service's backend; `http2`: whether clients may speak it. Pure. Throws where validation let something through that it
 * should not have.
 */
export function renderPolicy(policy: Policy, { backendOf, http2 }: { backendOf: Backends; http2: boolean }): PolicyConfig {
  const routes = orderRoutes(policy.routes ?? []);
  const first = namesPath(policy) ? [PATH_RULE] : [];
  const rules = refusals(policy, routes, http2);
  const refuses = first.length + rules.length > 0;
  const deciding = [
    ...(refuses ? ['acl refused var(txn.refused) -m found'] : []),
    ...first.flatMap(({ lines }) => lines),
    ...routeLines(routes),
    ...COUNT_OWN,
    ...rules.flatMap(({ lines }) => lines),
    ...(refuses ? answerLines([...first, ...rules]) : []),
    ...countLines(policy),
    ...redirectLines(policy.redirects ?? []),
    ...bodyTimeLines(policy.timeouts),
  ];
  const says = (word: string): boolean => deciding.some((line) => line.includes(word));
  return {
    before: says('var(txn.host)') ? HOST_LINES : [],
    deciding,
    handling: [
      ...headerLines(policy.headers, 'policy', ''),
      ...routes.flatMap(({ route, index }) => headerLines(route.headers, `policy routes ${index}`, ` if ${isRoute(index)}`)),
      ...compressionLines(policy.compression),
    ],
    routing: useLines(routes, backendOf),
    tables: [...(refuses ? [REFUSED_TABLE] : []), ...rateTables(policy)],
    routes: (policy.routes ?? []).map(routeName),
    rules: [...first, ...rules].flatMap(({ name }) => name ?? []),
    libraries: ['parameter', 'refuse-body'].filter((name) => says(`lua.${name}`)).map((name) => `${name}.lua`),
  };
}

type Backends = (service: string) => string;

const useLines = (routes: readonly OrderedRoute[], backendOf: Backends): string[] =>
  routes.map(({ route, index }) => `use_backend ${backendOf(route.service)} if ${isRoute(index)}`);

/** The lines that find the service for what stages have let pass: which route it takes follows from what they made of it. */
export function renderRouting({ routes: written = [] }: Policy, backendOf: Backends): string[] {
  if (written.length === 0) return [];
  const routes = orderRoutes(written);
  const first = namesPath({ routes: written }) ? [PATH_RULE] : [];
  const refused = 'acl refused var(txn.refused) -m found';
  const deciding = [
    ...first.flatMap(({ lines }) => [refused, ...lines]),
    ...routeLines(routes),
    ...(first.length > 0 ? answerLines(first) : []),
  ];
  const before = deciding.some((line) => line.includes('var(txn.host)')) ? HOST_LINES : [];
  return [...before, ...deciding, ...useLines(routes, backendOf)];
}

/** Lines with what a policy says of times and retries in place of their own, for HAProxy wants to be told once. */
export function withPolicy(lines: readonly string[], { timeouts = {}, retries }: Policy): string[] {
  const times = timeLimits.flatMap((limit): [keyword: string, value: string, key: string][] => {
    const [timeMs, name] = [timeouts[limit], timeoutNames[limit]];
    return timeMs === undefined || name === undefined
      ? []
      : [[`timeout ${name}`, `${assertWhole(timeMs, 1, 86_400_000)}ms`, `timeouts ${limit}`]];
  });
  const tries: [string, string, string][] = retries
    ? [
        ['retries', `${assertWhole(retries.attempts, 0, 10)}`, 'retries attempts'],
        ['retry-on', ['conn-failure', ...retries.on].join(' '), 'retries on'],
      ]
    : [];
  return [...times, ...tries].reduce<string[]>(
    (all, [keyword, value, key]) =>
      all.flatMap((line) => (line.startsWith(`${keyword} `) ? [mark(`policy ${key}`), `${keyword} ${value}`] : [line])),
    [...lines],
  );
}

const timeoutNames: Readonly<Partial<Record<TimeLimit, string>>> = {
  headersMs: 'http-request',
  responseMs: 'server',
  idleMs: 'http-keep-alive',
  tunnelMs: 'tunnel',
};

function headerLines(headers: HeaderPolicy | undefined, key: string, condition: string): string[] {
  // Answers of the data path itself are answers, too.
  const kinds = [
    ['request', 'http-request'],
    ['response', 'http-after-response'],
  ] as const;
  return kinds.flatMap(([kind, rule]) => {
    const changes = headers?.[kind];
    return changes ? [mark(`${key} headers ${kind}`), ...changeLines(changes).map((change) => `${rule} ${change}${condition}`)] : [];
  });
}

const changeLines = ({ remove, set, add }: Headers): string[] => [
  ...remove.map((name) => `del-header ${assertHeaderName(name)}`),
  ...sorted(set).map(([name, value]) => `set-header ${assertHeaderName(name)} ${quoteFormat(value)}`),
  ...sorted(add).map(([name, value]) => `add-header ${assertHeaderName(name)} ${quoteFormat(value)}`),
];

/** HAProxy's own limit on a client's silence does not end a body that stops coming. */
function bodyTimeLines({ requestMs }: Policy['timeouts'] = {}): string[] {
  return requestMs === undefined
    ? []
    : [mark('policy timeouts requestMs'), `http-request wait-for-body time ${assertWhole(requestMs, 1, 600_000)}ms`];
}

const compressionLines = (compression: Policy['compression']): string[] =>
  compression === undefined
    ? []
    : [mark('policy compression'), 'compression algo gzip', `compression type ${compression.types.map(quote).join(' ')}`];
