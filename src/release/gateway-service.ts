import type { Gateway } from '../architecture/model.ts';
import { inboxFolder, inboxVolume, ledgerFolder, ledgerVolume } from '../kept-volumes.ts';
import type { Placed } from './placed.ts';

/** What is mounted in a gateway: its inbox, and the ledger, which it only reads. */
const volumes = [
  { volume: inboxVolume, path: inboxFolder },
  { volume: ledgerVolume, path: ledgerFolder, readOnly: true },
] as const;

/** Where it listens. */
export const gatewayPort = 8080;

/** The file in its image that says which webhooks there are. */
export const gatewaySettings = '/changeless/gateway.json';

/** The signal at which it ends its streams, and goes on. */
export const streamsEnd = 'SIGUSR2';

/** The gateway as a service. Its requests are short: what it was asked to finish is finished within seconds. */
export const gatewayService = ({ replicas, webhooks, api }: Gateway): Placed => ({
  port: gatewayPort,
  entry: true,
  replicas,
  health: { kind: 'http', path: '/healthz', status: 200, timeoutMs: 60_000 },
  settings: {},
  files: {},
  writable: {},
  limits: { memoryBytes: 512 * 1024 * 1024, processes: 64 },
  stores: [],
  outbound: false,
  secrets: Object.fromEntries(Object.values(webhooks).map(({ secret }) => [secret, secret])),
  stopMs: 15_000,
  // Streams would hold the path that drains up to its limit; their clients go on with the next one.
  ...(api && { drainSignal: streamsEnd }),
  volumes,
});
