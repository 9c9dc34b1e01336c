import type { Gateway } from '../architecture/model.ts';
import { gitFolder, gitVolume, inboxFolder, inboxVolume, ledgerFolder, ledgerVolume } from '../kept-volumes.ts';
import type { ComponentKey } from '../digest.ts';
import type { ReleaseInputs } from './manifest.ts';
import type { Placed } from './placed.ts';

/** What is mounted in a gateway: its inbox, and the ledger, which it only reads. */
const volumes = [
  { volume: inboxVolume, path: inboxFolder },
  { volume: ledgerVolume, path: ledgerFolder, readOnly: true },
] as const;

/** Where it is a git remote, what was pushed. */
const pushed = { volume: gitVolume, path: gitFolder } as const;

/** Where it listens. */
export const gatewayPort = 8080;

/** The file in its image that says what it takes. */
export const gatewaySettings = '/changeless/gateway.json';

/** The signal at which it ends its streams, and goes on. */
export const streamsEnd = 'SIGUSR2';

/** What is in that file. `name`: of the remote, as its address has it. */
export type GatewaySettings = Pick<Gateway, 'webhooks' | 'api'> & { git?: { secret: string; name: string } };

/** What its image is made of. A git remote needs git, which the builder's image has. */
export function gatewayBase(
  { git }: Gateway,
  changeless: ReleaseInputs['changeless'],
): { image: 'builder' | 'controller'; key: ComponentKey } {
  if (!git) return { image: 'controller', key: changeless.controller };
  if (changeless.builder === undefined) throw new Error('a git remote in a release without a builder');
  return { image: 'builder', key: changeless.builder };
}

/** The gateway as a service. Its requests are short: what it was asked to finish is finished within seconds. */
export const gatewayService = ({ replicas, webhooks, api, git }: Gateway): Placed => ({
  port: gatewayPort,
  entry: true,
  replicas,
  health: { kind: 'http', path: '/healthz', status: 200, timeoutMs: 60_000 },
  settings: {},
  files: {},
  writable: {},
  // Two pushes are received at a time, each by a git of its own.
  limits: { memoryBytes: (git ? 1536 : 512) * 1024 * 1024, processes: git ? 128 : 64 },
  stores: [],
  outbound: false,
  secrets: Object.fromEntries([...Object.values(webhooks), ...(git ? [git] : [])].map(({ secret }) => [secret, secret])),
  stopMs: 15_000,
  // Streams would hold the path that drains up to its limit; their clients go on with the next one.
  ...(api && { drainSignal: streamsEnd }),
  volumes: [...volumes, ...(git ? [pushed] : [])],
});
