import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReleaseId } from '../digest.ts';
import type { ProblemCode } from '../problem.ts';
import type { RolloutRecord } from './ledger.ts';
import { quarantineOf } from './quarantine.ts';

const [a, b] = ['a', 'b'] as unknown as [ReleaseId, ReleaseId];

const rollout = (release: ReleaseId, more: Partial<RolloutRecord> = {}): RolloutRecord => ({
  token: 1,
  release,
  commit: 'uncommitted',
  environment: 'local',
  controller: 'c',
  startedAt: '2026-01-01T00:00:00.000Z',
  outcome: 'live',
  ...more,
});

const failedBy = (release: ReleaseId, code: ProblemCode): RolloutRecord =>
  rollout(release, { outcome: 'failed', problem: { code, what: 'it failed', next: 'nothing' } });

const wentBack = rollout(a, { asked: 'rollback', replaced: b });

/** Newest first; whether `b` may be deployed. */
const cases: Record<string, [readonly RolloutRecord[], 'failed' | 'rolled-back' | undefined]> = {
  'one that was never rolled out is free': [[rollout(a)], undefined],
  'one that is live is free': [[rollout(b), rollout(a)], undefined],
  'one that never became healthy is not': [[failedBy(b, 'ROLLOUT_UNHEALTHY'), rollout(a)], 'failed'],
  'nor is it after another release has come live': [[rollout(a), failedBy(b, 'ROLLOUT_UNHEALTHY')], 'failed'],
  'what the engine or the host is to blame for does not count': [[failedBy(b, 'PORT_TAKEN'), failedBy(b, 'ENGINE_REFUSED')], undefined],
  'one that was rolled back is not free': [[wentBack, rollout(b), rollout(a)], 'rolled-back'],
  'a rollback that failed says nothing of what it left': [[{ ...wentBack, outcome: 'failed' }, rollout(b)], undefined],
  'another commit that was asked for by up is no rollback': [[{ ...wentBack, asked: 'up' }, rollout(b)], undefined],
  'once it was live again it is free': [[rollout(b, { asked: 'anyway' }), wentBack, rollout(b)], undefined],
  'a rollback to itself is none': [[rollout(b, { asked: 'rollback', replaced: b })], undefined],
  'what was superseded is free': [[rollout(b, { outcome: 'superseded' })], undefined],
  'other environments do not count': [[{ ...wentBack, environment: 'production' }, rollout(b)], undefined],
};

for (const [name, [rollouts, why]] of Object.entries(cases))
  test(name, () => {
    assert.equal(quarantineOf(rollouts, b, 'local')?.why, why);
  });
