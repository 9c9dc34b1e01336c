import { didYouMean } from './closest.ts';
import type { Mistake } from './issues.ts';
import { rulePath } from './policy-normalise.ts';
import { unreachedRules } from './policy-unreached.ts';
import { isRecord, type KeyPath, keyText, valueAt } from './key-path.ts';
import { endsOf, unknownName } from './written.ts';

/** What an app's policy is checked against. `policy`: where it is written; `app`: the app it is of; `hosts`: all it may have. */
export type PolicyPlace = { policy: KeyPath; app: KeyPath; hosts: readonly string[] };

/** Routes to services and hosts that the app has not, two that are one, and rules that no request gets to. Takes the value as written, however broken. */
export function policyMistakes(root: unknown, place: PolicyPlace): Mistake[] {
  const routes = [...place.policy, 'routes'];
  return [
    ...unknownServices(root, routes, place.app),
    ...repeatedRoutes(root, routes),
    ...unknownHosts(root, place),
    ...unreachedRules(root, place),
  ];
}

function unknownServices(root: unknown, routes: KeyPath, app: KeyPath): Mistake[] {
  const known = endsOf(root, app);
  return itemsOf(root, routes).flatMap((route) => {
    const path = [...route, 'service'];
    const service = valueAt(root, path);
    if (typeof service !== 'string' || known.includes(service)) return [];
    const what = unknownName('a service of the app', service, known);
    return [{ path, at: 'value', what }];
  });
}

function repeatedRoutes(root: unknown, routes: KeyPath): Mistake[] {
  const seen = new Map<string, KeyPath>();
  return itemsOf(root, routes).flatMap((route): Mistake[] => {
    const [host, path] = ['host', 'path'].map((key) => valueAt(root, [...route, key]));
    const what = `${typeof host === 'string' ? host : ''}${typeof path === 'string' ? rulePath(path) : '/'}`;
    const other = seen.get(what);
    if (other === undefined) {
      seen.set(what, route);
      return [];
    }
    return [
      { path: route, at: 'value', what: `expected each host and path once, found ${what} again, which is at ${keyText(other)}`, other },
    ];
  });
}

function unknownHosts(root: unknown, { policy, hosts }: PolicyPlace): Mistake[] {
  return hostsIn(root, policy).flatMap((path) => {
    const host = valueAt(root, path);
    if (typeof host !== 'string' || hosts.includes(host)) return [];
    return [{ path, at: 'value', what: `expected a host name of the app (${hosts.join(', ')}), found ${host}${didYouMean(host, hosts)}` }];
  });
}

/** Every place below that says a host, alone or in a list. */
function hostsIn(root: unknown, policy: KeyPath): KeyPath[] {
  const matches = [
    ...itemsOf(root, [...policy, 'routes']),
    ...itemsOf(root, [...policy, 'redirects']).map((redirect) => [...redirect, 'from']),
    ...itemsOf(root, [...policy, 'access']),
    ...itemsOf(root, [...policy, 'rateLimits']).map((limit) => [...limit, 'for']),
    ...itemsOf(root, [...policy, 'patches']).flatMap((patch) => [patch, ...listed(root, patch)]),
  ];
  return matches.map((match) => [...match, 'host']).flatMap((host) => [host, ...listed(root, host)]);
}

const listed = (root: unknown, path: KeyPath): KeyPath[] => (Array.isArray(valueAt(root, path)) ? itemsOf(root, path) : []);

/** Members of a list or an object. */
function itemsOf(root: unknown, path: KeyPath): (string | number)[][] {
  const value = valueAt(root, path);
  if (Array.isArray(value)) return value.map((_, index) => [...path, index]);
  return isRecord(value) ? Object.keys(value).map((key) => [...path, key]) : [];
}
