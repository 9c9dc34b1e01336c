import { resolveEnvironment } from '../release/resolve-environment.ts';
import { channelOutlets } from './channel-outlets.ts';
import type { Post } from './post.ts';
import { tellOutlets } from './tell-channels.ts';

/** Tells channels and the forge what is on record, beside all else that a controller in charge does. */
export async function beginTelling(post: Post, token: number): Promise<{ stop(): Promise<void> }> {
  const resolved = resolveEnvironment(post.manifest.inputs.architecture, post.environment);
  if (!resolved.ok) return { stop: async () => undefined };
  return tellOutlets(post, token, channelOutlets(post, resolved.value));
}
