import { byCodeUnit } from '../canonical-json.ts';
import type { Match, PathMatch, TextMatch } from '../policy.ts';
import { quote } from './quote.ts';

/** Lines that say what is looked for, and the names of those that all have to be so. */
export interface Condition {
  readonly lines: readonly string[];
  readonly names: readonly string[];
}

/**
 * `restricting`: upper and lower case are one, because many services take them for one. `permitting`: as it is written.
 */
export type Purpose = 'restricting' | 'permitting';

const flagsOf = (purpose: Purpose): readonly string[] => (purpose === 'restricting' ? ['-i'] : []);

/**
 * A request's match. Text stands in lines of its own, never in an expression: there a word of it could be taken for the
 * expression's end. Pure.
 */
export function renderMatch(id: string, match: Match, purpose: Purpose): Condition {
  const flags = flagsOf(purpose);
  const parts: Condition[] = [
    ...(match.host ? [hostCondition(id, match.host)] : []),
    ...(match.path ? [pathCondition(id, match.path, purpose)] : []),
    ...(match.method
      ? [
          condition(
            `${id}-method`,
            match.method.map((method) => `method ${quote(method)}`),
          ),
        ]
      : []),
    ...(match.source ? [sourceCondition(id, match.source)] : []),
    ...sorted(match.header).map(([name, text], index) => headerCondition(`${id}-header-${index}`, name, { text, flags })),
    ...sorted(match.query).map(([name, text], index) => queryCondition(`${id}-query-${index}`, name, { text, flags })),
  ];
  return { lines: parts.flatMap(({ lines }) => lines), names: parts.flatMap(({ names }) => names) };
}

/** Requests to one of these hosts. */
export const hostCondition = (id: string, hosts: readonly string[]): Condition =>
  condition(
    `${id}-host`,
    hosts.map((host) => `var(txn.host) -m str -- ${quote(host)}`),
  );

/** Clients of these networks. */
export const sourceCondition = (id: string, networks: readonly string[]): Condition =>
  condition(
    `${id}-source`,
    networks.map((network) => `src ${quote(network)}`),
  );

/** Requests to one of these paths. */
export const pathCondition = (id: string, paths: readonly PathMatch[], purpose: Purpose): Condition =>
  condition(
    `${id}-path`,
    paths.flatMap((path) => pathTests(path, purpose)),
  );

function pathTests(path: PathMatch, purpose: Purpose): string[] {
  const variables = purpose === 'restricting' ? ['txn.path', 'txn.shorter'] : ['txn.path'];
  const test = (how: string, text: string): string[] =>
    variables.map((variable) => [`var(${variable}) -m`, how, ...flagsOf(purpose), '--', quote(text)].join(' '));
  if ('matches' in path) return test('reg', path.matches);
  if ('exact' in path) return test('str', path.exact);
  return path.under === '/' ? test('beg', '/') : [...test('str', path.under), ...test('beg', `${path.under}/`)];
}

type Text = { readonly text: TextMatch; readonly flags: readonly string[] };

function headerCondition(id: string, name: string, { text, flags }: Text): Condition {
  return condition(id, [textTest(`req.fhdr(${assertHeaderName(name)})`, text, flags)]);
}

/** Not one of several values may be passed over, so more of them than are looked at fit. */
function queryCondition(id: string, name: string, { text, flags }: Text): Condition {
  // A variable's name holds no hyphen, and no two names may become one.
  const variable = `txn.${id.replaceAll('_', '__').replaceAll('-', '_m')}`;
  const values = Array.from({ length: MOST_VALUES }, (_, index) => `var(${variable}_${index + 1})`);
  const { lines, names } = condition(id, [...values.map((value) => textTest(value, text, flags)), `var(${variable}_more) -m found`]);
  return { lines: [`http-request lua.parameter ${quote(name)} ${variable}`, ...lines], names };
}

/** As many as `parameter.lua` looks at. */
const MOST_VALUES = 4;

function textTest(fetch: string, text: TextMatch, flags: readonly string[]): string {
  const test = (how: string, value: string): string => [fetch, '-m', how, ...flags, '--', quote(value)].join(' ');
  if ('present' in text) return `${fetch} -m found`;
  if ('exact' in text) return test('str', text.exact);
  return 'contains' in text ? test('sub', text.contains) : test('reg', text.matches);
}

/** Tests under one name: one of them is enough. */
const condition = (name: string, tests: readonly string[]): Condition => ({
  lines: tests.map((test) => `acl ${name} ${test}`),
  names: [name],
});

/** In an order of their own, because nothing that is hashed keeps that of members. */
export const sorted = <Value>(members: Readonly<Record<string, Value>> = {}): [string, Value][] =>
  Object.entries(members).toSorted(([a], [b]) => byCodeUnit(a, b));

/** Validation lets only such names through; another could add to an expression. Throws. */
export function assertHeaderName(name: string): string {
  if (!/^[A-Za-z0-9_-]+$/.test(name)) throw new Error(`datapath: ${JSON.stringify(name)} is not the name of a header`);
  return name;
}
