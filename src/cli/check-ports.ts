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
  const own = publishedNow(live);
  for (const publish of resolved.value.core.publish) {
    if (own.some(({ address, port }) => port === publish.port && address === publish.address)) continue;
    const holder = (await engine.portHolder({ ...publish, target: publish.port })) ?? (await processOn(session, publish));
    if (holder !== undefined) return failed(taken(publish, holder, live));
  }
  return done(undefined);
}

// The core's place holds the ports, whether its proxy runs or not.
function publishedNow({ observation, live }: Live): readonly Publish[] {
  const holds = observation.slots.some(({ owner, ready }) => owner.kind === 'core' && ready);
  if (!holds || live?.manifest === undefined) return [];
  const resolved = resolveEnvironment(live.manifest.inputs.architecture, live.controller.environment);
  return resolved.ok ? resolved.value.core.publish : [];
}

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
  next: `stop ${holder}, or publish another port: core.publish in architecture.ts`,
});
