import type { App, Elsewhere, Service } from '../architecture/model.ts';

/** The name of the one instance of an app that lives elsewhere: from it, and from nowhere else of the app, its origin is reached. */
export const wayOut = 'elsewhere';

/** Where it listens. */
const wayOutPort = 8080;

/** A service, but for what its image is made from. */
export type Placed = Omit<Service, 'build'>;

/** What an app has instances of: its services, and where it lives elsewhere, its way out. */
export const placedServices = (app: App): Readonly<Record<string, Placed>> =>
  app.elsewhere === undefined ? app.services : { ...app.services, [wayOut]: wayOutService(app.elsewhere) };

/** The proxy with a configuration of one line: it needs no more than a data path does, and has no words to say at its end. */
const wayOutService = ({ health }: Elsewhere): Placed => ({
  port: wayOutPort,
  entry: true,
  replicas: 1,
  health,
  settings: {},
  files: {},
  writable: {},
  limits: { memoryBytes: 64 * 1024 * 1024, processes: 32 },
  stores: [],
  outbound: true,
  stopMs: 1_000,
});

/** The name of a service's image among those of its generation: a stage has one in each colour, for each sends on elsewhere. */
export const imageName = ({ stages = [] }: App, service: string, colour: 'blue' | 'green'): string =>
  stages.includes(service) ? `${service}.${colour}` : service;

/** An origin as people write it. */
export const originText = ({ host, port, tls }: Elsewhere): string => `${tls ? 'https' : 'http'}://${host}:${port}`;
