import { gatewayApp, type App, type Elsewhere } from '../architecture/model.ts';
import { gatewayService } from './gateway-service.ts';
import type { Placed } from './placed.ts';

/** The name of the one instance of an app that lives elsewhere: from it, and from nowhere else of the app, its origin is reached. */
export const wayOut = 'elsewhere';

/** Where it listens. */
const wayOutPort = 8080;

/** What an app has instances of: its services; where it lives elsewhere, its way out; of the gateway, the gateway itself. */
export const placedServices = ({ services, elsewhere, gateway }: App): Readonly<Record<string, Placed>> => ({
  ...services,
  ...(elsewhere && { [wayOut]: wayOutService(elsewhere) }),
  ...(gateway && { [gatewayApp]: gatewayService(gateway) }),
});

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
