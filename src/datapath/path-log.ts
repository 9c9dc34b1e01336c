/** A server whose check does not pass. `check` is HAProxy's word for how far it came, or `DNS`. */
export interface FailingCheck {
  readonly server: string;
  /** What the check asks: `GET /healthz expecting 200`, `connect to port 5432`. */
  readonly asked: string;
  readonly check: string;
  /** The status that was answered, where one was. */
  readonly code?: number;
  readonly detail: string;
}

/** Answers by status class, the proxy's own included, and what instances took until theirs began; left out where none answered. */
export interface AnswerMeasures {
  readonly answers: Readonly<Record<StatusClass, number>>;
  readonly latencyMs?: { readonly p50: number; readonly p95: number; readonly p99: number };
}

/**
 * What went through a data path in the `spanMs` before it said so; a line that is said again has the `number` of the first. `open`,
 * `queue`, `inFlight`: now. `retries`, `redispatches`, `refused`: all since it serves, for not every line is read.
 */
export interface PathMeasures extends AnswerMeasures {
  readonly number: number;
  readonly spanMs: number;
  readonly requests: number;
  /** By host and path of the policy's routes, those that had answers; `/` is what no route takes. Left out where there are none. */
  readonly routes?: Readonly<Record<string, AnswerMeasures>>;
  /** Tries after the first with the same instance, and with another. */
  readonly retries: number;
  readonly redispatches: number;
  /** How many requests each rule of the app's policy refused: `patch:CVE-2026-1234`, `rate:login`. Left out where none did. */
  readonly refused?: Readonly<Record<string, number>>;
  /** Connections that were accepted, and those that are open. */
  readonly connections: number;
  readonly open: number;
  /** Requests (of a store: connections) that wait for an instance. */
  readonly queue: number;
  /** By name: `api-1`; of the core, apps; by address where instances come and go. One that has no address is not among them. */
  readonly servers: Readonly<Record<string, ServerMeasures>>;
}

export interface ServerMeasures {
  /** Requests, or connections of a store, that it has. */
  readonly inFlight: number;
  /** `draining`: it finishes what it has and gets nothing new. */
  readonly state: 'up' | 'down' | 'draining';
}

const statusClasses = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const;

export type StatusClass = (typeof statusClasses)[number];

/** What a data path says about itself, in the order of its life: checking ⇄ healthy → (holding) → serving → draining. */
export type PathReport =
  | { readonly phase: 'checking'; readonly failing: readonly FailingCheck[] }
  | { readonly phase: 'healthy' }
  | { readonly phase: 'holding' }
  | { readonly phase: 'serving'; readonly measures?: PathMeasures }
  | {
      readonly phase: 'draining';
      /** Connections that still hold it. */
      readonly connections?: number;
      /** Connections that were cut at the drain limit. */
      readonly cut?: number;
    };

/** Reads one line of a data path's log. Undefined for everything that is not a report: HAProxy's own messages. */
export function parsePathLine(line: string): PathReport | undefined {
  return parseCut(line) ?? parseReport(parseObject(line));
}

/** HAProxy 2.6 says how many it cuts, for each frontend, only in words. What comes back from a stage is one of the front's. */
function parseCut(line: string): PathReport | undefined {
  const cut = /: Proxy (?!after-)\S+ hard-stopped \((\d+) remaining conns will be closed\)/.exec(line)?.[1];
  return cut === undefined ? undefined : { phase: 'draining', cut: Number(cut) };
}

function parseReport(report: Fields): PathReport | undefined {
  switch (report['changeless']) {
    case 'checking':
      return { phase: 'checking', failing: list(report['failing']).map(parseFailing) };
    case 'healthy':
    case 'holding':
      return { phase: report['changeless'] };
    case 'serving':
      return { phase: 'serving', ...(isFields(report['measures']) && { measures: parseMeasures(report['measures']) }) };
    case 'draining':
      return { phase: 'draining', ...numeric('connections', report) };
    default:
      return undefined;
  }
}

function parseFailing(value: unknown): FailingCheck {
  const fields = isFields(value) ? value : {};
  const text = (key: string): string => (typeof fields[key] === 'string' ? fields[key] : '');
  return {
    server: text('server'),
    asked: text('asked'),
    check: text('check'),
    ...numeric('code', fields),
    detail: text('detail'),
  };
}

function parseMeasures(fields: Fields): PathMeasures {
  const { routes, servers, refused } = fields;
  return {
    number: count(fields['number']),
    spanMs: count(fields['spanMs']),
    requests: count(fields['requests']),
    ...parseAnswers(fields),
    ...(isFields(routes) && {
      routes: Object.fromEntries(Object.entries(routes).map(([name, route]) => [name, parseAnswers(isFields(route) ? route : {})])),
    }),
    retries: count(fields['retries']),
    redispatches: count(fields['redispatches']),
    ...(isFields(refused) && { refused: Object.fromEntries(Object.entries(refused).map(([rule, number]) => [rule, count(number)])) }),
    connections: count(fields['connections']),
    open: count(fields['open']),
    queue: count(fields['queue']),
    servers: Object.fromEntries(Object.entries(isFields(servers) ? servers : {}).map(([name, server]) => [name, parseServer(server)])),
  };
}

function parseAnswers({ answers, latencyMs }: Fields): AnswerMeasures {
  const answered = isFields(answers) ? answers : {};
  return {
    answers: Object.fromEntries(statusClasses.map((name) => [name, count(answered[name])])) as Record<StatusClass, number>,
    ...(isFields(latencyMs) && {
      latencyMs: { p50: count(latencyMs['p50']), p95: count(latencyMs['p95']), p99: count(latencyMs['p99']) },
    }),
  };
}

function parseServer(value: unknown): ServerMeasures {
  const { inFlight, state } = isFields(value) ? value : {};
  return { inFlight: count(inFlight), state: state === 'up' || state === 'draining' ? state : 'down' };
}

const count = (value: unknown): number => (typeof value === 'number' ? value : 0);

type Fields = Readonly<Record<string, unknown>>;

/** Whether a line is a report, and not one of HAProxy's own messages. */
export const isReport = (line: string): boolean => line.startsWith('{"changeless":');

function parseObject(line: string): Fields {
  if (!isReport(line)) return {};
  try {
    const value: unknown = JSON.parse(line);
    return isFields(value) ? value : {};
  } catch {
    return {}; // Cut short by a proxy that was killed.
  }
}

function numeric<Key extends string>(key: Key, fields: Fields): { readonly [K in Key]?: number } {
  const value = fields[key];
  return typeof value === 'number' ? ({ [key]: value } as { readonly [K in Key]?: number }) : {};
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
