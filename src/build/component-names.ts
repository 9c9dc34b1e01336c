import { byCodeUnit } from '../canonical-json.ts';
import type { Architecture, ComponentSource } from '../architecture/model.ts';

/** A component and the key of its source in `architecture.ts`. */
export type NamedComponent = { name: string; source: ComponentSource; place: string };

/** The app that a component is a service of; undefined for a store's or an agent's. */
export const appOfComponent = (architecture: Architecture, component: string): string | undefined =>
  Object.entries(architecture.apps).find(([app, { services }]) =>
    Object.keys(services).some((service) => `${app}/${service}` === component),
  )?.[0];

/** Every component of an architecture: `catalog/api`, `sessions`, `agent/node`; sorted by name. */
export function componentsOf({ apps, stores, agents }: Architecture): NamedComponent[] {
  const services = Object.entries(apps).flatMap(([app, { services: own }]) =>
    Object.entries(own).map(([service, { build }]): NamedComponent => ({
      name: `${app}/${service}`,
      source: build,
      place: `apps.${app}.services.${service}.build`,
    })),
  );
  const servers = Object.entries(stores).map(([name, { build }]): NamedComponent => ({
    name,
    source: build,
    place: `stores.${name}.build`,
  }));
  const images = Object.entries(agents).map(([name, { build }]): NamedComponent => ({
    name: `agent/${name}`,
    source: build,
    place: `agents.${name}.build`,
  }));
  return [...services, ...servers, ...images].toSorted((a, b) => byCodeUnit(a.name, b.name));
}
