import { digestOf, type ReleaseId } from '../digest.ts';
import type { ReleaseInputs } from './manifest.ts';

/**
 * Digest of all a release is made from, for all its environments: two machines that build one commit agree on it.
 * A component's key stands for its inputs, whose digest it is.
 */
export function releaseId({ components, ...inputs }: ReleaseInputs): ReleaseId {
  const keyed = Object.entries(components).map(([name, { inputs: _key, ...component }]) => [name, component] as const);
  return digestOf({ ...inputs, components: Object.fromEntries(keyed) }) as string as ReleaseId;
}
