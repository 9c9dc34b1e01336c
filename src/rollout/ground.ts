import { gatewayApp, mostOf, stepsOf, type Core, type Gateway } from '../architecture/model.ts';
import type { ImageId } from '../digest.ts';
import { gitVolume, inboxVolume, ledgerVolume } from '../kept-volumes.ts';
import { metricsPort } from '../metrics-port.ts';
import type { Colour, NetworkSpec, Owner, SlotSpec, VolumeSpec } from '../engine/engine.ts';
import type { ResolvedArchitecture } from '../release/resolve-environment.ts';
import type { Placed } from '../release/placed.ts';
import { placedServices } from '../release/way-out.ts';

/** The ports every data path and the core listen on inside their sandbox for clients: plain, and where there is TLS. */
const pathPorts = { plain: 8080, tls: 8443 };

const coreOwner: Owner = { kind: 'core', name: 'core' };

/** Room for this many apps: a network cannot grow later without cutting those in it. */
const tierHosts = 1000;

/**
 * The architecture's networks; they outlive every generation. `edge` is the core's way out; `core` joins it to the apps'
 * paths; each app and each store has one of its own; `outbound` lets services that asked for it, and ways out, reach the world, not
 * each other.
 */
export function networksOf(architecture: ResolvedArchitecture): NetworkSpec[] {
  const inner = { internal: true, isolated: false };
  const wantsOut = Object.values(architecture.apps).some((app) => Object.values(placedServices(app)).some((service) => service.outbound));
  return [
    { name: 'edge', owner: coreOwner, internal: false, isolated: false, hosts: 2 },
    { name: 'core', owner: coreOwner, ...inner, hosts: tierHosts },
    ...(wantsOut ? [{ name: 'outbound', owner: coreOwner, internal: false, isolated: true, hosts: tierHosts }] : []),
    ...Object.entries(architecture.apps).map(([name, app]): NetworkSpec => ({
      name: `app/${name}`,
      owner: { kind: 'app', name },
      ...inner,
      hosts: appHosts(placedServices(app)),
    })),
    ...Object.keys(architecture.stores).map((name): NetworkSpec => ({
      name: `store/${name}`,
      owner: { kind: 'store', name },
      ...inner,
      hosts: tierHosts,
    })),
  ];
}

/** Both colours of every replica and step, the path, and as much again to grow into. */
function appHosts(services: Readonly<Record<string, Placed>>): number {
  const places = Object.values(services).reduce((sum, service) => sum + mostOf(service.replicas) + stepsOf(service).length, 0);
  return Math.max(32, 4 * places + 2);
}

export const volumesOf = (architecture: ResolvedArchitecture): VolumeSpec[] =>
  Object.entries(architecture.stores).map(([name, { format }]) => dataVolume(name, format));

/** What a gateway has: an inbox of its own, what was pushed to it, and the ledger, which there is where a controller runs. */
export const gatewayVolumeSpecs = ({ git }: Gateway): readonly VolumeSpec[] => [
  { name: inboxVolume, owner: { kind: 'app', name: gatewayApp } },
  { name: ledgerVolume, owner: { kind: 'controller', name: 'controller' } },
  ...(git ? [{ name: gitVolume, owner: { kind: 'app', name: gatewayApp } } as const] : []),
];

/** A store's kept data: a volume for each format. */
export const dataVolume = (store: string, format?: string): VolumeSpec => ({
  name: format === undefined ? `${store}.data` : `${store}.data.${format}`,
  owner: { kind: 'store', name: store },
});

/** The place of an instance: one name with a suffix, for both are containers on some engines. */
export const slotOf = (instance: string): string => `${instance}.slot`;

type AppPlaces = { app: string; services: Readonly<Record<string, Placed>>; colour: Colour; image: ImageId };

/**
 * One place per replica that there may be. Peers find it as `api-1.blue`, all replicas as `api.blue`, and by the search suffix as
 * plain `api`.
 */
export function appSlots({ app, services, colour, image }: AppPlaces): SlotSpec[] {
  return Object.entries(services).flatMap(([service, spec]) =>
    Array.from({ length: mostOf(spec.replicas) }, (_, index): SlotSpec => {
      const instance = `${service}-${index + 1}`;
      return {
        name: slotOf(`${app}.${instance}.${colour}`),
        owner: { kind: 'app', name: app },
        colour,
        networks: serviceNetworks(app, spec, [`${service}.${colour}`, `${instance}.${colour}`]),
        search: colour,
        publish: [],
        memory: 'facts',
        facts: { instance, app, service },
        image,
      };
    }),
  );
}

/** What an instance of a service reaches, and the names by which its peers find it. */
const serviceNetworks = (app: string, { stores, outbound }: Placed, aliases: readonly string[]): SlotSpec['networks'] => [
  { network: `app/${app}`, aliases },
  ...stores.map((store) => ({ network: `store/${store}`, aliases: [] })),
  ...(outbound ? [{ network: 'outbound', aliases: [] }] : []),
];

/** A step's instance. Four words, so that none is called as a replica or a path is. */
export const stepInstance = (app: string, { service, step, colour }: { service: string; step: string; colour: Colour }): string =>
  `${app}.${service}.${step}.${colour}`;

/** What an architecture calls a step, service first, by the name of its instance: `api/migrate`. */
export function stepOf(instance: string): string {
  const [, service, step] = instance.split('.');
  return `${service}/${step}`;
}

/** A place for each step, where it reaches what its service does. Nobody looks for it. */
export function stepSlots({ app, services, colour, image }: AppPlaces): SlotSpec[] {
  return Object.entries(services).flatMap(([service, spec]) =>
    stepsOf(spec).map((step): SlotSpec => ({
      name: slotOf(stepInstance(app, { service, step: step.name, colour })),
      owner: { kind: 'app', name: app },
      colour,
      networks: serviceNetworks(app, spec, []),
      search: colour,
      publish: [],
      memory: 'facts',
      facts: { instance: step.name, app, service },
      image,
    })),
  );
}

/** Where an app's data paths hand their sockets over to one another. */
export const pathSlot = (app: string, image: ImageId): SlotSpec => appPathSlot(app, 'path', image);

/** Where the data path of a generation that is held for a look is reached, beside the one that serves. */
export const previewSlot = (app: string, image: ImageId): SlotSpec => appPathSlot(app, 'preview', image);

const appPathSlot = (app: string, name: 'path' | 'preview', image: ImageId): SlotSpec => ({
  name: slotOf(`${app}.${name}`),
  owner: { kind: 'app', name: app },
  networks: [
    { network: 'core', aliases: [`${app}.${name}`] },
    { network: `app/${app}`, aliases: [name] },
  ],
  publish: [],
  memory: 'sockets',
  facts: { instance: name, app, service: 'path' },
  image,
});

export const previewSlotName = (app: string): string => slotOf(`${app}.preview`);

/** The one place with published ports, and with a network that is not internal. */
export const coreSlot = (core: Core, image: ImageId): SlotSpec => ({
  name: slotOf('core.path'),
  owner: coreOwner,
  networks: [
    { network: 'edge', aliases: [] },
    { network: 'core', aliases: ['core'] },
  ],
  publish: [
    ...core.publish.map(({ address, port, tls }) => ({ address, port, target: tls ? pathPorts.tls : pathPorts.plain })),
    ...(core.metrics ? [{ ...core.metrics, target: metricsPort }] : []),
  ],
  memory: 'sockets',
  facts: { instance: 'core', app: 'core', service: 'core' },
  image,
});

/** Only the store's path knows this name: clients that used it would not wait while the server is swapped. */
export const storeServerSlot = ({ store, colour, image }: { store: string; colour: Colour; image: ImageId }): SlotSpec => ({
  name: slotOf(`${store}.server.${colour}`),
  owner: { kind: 'store', name: store },
  colour,
  networks: [{ network: `store/${store}`, aliases: [`${store}.server.${colour}`] }],
  publish: [],
  memory: 'facts',
  facts: { instance: 'server', app: store, service: 'server' },
  image,
});

/** A store's address. Services look names up with their colour as suffix first, so it answers to those too. */
export const storePathSlot = (store: string, image: ImageId): SlotSpec => ({
  name: slotOf(`${store}.path`),
  owner: { kind: 'store', name: store },
  networks: [{ network: `store/${store}`, aliases: [store, `${store}.blue`, `${store}.green`] }],
  publish: [],
  memory: 'sockets',
  facts: { instance: 'path', app: store, service: 'path' },
  image,
});
