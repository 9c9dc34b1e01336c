import { digestOf, type Digest } from '../digest.ts';
import type { InstanceSpec, NetworkSpec, SecretDelivery, SecretReference, SlotSpec } from './engine.ts';

/** Specs are never changed, and are compared at each look at the engine: each is digested once. */
function once<Spec extends object>(digest: (spec: Spec) => Digest): (spec: Spec) => Digest {
  const known = new WeakMap<Spec, Digest>();
  return (spec) => {
    const digested = known.get(spec) ?? digest(spec);
    known.set(spec, digested);
    return digested;
  };
}

/** What `Observation.networks[].spec` holds. */
export const networkDigest = once((spec: NetworkSpec): Digest => digestOf(spec));

/** What `ObservedSlot.spec` holds: a new sandbox image alone does not make a place anew. */
export const slotDigest = once(({ image: _, ...spec }: SlotSpec): Digest => digestOf(spec));

/** What `ObservedInstance.spec` holds. The origin says where an instance came from, not what it is; a version stands for its value. */
export const instanceDigest = once(({ origin: _, secrets, ...spec }: InstanceSpec): Digest =>
  digestOf({ ...spec, ...(secrets && { secrets: referencesOf(secrets) }) }),
);

export const referencesOf = (secrets: readonly SecretDelivery[]): SecretReference[] =>
  secrets.map(({ file, secret, version }) => ({ file, secret, version }));
