import type { Architecture, Publish } from '../architecture/model.ts';
import type { Engine } from '../engine/engine.ts';
import { resolveEnvironment } from '../release/resolve-environment.ts';
import { done, failed, type Result } from '../result.ts';
import type { Session } from './command.ts';
import type { Live } from './live.ts';
import { listenerOn } from './listener.ts';

export type PortCheck = { session: Session; engine: Engine; architecture: Architecture; environment: string; live: Live };

/** Whether every port the release publishes is free, or the architecture's own. PORT_TAKEN says by what it is taken. */
export async function checkPorts({ session, engine, architecture, environment, live }: PortCheck): Promise<Result<void>> {
  const resolved = resolveEnvironment(architecture, environment);
  if (!resolved.ok) return resolved;
  const { publish: ports, metrics } = resolved.value.core;
  for (const publish of metrics ? [...ports, metrics] : ports) {
    const holder = await engine.portHolder({ ...publish, target: publish.port });
    // One of its own places: the core keeps the port, or the place is made anew and gives it up.
    if (holder !== undefined && isOwn(holder, architecture.name, live)) continue;
    const other = holder ?? (await processOn(session, publish));
    if (other !== undefined) return failed(taken(publish, other, live));
  }
  return done(undefined);
}

const isOwn = (holder: string, architecture: string, { observation }: Live): boolean =>
  observation.slots.some(({ name }) => [`container ${architecture}.${name}`, `container ${name}`].includes(holder));

/** Only where the engine is this machine's do its processes say anything about its ports. */
async function processOn({ world }: Session, publish: Publish): Promise<string | undefined> {
  const address = world.env['DOCKER_HOST'] ?? '';
  return address === '' || address.startsWith('unix:') ? listenerOn(publish) : undefined;
}

const taken = ({ address, port }: Publish, holder: string, { live }: Live) => ({
  code: 'PORT_TAKEN' as const,
  what: `port ${port} of ${address} is taken by ${holder}`,
  why: 'the core of the architecture publishes it',
  safe: live === undefined ? 'nothing was started' : `release ${live.controller.release.slice(0, 12)} still serves; nothing was changed`,
  next: `stop ${holder}, or publish another port: core.publish or core.metrics in architecture.ts`,
});
