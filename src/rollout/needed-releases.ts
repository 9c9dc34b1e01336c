import type { ReleaseId } from '../digest.ts';
import type { Observation } from '../engine/engine.ts';

/** The releases that something runs of, and those that a controller can go back to. */
export const neededBy = ({ controllers, instances }: Observation): Set<ReleaseId> =>
  new Set([...controllers.flatMap(({ release, history }) => [release, ...history]), ...instances.map(({ origin }) => origin.release)]);
