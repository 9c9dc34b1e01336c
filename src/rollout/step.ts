import type { BodyId, GenerationId } from '../digest.ts';
import type { InstanceRole, InstanceSpec, NetworkSpec, Owner, SlotSpec, VolumeCopy, VolumeSpec } from '../engine/engine.ts';
import type { AsideKind } from './trial.ts';

/** An instance as a step names it. `container`: of one that is there. `aside`: what it is for, where it serves nobody. */
export type Named = { owner: Owner; name: string; generation: GenerationId; role: InstanceRole; container?: string; aside?: AsideKind };

/** One effect on the engine. Each is safe to repeat. */
export type Step =
  | { do: 'ensure-network'; network: NetworkSpec }
  | { do: 'ensure-volume'; volume: VolumeSpec }
  | { do: 'note-body'; volume: VolumeSpec; body: BodyId }
  | { do: 'copy-volume'; copy: VolumeCopy }
  | { do: 'remove-copy'; volume: string }
  | { do: 'ensure-slot'; slot: SlotSpec }
  | { do: 'start-instance'; instance: InstanceSpec }
  | { do: 'await-healthy'; path: Named }
  | { do: 'hold-path'; path: Named }
  | { do: 'promote-path'; path: Named }
  | { do: 'drain-path'; path: Named }
  | { do: 'signal-instance'; instance: Named; signal: string }
  | { do: 'remove-instance'; instance: Named; cut?: number; left?: true }
  | { do: 'remove-slot'; slot: string }
  | { do: 'remove-network'; network: string };

/** Steps of one lane run one after another; lanes run side by side. */
export type Lane = readonly Step[];

/**
 * What is to be done next, after which the engine is observed again. The order of the stages is the rollout:
 *
 *     clear -> ground -> (stores) -> prepare -> check-stores -> switch-stores -> before-steps -> check -> switch -> switch-core
 *                                       ^                                              |     (all healthy)              |
 *                                       +------------(the instances behind them)-------+                                |
 *                                     settled <- tidy <- (wait) <- (stand-by) <- retire <- after-steps <- drain <- (live)
 *
 * Stores whose server is new to their data, each stage for all of them before the next for any:
 *
 *     restore (a failed rollout's) -> rehearse (on a copy) -> hold (clients wait) -> snapshot -> prove (in its place) -> let-in
 *
 * `depart`: instances that are too many leave, whenever there is something to do for it.
 * Where a release is held for a look, `preview` and `held` come after `check`, and nothing after them until it is let live.
 * `stand-by`: where an app bakes, the generation before is made ready to take over again. `wait`: nothing can be done until a
 * draining path has ended. `undo`: a failed rollout's traces go.
 * `live`: every unit's wanted generation serves. `followedBy`: rounds of lanes that may follow without another look, each when all
 * of the round before succeeded.
 */
export type Stage = { name: StageName; lanes: readonly Lane[]; live: boolean; followedBy?: readonly (readonly Lane[])[] };

export type StageName =
  | 'clear'
  | 'ground'
  | 'restore'
  | 'rehearse'
  | 'hold'
  | 'snapshot'
  | 'prove'
  | 'let-in'
  | 'prepare'
  | 'check-stores'
  | 'switch-stores'
  | 'before-steps'
  | 'check'
  | 'preview'
  | 'held'
  | 'switch'
  | 'switch-core'
  | 'depart'
  | 'drain'
  | 'after-steps'
  | 'retire'
  | 'stand-by'
  | 'wait'
  | 'tidy'
  | 'undo'
  | 'settled';

/** A step in words, for events and problems. */
export function describeStep(step: Step): string {
  switch (step.do) {
    case 'ensure-network':
      return `make network ${step.network.name}`;
    case 'ensure-volume':
      return `make volume ${step.volume.name}`;
    case 'note-body':
      return `note which server has volume ${step.volume.name}`;
    case 'copy-volume':
      return `copy volume ${step.copy.from} to ${step.copy.to.name}`;
    case 'remove-copy':
      return `remove copy ${step.volume}`;
    case 'ensure-slot':
      return `make place ${step.slot.name}`;
    case 'start-instance':
      return `start ${step.instance.name}`;
    case 'await-healthy':
      return `wait for ${step.path.name} to report healthy`;
    case 'hold-path':
      return `let connections wait in ${step.path.name}`;
    case 'promote-path':
      return `switch to ${step.path.name}`;
    case 'drain-path':
      return `drain ${step.path.name}`;
    case 'signal-instance':
      return `send ${step.signal} to ${step.instance.name}`;
    case 'remove-instance':
      return `remove ${step.instance.name}`;
    case 'remove-slot':
      return `remove place ${step.slot}`;
    case 'remove-network':
      return `remove network ${step.network}`;
  }
}
