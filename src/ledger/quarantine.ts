import type { ReleaseId } from '../digest.ts';
import type { ProblemCode } from '../problem.ts';
import type { Quarantine, RolloutRecord } from './ledger.ts';

/** Failures that say nothing against the release: the same one may do well a minute later. */
const notItsFault: ReadonlySet<ProblemCode> = new Set([
  'CONTROLLER_DIED',
  'ENGINE_ABSENT',
  'IDENTITY_MISSING',
  'SECRET_UNREADABLE',
  'ENGINE_FORBIDDEN',
  'ENGINE_REFUSED',
  'NO_SPACE',
  'PORT_TAKEN',
  'ROLLOUT_HELD',
  'RELEASE_DROPPED',
]);

/**
 * Whether a release may be deployed in an environment, by its record (newest first): the newest word on it counts. A rollout
 * of it that failed by its own fault, or a rollback away from it, speaks against it; having been live since speaks for it. Pure.
 */
export function quarantineOf(rollouts: readonly RolloutRecord[], release: ReleaseId, environment: string): Quarantine | undefined {
  for (const by of rollouts.filter((rollout) => rollout.environment === environment)) {
    if (by.release === release && by.outcome === 'live') return undefined;
    if (by.release === release && by.outcome === 'failed' && by.problem?.code === 'ROLLED_BACK') return { why: 'rolled-back', by };
    if (by.release === release && by.outcome === 'failed' && by.problem && !notItsFault.has(by.problem.code)) return { why: 'failed', by };
    if (by.asked === 'rollback' && by.replaced === release && by.release !== release && by.outcome === 'live')
      return { why: 'rolled-back', by };
  }
  return undefined;
}
