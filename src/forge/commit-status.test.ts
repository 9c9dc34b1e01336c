import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CommitId, ReleaseId, RunId } from '../digest.ts';
import type { RecordedEvent } from '../events.ts';
import { statusOf, statusTypes } from './commit-status.ts';

const at = '2026-01-01T00:00:00.000Z';
const release = 'a'.repeat(64) as ReleaseId;
const commit = 'c'.repeat(40) as CommitId;
const job = { run: 'test-1' as RunId, job: 'test', commit } as const;
const ended = { type: 'rollout-ended', release, commit, durationMs: 1, token: 2, at } as const;
const unhealthy = { code: 'ROLLOUT_UNHEALTHY', what: 'catalog never became healthy' } as const;
const failed = { code: 'JOB_FAILED', what: 'job test failed in step unit' } as const;

const links = { release: (id: string) => `https://d/${id.slice(0, 3)}`, run: (id: string) => `https://d/${id}` };

const cases: [RecordedEvent, string, string, string][] = [
  [
    { type: 'rollout-started', release, commit, environment: 'production', token: 2, replace: [], keep: [], at },
    'changeless/production',
    'pending',
    'release aaaaaaaaaaaa is being rolled out',
  ],
  [{ ...ended, outcome: 'live' }, 'changeless/production', 'success', 'release aaaaaaaaaaaa is live'],
  [{ ...ended, outcome: 'live', rolledBack: true }, 'changeless/production', 'success', 'release aaaaaaaaaaaa is live again'],
  [
    { ...ended, outcome: 'live', held: [{ kind: 'app', name: 'catalog' }] },
    'changeless/production',
    'failure',
    'release aaaaaaaaaaaa is live, without catalog',
  ],
  [{ ...ended, outcome: 'failed', problem: unhealthy }, 'changeless/production', 'failure', 'catalog never became healthy'],
  [
    { ...ended, outcome: 'failed', problem: { code: 'NO_SPACE', what: 'the disk is full' } },
    'changeless/production',
    'error',
    'the disk is full',
  ],
  [{ ...ended, outcome: 'superseded' }, 'changeless/production', 'error', 'release aaaaaaaaaaaa was skipped, for a newer one came'],
  [{ type: 'job-accepted', ...job, reason: 'push', at }, 'changeless/test', 'pending', 'run test-1 waits'],
  [{ type: 'job-started', ...job, at }, 'changeless/test', 'pending', 'run test-1 is under way'],
  [{ type: 'job-ended', ...job, outcome: 'passed', durationMs: 1, at }, 'changeless/test', 'success', 'run test-1 passed'],
  [
    { type: 'job-ended', ...job, outcome: 'passed', durationMs: 1, fixed: true, at },
    'changeless/test',
    'success',
    'run test-1 passed: it is fixed',
  ],
  [{ type: 'job-ended', ...job, outcome: 'failed', durationMs: 1, problem: failed, at }, 'changeless/test', 'failure', failed.what],
  [
    { type: 'job-ended', ...job, outcome: 'cancelled', durationMs: 1, problem: { code: 'JOB_CANCELLED', what: 'it was cancelled' }, at },
    'changeless/test',
    'error',
    'it was cancelled',
  ],
  [
    { type: 'job-ended', ...job, job: 'production', outcome: 'passed', durationMs: 1, at },
    'changeless/job/production',
    'success',
    'run test-1 passed',
  ],
];

for (const [event, context, state, description] of cases)
  test(`of ${event.type} a commit is told ${state}: ${description}`, () => {
    const link = event.type.startsWith('job') ? 'https://d/test-1' : 'https://d/aaa';
    assert.deepEqual(statusOf(event, 'production', links), { commit, context, state, description, link });
    assert.ok((statusTypes as readonly string[]).includes(event.type), 'the record is searched for it');
  });

const nothing: [string, RecordedEvent][] = [
  ['files that were not committed', { ...ended, commit: 'uncommitted', outcome: 'live' }],
  ['a rollout that never began', { type: 'rollout-ended', release, commit, durationMs: 1, outcome: 'failed', at }],
  ['what is about no commit', { type: 'release-live', release, durationMs: 1, at }],
];

for (const [what, event] of nothing) test(`nobody is told of ${what}`, () => assert.equal(statusOf(event, 'production', links), undefined));

test('a description is no longer than GitHub takes, and a link is left out where there is none', () => {
  const problem = { ...failed, what: 'x'.repeat(200) };
  const status = statusOf({ type: 'job-ended', ...job, outcome: 'failed', durationMs: 1, problem, at }, 'production', {
    release: () => undefined,
    run: () => undefined,
  });
  assert.equal(status?.description, `${'x'.repeat(139)}…`);
  assert.ok(status && !('link' in status));
});
