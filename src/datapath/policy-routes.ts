import type { Redirect, Route } from '../policy.ts';
import { type Condition, hostCondition, pathCondition } from './policy-match.ts';
import { mark } from './policy-rule.ts';
import { quoteFormat } from './quote.ts';

/** A route and its place in the list it was written in. */
export interface OrderedRoute {
  readonly route: Route;
  readonly index: number;
}

/** With a host before without, then the longest path first. */
export function orderRoutes(routes: readonly Route[]): OrderedRoute[] {
  const weight = ({ host, path }: Route): number => (host === undefined ? 0 : 1_000_000) + path.length;
  return routes.map((route, index) => ({ route, index })).toSorted((a, b) => weight(b.route) - weight(a.route));
}

/** What a route is called where it is measured: its host, if it has one, and its path. */
export const routeName = ({ host = '', path }: Route): string => `${host}${path}`;

/** Longer ones might not fit into a line of the access log. */
const MOST_LOGGED = 80;

/** The name as the inside of a JSON string, as it stands in the access log. */
const loggedName = (route: Route): string => JSON.stringify(routeName(route).slice(0, MOST_LOGGED)).slice(1, -1);

/** Lines that say which route a request takes; none is the way to the entry. */
export function routeLines(routes: readonly OrderedRoute[]): string[] {
  if (routes.length === 0) return [];
  return [
    'acl routed var(txn.route) -m found',
    ...routes.flatMap(({ route, index }) => {
      const { lines, names } = place(`route-${index}`, { ...route, exact: false });
      return [mark(`policy routes ${index}`), ...lines, `http-request set-var(txn.route) int(${index}) if !routed ${names.join(' ')}`];
    }),
    ...routes.map(
      ({ route, index }) => `http-request set-var-fmt(txn.way) ${quoteFormat(loggedName(route))} if { var(txn.route) -m int ${index} }`,
    ),
  ];
}

/** What is below the path of a redirect is put behind its target as it was sent. */
export function redirectLines(redirects: readonly Redirect[]): string[] {
  if (redirects.length === 0) return [];
  return [
    'http-request set-var-fmt(txn.search) ?%[query] if { query -m found }',
    ...redirects.flatMap((redirect, index) => {
      const { lines, names } = place(`redirect-${index}`, redirect);
      const condition = names.length > 0 ? ` if ${names.join(' ')}` : '';
      return [mark(`policy redirects ${index}`), ...lines, ...redirectTo(redirect, { rest: `txn.rest_${index}`, condition })];
    }),
  ];
}

function redirectTo({ to, exact, path, status, keepQuery }: Redirect, { rest, condition }: { rest: string; condition: string }): string[] {
  const search = keepQuery ? '%[var(txn.search)]' : '';
  const line = (location: string, only: string): string => `http-request redirect location ${location}${search} code ${status}${only}`;
  if (exact) return [line(quoteFormat(to), condition)];
  const segments = '/[^/]*'.repeat(path === '/' ? 0 : path.split('/').length - 1);
  const nothing = `{ var(${rest}) -m len 0 }`;
  return [
    `http-request set-var(${rest}) path,regsub(^${segments},)`,
    line(quoteFormat(to), condition === '' ? ` if ${nothing}` : `${condition} ${nothing}`),
    line(`${quoteFormat(to.replace(/\/$/, ''))}%[var(${rest})]`, condition),
  ];
}

type Place = { readonly host?: string; readonly path: string; readonly exact: boolean };

/** `/` is everywhere. */
function place(id: string, { host, path, exact }: Place): Condition {
  const parts = [
    ...(host === undefined ? [] : [hostCondition(id, [host])]),
    ...(path === '/' && !exact ? [] : [pathCondition(id, [exact ? { exact: path } : { under: path }], 'permitting')]),
  ];
  return { lines: parts.flatMap(({ lines }) => lines), names: parts.flatMap(({ names }) => names) };
}
