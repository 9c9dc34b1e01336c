import type { Forge } from '../forge/forge.ts';
import { statusOutlet } from '../forge/status-outlet.ts';
import { asksFor } from '../jobs/runs-of-push.ts';
import { resolveEnvironment, type ResolvedArchitecture } from '../release/resolve-environment.ts';
import { channelOutlets } from './channel-outlets.ts';
import { linksOf, openForge } from './open-forge.ts';
import { oversee } from './oversee.ts';
import type { Post } from './post.ts';
import { runsOfDelivery } from './runs-of-delivery.ts';
import { tellOutlets } from './tell-channels.ts';

const isWantedOf =
  ({ repository }: Forge, architecture: ResolvedArchitecture) =>
  (branch: string): boolean =>
    asksFor(architecture, { repository, branch });

/**
 * Tells channels and the forge what is on record, and finds pushes that the forge did not tell of, beside all else that a controller in
 * charge does. Resolves when all that is written down from now on will be told.
 */
export async function beginTelling(post: Post, token: number): Promise<{ stop(): Promise<void> }> {
  const resolved = resolveEnvironment(post.manifest.inputs.architecture, post.environment);
  if (!resolved.ok) return { stop: async () => undefined };
  const forge = openForge(post, resolved.value);
  const statuses = forge ? [statusOutlet(forge, post.environment, linksOf(resolved.value))] : [];
  const telling = await tellOutlets(post, token, [...channelOutlets(post, resolved.value), ...statuses]);
  const overseeing =
    forge && oversee({ ...post, runsOf: runsOfDelivery(post) }, token, { forge, isWanted: isWantedOf(forge, resolved.value) });
  return {
    async stop() {
      await Promise.all([telling.stop(), overseeing?.stop()]);
    },
  };
}
