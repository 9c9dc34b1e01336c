import type { AccessLog } from '../policy.ts';

/**
 * The longest line: a pipe takes so much in one piece or, when it is full, not at all, so lines are dropped (and counted) but never
 * torn. What clients choose is cut short so that it fits, also where each byte is written as six.
 */
const MOST_BYTES = 4_095;

const text = (expression: string): string => `"%[${expression}]"`;

/** Whatever bytes a client sent, as the inside of a JSON string; those that are no UTF-8 are left out. */
const said = (variable: string, mostBytes: number): string => text(`var(txn.${variable}),bytes(0,${mostBytes}),json(utf8s)`);

/** RFC 3339, in UTC, of an expression that gives milliseconds. `lower` makes text of the number, of which the first digit goes. */
const time = (expression: string): string =>
  `"%[${expression},div(1000),utime(%Y-%m-%dT%H:%M:%S)].%[${expression},mod(1000),add(1000),lower,bytes(1)]Z"`;

type Members = { readonly [name: string]: string | Members };

const json = (members: Members): string =>
  `{${Object.entries(members)
    .map(([name, value]) => `"${name}":${typeof value === 'string' ? value : json(value)}`)
    .join()}}`;

const request: Members = {
  client: '"%ci"',
  method: said('method', 16),
  host: said('asked_host', 200),
  // Without the query: clients put tokens, keys and addresses there.
  path: said('asked', 700),
  status: '%ST',
};

/** `ms`: all of it, then its parts in their order; a part that was not come to is -1. `ended`: HAProxy's two letters for how. */
const outcome: Members = {
  // HAProxy marks with a plus that another one was tried.
  retries: '%[var(txn.tries,0),ltrim(+)]',
  bytes: { received: '%U', sent: '%B' },
  ms: { total: '%Ta', request: '%TR', queue: '%Tw', connect: '%Tc', answer: '%Tr', transfer: '%Td' },
  ended: '"%ts"',
};

const CAME = time('var(txn.came)');

const appLine = (hasTls: boolean): string =>
  json({
    at: CAME,
    id: '"%ID"',
    ...request,
    // Already as the inside of a JSON string.
    route: text('var(txn.way,/)'),
    service: text('var(txn.service)'),
    instance: text('srv_name'),
    address: '"%si"',
    refused: text('var(txn.refused)'),
    ...outcome,
    ...(hasTls && { tls: text('ssl_fc_protocol') }),
  });

const CORE_LINE = json({ at: CAME, ...request, app: text('srv_name'), ...outcome });

/** What came to no request: bytes that are none, or a handshake that failed. */
const brokenLine = (hasTls: boolean): string =>
  json({ at: time('date(0,ms)'), client: '"%ci"', status: '%ST', ...(hasTls && { error: text('ssl_fc_err_str') }), ended: '"%ts"' });

/**
 * One line for each request, when it is over, on standard output. Of what HAProxy itself has to say of a frontend nothing is as bad
 * as an error, so only requests, which are all called errors here, are in this log.
 */
const output = (line: string, hasTls = false): string[] => [
  `log stdout len ${MOST_BYTES} format raw local0 err`,
  'option log-separate-errors',
  'option dontlognull',
  `log-format '${line}'`,
  `error-log-format '${brokenLine(hasTls)}'`,
];

const REMEMBER: readonly string[] = [
  'http-request set-log-level err',
  'http-request set-var(txn.came) date(0,ms)',
  'http-request set-var(txn.method) method',
  'http-request set-var(txn.asked_host) req.hdr(host)',
  'http-request set-var(txn.asked) path',
  'http-after-response set-var-fmt(txn.tries) %rc',
];

/** The header by which an app and a client get a request's id. */
export const REQUEST_ID_HEADER = 'x-request-id';

/**
 * A request's id is made at the app's data path, which sees every request of the app, and told to the service and to the client. What
 * a client claims takes no part: anyone could give two requests one id, or put into logs what is none.
 */
const IDENTIFY: readonly string[] = [
  `http-request set-header ${REQUEST_ID_HEADER} %[unique-id]`,
  `http-after-response set-header ${REQUEST_ID_HEADER} %[unique-id]`,
];

/** Lines that stand before all others that look at a request of an app. */
export function appLogLines({ kept = 'all', hasTls }: { kept: AccessLog | undefined; hasTls: boolean }): string[] {
  return [
    'unique-id-format %[uuid()]',
    ...(kept === 'none' ? [] : [...output(appLine(hasTls), hasTls), ...REMEMBER]),
    ...(kept === 'failures' ? ['http-response set-log-level silent if { status lt 500 }'] : []),
    ...IDENTIFY,
  ];
}

/** The same for the core, which logs what no app's data path has answered: that one has it in its own log. */
export const CORE_LOG_LINES: readonly string[] = [...output(CORE_LINE), ...REMEMBER, 'http-response set-log-level silent'];

/** In a backend: whose instances answer. */
export const serviceLine = (service: string): string => `http-request set-var(txn.service) str(${service})`;
