import type { Access, Match, Policy, RateLimit } from '../policy.ts';
import { assertWhole, type Section } from './path-config.ts';
import { type Condition, renderMatch, sorted, sourceCondition } from './policy-match.ts';
import type { OrderedRoute } from './policy-routes.ts';
import { mark, refusal, refuseLine, type Rule } from './policy-rule.ts';
import { quote } from './quote.ts';

/** All rules that let a request no further, in the order in which they are asked: who is refused by one is not counted by the next. */
export const refusals = (policy: Policy, routes: readonly OrderedRoute[], http2: boolean): Rule[] => [
  ...sorted(policy.patches).map(([name, matches]) => patch(name, matches)),
  ...(policy.access ?? []).map(accessRule),
  ...maintenance(policy.maintenance),
  ...bodyLimits(policy, routes, http2),
  ...sorted(policy.rateLimits).map(([name, limit]) => rateRule(name, limit)),
];

function patch(name: string, matches: readonly Match[]): Rule {
  const rendered = matches.map((match, index) => renderMatch(`patch-${name}-${index}`, match, 'restricting'));
  return refusal({
    key: `policy patches ${name}`,
    name: `patch:${name}`,
    lines: rendered.flatMap(({ lines }) => lines),
    alternatives: rendered.map(({ names }) => names),
    answer: { status: 403, error: `refused by the virtual patch ${name}` },
  });
}

/** The first that fits decides. */
function accessRule({ action, match }: Access, index: number): Rule {
  const key = `policy access ${index}`;
  const id = `access-${index}`;
  if (action === 'allow') {
    const { lines, names } = renderMatch(id, match, 'permitting');
    return { lines: [mark(key), ...lines, `http-request set-var(txn.allowed) bool(true) if !refused ${names.join(' ')}`] };
  }
  const { lines, names } = renderMatch(id, match, 'restricting');
  return refusal({
    key,
    name: `access:${index}`,
    lines,
    alternatives: [['!{ var(txn.allowed) -m found }', ...names]],
    answer: { status: 403, error: 'access is denied' },
  });
}

function maintenance(page: Policy['maintenance']): Rule[] {
  if (page === undefined) return [];
  const name = 'maintenance';
  const exempt = page.except.length > 0 ? sourceCondition('maintenance-except', page.except) : { lines: [], names: [] };
  const retryAfter = assertWhole(page.retryAfterSeconds, 1, 86_400);
  return [
    {
      name,
      lines: [
        mark('policy maintenance'),
        ...exempt.lines,
        refuseLine(
          name,
          exempt.names.map((each) => `!${each}`),
        ),
      ],
      answer: `return status 503 content-type ${quote(page.contentType)} hdr cache-control no-store hdr retry-after ${retryAfter} string ${quote(page.body)}`,
    },
  ];
}

/** In HTTP/2 a body need not say its length, nor that there is one: whether one comes is known by its first byte. What upgrades has none. */
const UNSAID = ['{ fc_http_major 2 }', '!{ req.hdr(content-length) -m found }', '!{ req.hdr(upgrade) -m found }'];
const WAIT_FOR_UNSAID = `http-request wait-for-body time 10s at-least 1 if !refused ${UNSAID.join(' ')}`;

/** A route's own limit stands in place of the app's. */
function bodyLimits({ bodyLimitBytes }: Policy, routes: readonly OrderedRoute[], http2: boolean): Rule[] {
  const own = routes.filter(({ route }) => route.bodyLimitBytes !== undefined);
  const limits = [
    ...own.map(({ route, index }) => ({
      id: `${index}`,
      bytes: route.bodyLimitBytes,
      key: `policy routes ${index} bodyLimit`,
      condition: isRoute(index),
    })),
    { id: 'app', bytes: bodyLimitBytes, key: 'policy bodyLimit', condition: own.map(({ index }) => `!${isRoute(index)}`).join(' ') },
  ];
  return limits.flatMap(({ id, bytes, key, condition }) => {
    if (bytes === undefined) return [];
    const limit = assertWhole(bytes, 1, Number.MAX_SAFE_INTEGER);
    const too = { lines: [`acl body-${id}-long req.hdr_val(content-length) gt ${limit}`], names: [`body-${id}-long`, condition] };
    // How long it is would be known only when it has gone through.
    const unknown = { lines: [`acl body-${id}-unknown req.hdr(transfer-encoding) -m found`], names: [`body-${id}-unknown`, condition] };
    return [
      refusal({
        key,
        name: `body:${id}`,
        lines: too.lines,
        alternatives: [too.names],
        answer: 'lua.refuse-body',
      }),
      refusal({
        key,
        name: `length:${id}`,
        lines: [...unknown.lines, ...(http2 ? [WAIT_FOR_UNSAID] : [])],
        alternatives: [unknown.names, ...(http2 ? [[...UNSAID, '{ req.body_len gt 0 }', condition]] : [])],
        answer: { status: 411, error: 'a body has to say its length' },
      }),
    ];
  });
}

/** A condition that is so where the request takes this route. */
export const isRoute = (index: number): string => `{ var(txn.route) -m int ${index} }`;

/** `burst` requests in as long as the average lets through so many. */
const windowMs = ({ requests, periodMs, burst }: RateLimit): number => Math.max(1, Math.ceil((periodMs * burst) / requests));

const tableOf = (name: string): string => `rate-${name}`;

/** The requests that a limit is for. */
const rateMatch = (name: string, limit: RateLimit): Condition => renderMatch(tableOf(name), limit.for ?? {}, 'restricting');

function rateRule(name: string, limit: RateLimit): Rule {
  const table = tableOf(name);
  const { lines, names } = rateMatch(name, limit);
  return refusal({
    key: `policy rateLimits ${name}`,
    name: `rate:${name}`,
    lines: [...lines, `acl ${table}-full src_gpc0_rate(${table}) ge ${assertWhole(limit.burst, 1, 1_000_000)}`],
    alternatives: [[...names, `${table}-full`]],
    answer: { status: 429, error: `more requests than ${name} allows`, retryAfterSeconds: Math.ceil(windowMs(limit) / 1000) },
  });
}

/** Only what is let on counts: who is refused and goes on asking is not refused for longer. */
export const countLines = ({ rateLimits }: Policy): string[] =>
  sorted(rateLimits).map(([name, limit]) => {
    const { names } = rateMatch(name, limit);
    const condition = names.length > 0 ? ` if ${names.join(' ')}` : '';
    return `http-request set-var(txn.counted) src_inc_gpc0(${tableOf(name)})${condition}`;
  });

/** One for each rate limit; an address that is seen no more is forgotten. */
export const rateTables = ({ rateLimits }: Policy): Section[] =>
  sorted(rateLimits).map(([name, limit]) => {
    const window = assertWhole(windowMs(limit), 1, 2_147_483_647);
    return {
      header: `backend ${tableOf(name)}`,
      lines: [mark(`policy rateLimits ${name}`), `stick-table type ipv6 size 20k expire ${window}ms store gpc0,gpc0_rate(${window}ms)`],
    };
  });
