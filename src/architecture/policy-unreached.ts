import { isRecord, type KeyPath, keyText, valueAt } from './key-path.ts';
import type { Mistake } from './issues.ts';
import { rulePath } from './policy-normalise.ts';

/** A rule as it is written, and where. */
type Written = { path: KeyPath; value: Readonly<Record<string, unknown>> };

/**
 * Rules of a policy that no request ever gets to, because another one has it before, and redirects that lead to themselves. Takes the
 * value as written, however broken; says nothing of a rule that a request might get to. `hosts`: all the app may have.
 */
export function unreachedRules(root: unknown, { policy, hosts }: { policy: KeyPath; hosts: readonly string[] }): Mistake[] {
  const written = (key: string): Written[] => rulesIn(root, [...policy, key]);
  const redirects = written('redirects');
  return [
    ...endless(redirects),
    ...behind(redirects, (earlier, later) => takes(fromOf(earlier), fromOf(later))),
    ...written('routes').flatMap((route) => redirectedRoute(route, redirects)),
    ...hiddenByHosts(written('routes'), hosts),
    ...behind(written('access'), decides),
  ];
}

function rulesIn(root: unknown, path: KeyPath): Written[] {
  const list = valueAt(root, path);
  if (!Array.isArray(list)) return [];
  return list.flatMap((value, index) => (isRecord(value) ? [{ path: [...path, index], value }] : []));
}

/** What the first that fits has, none behind it gets. */
function behind(rules: readonly Written[], has: (earlier: Written['value'], later: Written['value']) => boolean): Mistake[] {
  return rules.flatMap((rule, index) => {
    const first = rules.slice(0, index).find((earlier) => has(earlier.value, rule.value));
    return first ? [mistake(rule, 'expected a rule that some request gets to, found one whose requests all fit', first)] : [];
  });
}

function redirectedRoute(route: Written, redirects: readonly Written[]): Mistake[] {
  const redirect = redirects.find(({ value }) => takes(fromOf(value), route.value));
  return redirect
    ? [mistake(route, 'expected a route that some request takes, found one whose requests are all redirected before, at', redirect)]
    : [];
}

/** Routes with a host come first, so those of all hosts together can leave nothing to one without. */
function hiddenByHosts(routes: readonly Written[], hosts: readonly string[]): Mistake[] {
  return routes.flatMap((route) => {
    if (route.value['host'] !== undefined || hosts.length === 0) return [];
    const hiding = hosts.map((host) => routes.find(({ value }) => value['host'] === host && takes({ path: value['path'] }, route.value)));
    const [first] = hiding;
    return first && hiding.every((each) => each !== undefined)
      ? [mistake(route, 'expected a route that some request takes, found one that routes with a host come before, such as', first)]
      : [];
  });
}

/** A client would follow such a redirect until it gives up. */
function endless(redirects: readonly Written[]): Mistake[] {
  return redirects.flatMap(({ path, value }) => {
    const from = fromOf(value);
    const to = value['to'];
    if (typeof to !== 'string' || !to.startsWith('/') || !takesPath(from['path'], isExact(from['path']) ? { exact: to } : to)) return [];
    return [{ path: [...path, 'to'], at: 'value', what: `expected a path that is not redirected again by the same rule, found ${to}` }];
  });
}

const fromOf = (redirect: Written['value']): Readonly<Record<string, unknown>> => (isRecord(redirect['from']) ? redirect['from'] : {});

const isExact = (path: unknown): path is { exact: string } => isRecord(path) && typeof path['exact'] === 'string';

/** Whether a place has all that another one has. */
const takes = (one: Readonly<Record<string, unknown>>, other: Readonly<Record<string, unknown>>): boolean =>
  (one['host'] === undefined || one['host'] === other['host']) && takesPath(one['path'], other['path'] ?? '/');

function takesPath(one: unknown, other: unknown): boolean {
  if (one === undefined) return true;
  if (isExact(one)) return isExact(other) && one.exact === other.exact;
  if (isRecord(one)) return isRecord(other) && one['matches'] !== undefined && one['matches'] === other['matches'];
  if (typeof one !== 'string') return false;
  const under = rulePath(one);
  if (under === '/') return true;
  const path = isExact(other) ? other.exact : typeof other === 'string' ? rulePath(other) : '';
  return path === under || path.startsWith(`${under}/`);
}

/**
 * Whether a rule of access decides for all that a later one is for. What it asks, the later one has to ask, too. Permitting rules are of
 * fewer spellings of a path than restricting ones.
 */
function decides(earlier: Written['value'], later: Written['value']): boolean {
  const isWider = earlier['action'] === 'deny' || later['action'] === 'allow';
  const everywhere = listOf(earlier['path']).some((path) => typeof path === 'string' && rulePath(path) === '/');
  if (!isWider && earlier['path'] !== undefined && !everywhere) return false;
  const { action: _, ...asked } = earlier;
  return Object.entries(asked).every(([key, value]) => value === undefined || asksFor(key, value, later[key]));
}

function asksFor(key: string, value: unknown, later: unknown): boolean {
  if (key === 'path') return listOf(later ?? '/').every((path) => listOf(value).some((each) => takesPath(each, path)));
  if (later === undefined) return false;
  if (!['host', 'method', 'source'].includes(key)) return JSON.stringify(value) === JSON.stringify(later);
  return listOf(later).every((each) => listOf(value).includes(each));
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : value === undefined ? [] : [value]);

const mistake = (rule: Written, what: string, other: Written): Mistake => ({
  path: rule.path,
  at: 'value',
  what: `${what} ${keyText(other.path)}`,
  other: other.path,
});
