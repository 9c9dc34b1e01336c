import type { Match, Policy } from '../policy.ts';
import { quote } from './quote.ts';
import { type Rule, refusal } from './policy-rule.ts';

/** Whether any rule looks at the path: then there has to be one spelling of it. */
export function namesPath({ routes = [], redirects = [], access = [], patches = {}, rateLimits = {} }: Policy): boolean {
  const matches = [
    ...access.map(({ match }) => match),
    ...Object.values(patches).flat(),
    ...Object.values(rateLimits).map((limit) => limit.for),
  ];
  return (
    redirects.length > 0 || routes.some(({ path }) => path !== '/') || matches.some((match: Match | undefined) => match?.path !== undefined)
  );
}

/**
 * What one service would take for another path than the next one does: an encoded slash, backslash or control character; a dot
 * segment, also with a parameter behind it; an escape that is none; UTF-8 that is too long; a fragment. Clients that mean well send
 * none of it: browsers resolve dot segments themselves.
 */
const AMBIGUOUS = [String.raw`%(2f|5c|[01][0-9a-f]|7f|c[01]|e0%[89]|f0%8)`, '%(?![0-9a-f]{2})', String.raw`[\\#]`];

/** An escape of an escape, however that is spelt: a service that decodes twice would take it for something else. */
const ESCAPE = '%([0-9a-f]{2}|u[0-9a-f]{4})';

const DOT_SEGMENT = String.raw`/\.{1,2}(;[^/]*)?(/|$)`;

/** Refuses a path that can be understood in two ways. */
const refused: Rule = refusal({
  key: 'policy',
  name: 'ambiguous-path',
  lines: [
    ...AMBIGUOUS.map((pattern) => `acl ambiguous-path url,field(1,?) -m reg -i -- ${quote(pattern)}`),
    `acl ambiguous-path path,url_dec -m reg -i -- ${quote(ESCAPE)}`,
    `acl ambiguous-path path,url_dec -m reg -- ${quote(DOT_SEGMENT)}`,
  ],
  alternatives: [['ambiguous-path']],
  answer: { status: 400, error: 'the path can be understood in more than one way' },
});

/** Where a path that was decoded ends for some services; and blanks at a segment's end, which some cut off. */
const ENDS = [`${quote('[?#].*$')},`, `${quote(' +$')},`, `${quote(' +/')},/,g`, `${quote('//+')},/,g`];

/**
 * What rules compare: decoded, without parameters of segments, without doubled slashes; those that restrict, also without what some
 * services would cut off. A service gets the path as it was sent, but without doubled slashes, so that no service sees another path
 * than the rules did.
 */
export const PATH_RULE: Rule = {
  ...refused,
  lines: [
    ...refused.lines,
    `http-request set-var(txn.path) path,url_dec,regsub(;[^/]*,,g),regsub(//+,/,g)`,
    `http-request set-var(txn.shorter) var(txn.path)${ENDS.map((end) => `,regsub(${end})`).join('')}`,
    `http-request set-path %[path,regsub(//+,/,g)] if { path -m sub // }`,
  ],
};
