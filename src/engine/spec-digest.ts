import { digestOf, type Digest } from '../digest.ts';
import type { InstanceSpec, NetworkSpec, SlotSpec } from './engine.ts';

/** What `Observation.networks[].spec` holds. */
export const networkDigest = (spec: NetworkSpec): Digest => digestOf(spec);

/** What `ObservedSlot.spec` holds: a new sandbox image alone does not make a place anew. */
export const slotDigest = ({ image: _, ...spec }: SlotSpec): Digest => digestOf(spec);

/** What `ObservedInstance.spec` holds. The origin says where an instance came from, not what it is. */
export const instanceDigest = ({ origin: _, ...spec }: InstanceSpec): Digest => digestOf(spec);
