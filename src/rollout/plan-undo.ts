import type { ReleaseId } from '../digest.ts';
import type { Observation, ObservedInstance } from '../engine/engine.ts';
import { named, removeInstance } from './outfit.ts';
import type { Lane, Stage } from './step.ts';
import { asideKindOf } from './trial.ts';
import { inUse, unitState } from './unit-state.ts';

/** `first`: nothing served before this rollout, so that nothing of it is worth keeping. */
export type FailedRollout = { token: number; release: ReleaseId; first: boolean };

/**
 * What to do next so that nothing of a failed rollout is left: paths that had been let in beside their predecessor are
 * drained, everything else it started goes. A path whose predecessor has ended stays: the earlier release's controller
 * rolls it back as any other. Stores are that controller's too, for only it knows the server that was there: a snapshot
 * that is left tells it to put the data back first.
 */
export function planUndo(observed: Observation, failed: FailedRollout): Stage {
  const own = observed.instances.filter((instance) => isOf(instance, failed));
  const drain = own.filter((path) => isLetIn(path) && path.state === 'running' && hasPredecessor(path, observed));
  if (drain.length > 0) return undo(drain.map((path) => [{ do: 'drain-path', path: named(path) }]));
  const remove = own.filter((instance) => goes(instance, observed, failed));
  if (remove.length > 0) return undo(remove.map((instance) => [removeInstance(instance)]));
  const waits = own.some((instance) => instance.state === 'running' && instance.path?.phase === 'draining');
  if (waits) return { name: 'wait', lanes: [], live: false };
  const ground = failed.first ? emptyGround(observed) : [];
  return ground.length > 0 ? undo(ground) : { name: 'settled', lanes: [], live: false };
}

/** One that holds is not taken away from those who wait in it, either. */
const isLetIn = ({ path }: ObservedInstance): boolean => path?.phase === 'serving' || path?.phase === 'holding';

const undo = (lanes: readonly Lane[]): Stage => ({ name: 'undo', lanes, live: false });

/** Places that nothing is in (the core's holds the published ports), and then the networks, once no place is left. */
function emptyGround({ slots, instances, networks }: Observation): Lane[] {
  const empty = slots.filter(({ name }) => !instances.some(({ slot }) => slot === name));
  if (slots.length > 0) return empty.map(({ name }) => [{ do: 'remove-slot', slot: name }]);
  return networks.map(({ name }) => [{ do: 'remove-network', network: name }]);
}

function isOf(instance: ObservedInstance, { token, release }: FailedRollout): boolean {
  return instance.role === 'path' ? instance.name.endsWith(`.${token}`) : instance.origin.release === release;
}

const hasPredecessor = (path: ObservedInstance, observed: Observation): boolean =>
  unitState(observed, path.owner).serving.some((serving) => serving.name !== path.name && serving.createdAt <= path.createdAt);

function goes(instance: ObservedInstance, observed: Observation, { first }: FailedRollout): boolean {
  if (first || asideKindOf(instance)) return true;
  if (instance.role === 'path') return instance.state !== 'running' || !(isLetIn(instance) || instance.path?.phase === 'draining');
  return !inUse(unitState(observed, instance.owner), instance.body, instance.colour);
}
