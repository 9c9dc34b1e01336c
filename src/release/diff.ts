import { byCodeUnit, type Json } from '../canonical-json.ts';
import type { App, Architecture } from '../architecture/model.ts';
import type { UnitName } from '../events.ts';
import { done, type Result } from '../result.ts';
import { componentReasons } from './component-reasons.ts';
import { describeDifference, type Difference, type SecretUser } from './difference.ts';
import { jobDifferences } from './job-diff.ts';
import { movedLeaves, namesOf } from './leaves.ts';
import { tlsHosts, tlsSecrets } from './app-tls.ts';
import { routesOf } from './generation.ts';
import { channelSecrets } from './secret-references.ts';
import { placedServices } from './way-out.ts';
import type { ReleaseInputs } from './manifest.ts';
import { defaultEnvironment, resolveEnvironment, type ResolvedArchitecture } from './resolve-environment.ts';

/**
 * What differs between two releases as one environment runs them, in a fixed order: Changeless itself, components, units,
 * their values, jobs, routes, published ports, the core's policy. Where only one release knows the environment, the other is taken as `local`.
 */
export function diffReleases(from: ReleaseInputs, to: ReleaseInputs, environment: string): Result<Difference[]> {
  const after = resolveEnvironment(to.architecture, environment);
  if (!after.ok) return after;
  const before = resolveEnvironment(from.architecture, knows(from.architecture, environment) ? environment : defaultEnvironment);
  if (!before.ok) return before;
  return done([
    ...changelessDifferences(from, to),
    ...componentDifferences(from, to),
    ...unitDifferences(before.value, after.value),
    ...jobDifferences(before.value.jobs, after.value.jobs),
    ...secretDifferences(before.value, after.value),
    ...routeDifferences(before.value, after.value),
    ...publishDifferences(before.value, after.value),
    ...valueDifferences({ unit: coreUnit, subject: 'core' }, exceptPorts(before.value.core), exceptPorts(after.value.core)),
  ]);
}

const exceptPorts = ({ publish: _, metrics: __, ...rest }: ResolvedArchitecture['core']) => rest;

const coreUnit: UnitName = { kind: 'core', name: 'core' };

/** The sentences of those differences that replace a unit's containers or path: `plan`'s `why`. */
export function explainReplacement(unit: UnitName, differences: readonly Difference[]): string[] {
  return differences.filter((difference) => concerns(difference, unit)).map(describeDifference);
}

/** Whether a difference is in a unit's generation. */
function concerns(difference: Difference, unit: UnitName): boolean {
  switch (difference.kind) {
    case 'changeless':
      return difference.part === 'proxy';
    case 'component':
      return unit.kind === 'app'
        ? difference.component.startsWith(`${unit.name}/`)
        : unit.kind === 'store' && difference.component === unit.name;
    case 'service':
      return unit.kind === 'app' && difference.app === unit.name;
    case 'unit':
    case 'value':
      return difference.unit.kind === unit.kind && difference.unit.name === unit.name && !isPatience(difference);
    case 'secret':
      return difference.users.some(({ kind, name }) => kind === unit.kind && name === unit.name);
    case 'route':
    case 'publish':
      return unit.kind === 'core';
    case 'job':
    case 'job-value':
      return false;
  }
}

/** How long a rollout waits, and when there are to be more instances, is in no generation. */
const isPatience = (difference: Difference): boolean =>
  difference.kind === 'value' &&
  ['health.timeoutMs', 'elsewhere.health.timeoutMs', 'replicas.metric', 'replicas.target'].includes(difference.member.join('.'));

const knows = (architecture: Architecture, environment: string): boolean => Object.hasOwn(architecture.environments, environment);

function changelessDifferences(from: ReleaseInputs, to: ReleaseInputs): Difference[] {
  const parts = ['version', 'controller', 'proxy', 'sandbox', 'builder'] as const;
  return parts
    .filter((part) => from.changeless[part] !== to.changeless[part])
    .map((part) => ({ kind: 'changeless', part, ...said(from.changeless[part], to.changeless[part]) }));
}

const said = (from: string | undefined, to: string | undefined) => ({
  ...(from !== undefined && { from }),
  ...(to !== undefined && { to }),
});

function componentDifferences(from: ReleaseInputs, to: ReleaseInputs): Difference[] {
  return namesOf(from.components, to.components).flatMap((component): Difference[] => {
    const [old, next] = [from.components[component], to.components[component]];
    if (old?.key === next?.key) return [];
    const why = old && next ? componentReasons(old.inputs, next.inputs) : [];
    return [{ kind: 'component', component, ...(old && { from: old.key }), ...(next && { to: next.key }), why }];
  });
}

function unitDifferences(before: ResolvedArchitecture, after: ResolvedArchitecture): Difference[] {
  const apps = namesOf(before.apps, after.apps).flatMap((name): Difference[] => {
    const [old, next] = [before.apps[name], after.apps[name]];
    if (old === undefined || next === undefined) return [presence({ kind: 'app', name }, next !== undefined)];
    return appDifferences({ kind: 'app', name }, old, next);
  });
  const stores = namesOf(before.stores, after.stores).flatMap((name): Difference[] => {
    const [old, next] = [before.stores[name], after.stores[name]];
    const unit: UnitName = { kind: 'store', name };
    if (old === undefined || next === undefined) return [presence(unit, next !== undefined)];
    return valueDifferences({ unit, subject: name }, without(old, 'build'), without(next, 'build'));
  });
  return [...apps, ...stores];
}

const presence = (unit: UnitName, added: boolean): Difference => ({ kind: 'unit', unit, change: added ? 'added' : 'removed' });

function appDifferences(unit: UnitName, old: App, next: App): Difference[] {
  const services = namesOf(old.services, next.services).flatMap((service): Difference[] => {
    const [before, after] = [old.services[service], next.services[service]];
    if (before === undefined || after === undefined)
      return [{ kind: 'service', app: unit.name, service, change: after ? 'added' : 'removed' }];
    return valueDifferences({ unit, subject: `${unit.name}/${service}` }, without(before, 'build'), without(after, 'build'));
  });
  return [...services, ...valueDifferences({ unit, subject: unit.name }, pathOf(old), pathOf(next))];
}

const pathOf = ({ drain, policy, tls, stages, elsewhere, gateway }: App): Json => ({ drain, policy, tls, stages, elsewhere, gateway });

const valueDifferences = (about: { unit: UnitName; subject: string }, old: Json, next: Json): Difference[] =>
  movedLeaves(old, next).map((leaf) => ({ kind: 'value', ...about, ...leaf }));

function secretDifferences(before: ResolvedArchitecture, after: ResolvedArchitecture): Difference[] {
  const [old, next] = [usersOfSecrets(before), usersOfSecrets(after)];
  return [...new Set([...old.keys(), ...next.keys()])].toSorted(byCodeUnit).flatMap((secret): Difference[] => {
    const from = old.has(secret) ? before.secrets?.[secret]?.version : undefined;
    const to = next.has(secret) ? after.secrets?.[secret]?.version : undefined;
    const users = next.get(secret) ?? old.get(secret) ?? [];
    return from === to ? [] : [{ kind: 'secret', secret, users, ...(from !== undefined && { from }), ...(to !== undefined && { to }) }];
  });
}

/** Secret → who gets it. */
function usersOfSecrets(architecture: ResolvedArchitecture): Map<string, SecretUser[]> {
  const { apps, stores, jobs = {}, channels = {}, forge, deliver } = architecture;
  const users = new Map<string, SecretUser[]>();
  const note = (unit: SecretUser, used: object = {}): void => {
    for (const secret of Object.keys(used)) {
      const known = users.get(secret) ?? [];
      if (!known.some(({ kind, name }) => kind === unit.kind && name === unit.name)) users.set(secret, [...known, unit]);
    }
  };
  if (deliver?.secret !== undefined) note({ kind: 'controller', name: 'controller' }, { [deliver.secret]: '' });
  for (const [name, app] of Object.entries(apps)) {
    const { tls } = app;
    for (const { secrets } of Object.values(placedServices(app))) note({ kind: 'app', name }, secrets);
    if (tls) note({ kind: 'app', name }, tlsSecrets(tls));
  }
  for (const [name, { secrets }] of Object.entries(stores)) note({ kind: 'store', name }, secrets);
  for (const [name, { steps }] of Object.entries(jobs)) for (const { secrets } of steps.flat()) note({ kind: 'job', name }, secrets);
  for (const [name, channel] of Object.entries(channels)) note({ kind: 'channel', name }, channelSecrets(channel));
  if (forge) note({ kind: 'forge', name: forge.repository }, { [forge.token]: '' });
  return users;
}

function routeDifferences(before: ResolvedArchitecture, after: ResolvedArchitecture): Difference[] {
  const [old, next] = [routeTexts(before), routeTexts(after)];
  return namesOf(old, next).flatMap((host): Difference[] => {
    const [from, to] = [old[host], next[host]];
    return from === to ? [] : [{ kind: 'route', host, ...(from !== undefined && { from }), ...(to !== undefined && { to }) }];
  });
}

/** Where each host leads, and whether the core passes encrypted connections on, too. */
function routeTexts(architecture: ResolvedArchitecture): Record<string, string> {
  const encrypted = new Set(tlsHosts(architecture));
  const routes = Object.entries(routesOf(architecture));
  return Object.fromEntries(routes.map(([host, app]) => [host, encrypted.has(host) ? `${app} with TLS` : app]));
}

function publishDifferences(before: ResolvedArchitecture, after: ResolvedArchitecture): Difference[] {
  const [from, to] = [before, after].map(({ core }) => [
    ...core.publish.map(({ address, port, tls }) => `${address}:${port}${tls ? ' for TLS' : ''}`),
    ...(core.metrics ? [`${core.metrics.address}:${core.metrics.port} for metrics`] : []),
  ]);
  return from === undefined || to === undefined || from.join() === to.join() ? [] : [{ kind: 'publish', from, to }];
}

function without<Item extends object, Key extends keyof Item>(item: Item, key: Key): Omit<Item, Key> {
  const { [key]: _left, ...rest } = item;
  return rest;
}
