import type { Lock } from '../architecture/lock.ts';

/**
 * What an external image is pinned to: the lock's word, or the digest that the name itself carries. Undefined when it is
 * pinned by neither.
 */
export function pinOf(lock: Lock, name: string): string | undefined {
  const own = /@(sha256:[0-9a-f]{64})$/.exec(name)?.[1];
  return own ?? (Object.hasOwn(lock.images, name) ? lock.images[name] : undefined);
}

/** An image name without tag and digest: what a digest can be appended to. */
export const repositoryOf = (name: string): string => name.replace(/@.*$/, '').replace(/:[^/:]*$/, '');
