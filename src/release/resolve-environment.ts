import { byCodeUnit } from '../canonical-json.ts';
import type { App, Architecture, EnvironmentChange, Service, ServiceChange, Store } from '../architecture/model.ts';
import { done, failed, type Result } from '../result.ts';

/** The architecture as one environment runs it: that environment's changes applied, the others forgotten. */
export type ResolvedArchitecture = Omit<Architecture, 'environments'> & Pick<EnvironmentChange, 'forge'>;

type StoreChange = NonNullable<EnvironmentChange['stores']>[string];
type AppChange = NonNullable<EnvironmentChange['apps']>[string];

/** The environment that needs no declaration. */
export const defaultEnvironment = 'local';

/** Every environment of an architecture, declared or not, sorted. */
export const environmentsOf = (architecture: Architecture): string[] =>
  [...new Set([defaultEnvironment, ...Object.keys(architecture.environments)])].toSorted(byCodeUnit);

/**
 * Applies an environment's changes: lists (hosts, published ports), limits and members of a policy are replaced whole, settings one by one.
 * UNKNOWN_ENVIRONMENT when the architecture declares none of that name.
 */
export function resolveEnvironment(architecture: Architecture, environment: string): Result<ResolvedArchitecture> {
  const { environments, ...rest } = architecture;
  const change = Object.hasOwn(environments, environment) ? environments[environment] : undefined;
  if (change === undefined && environment !== defaultEnvironment) return failed(unknownEnvironment(architecture, environment));
  return done({
    ...rest,
    ...(change?.channels && { channels: { ...rest.channels, ...change.channels } }),
    ...(change?.forge && { forge: change.forge }),
    ...(change?.secrets && { secrets: { ...rest.secrets, ...change.secrets } }),
    ...(change?.deliver && rest.deliver && { deliver: { ...rest.deliver, ...change.deliver } }),
    ...(change?.schedules !== undefined && { schedules: change.schedules }),
    core: { ...rest.core, ...change?.core },
    apps: changeEach(rest.apps, change?.apps, changeApp),
    stores: changeEach(rest.stores, change?.stores, changeSettings<Store, StoreChange>),
  });
}

const changeApp = (app: App, change: AppChange): App => ({
  ...app,
  ...(change.hosts && { hosts: change.hosts }),
  ...(change.bake && { bake: change.bake }),
  ...(change.policy && { policy: { ...app.policy, ...change.policy } }),
  ...(change.tls && { tls: change.tls }),
  ...(change.elsewhere && { elsewhere: change.elsewhere }),
  services: changeEach(app.services, change.services, changeSettings<Service, ServiceChange>),
});

const changeSettings = <
  Item extends { settings: Readonly<Record<string, string>> },
  Change extends { settings?: Readonly<Record<string, string>> },
>(
  item: Item,
  change: Change,
): Item => ({
  ...item,
  ...change,
  settings: { ...item.settings, ...change.settings },
});

function changeEach<Item, Change>(
  items: Readonly<Record<string, Item>>,
  changes: Readonly<Record<string, Change>> | undefined,
  apply: (item: Item, change: Change) => Item,
): Record<string, Item> {
  const changed = Object.entries(items).map(([name, item]): [string, Item] => {
    const change = changes !== undefined && Object.hasOwn(changes, name) ? changes[name] : undefined;
    return [name, change === undefined ? item : apply(item, change)];
  });
  return Object.fromEntries(changed);
}

const unknownEnvironment = (architecture: Architecture, environment: string) => ({
  code: 'UNKNOWN_ENVIRONMENT' as const,
  what: `${architecture.name} has no environment ${environment}`,
  why: `it declares ${environmentsOf(architecture).join(', ')}`,
  safe: 'nothing was changed',
  next: `name one of them with --environment, or declare ${environment} in architecture.ts`,
});
