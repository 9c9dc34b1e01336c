import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CommitId, ReleaseId, RunId } from '../digest.ts';
import type { RecordedEvent } from '../events.ts';
import { noticedTypes, noticeOf } from './notice.ts';

const at = '2026-01-01T00:00:00.000Z';
const release = 'a'.repeat(64) as ReleaseId;
const problem = { code: 'ALARM_FIRED', what: 'an alarm fired', why: 'catalog/slow: too slow' } as const;
const unit = { kind: 'app', name: 'catalog' } as const;
const commit = 'uncommitted';

const job = { run: 'test-1' as RunId, job: 'test', commit: 'c'.repeat(40) as CommitId } as const;
const failedJob = {
  code: 'JOB_FAILED',
  what: 'job test failed in step unit',
  why: 'it ended with exit code 2',
  where: 'container 0123456789ab (10.1.2.3) on host builder (192.0.2.7)',
  lines: [...Array.from({ length: 12 }, (_, index) => `line ${index + 1}`), 'x'.repeat(400)],
} as const;

const told: [RecordedEvent, string | undefined][] = [
  [{ type: 'unit-held-back', unit, problem, at }, 'app catalog is held back at its last good generation: an alarm fired'],
  [{ type: 'alarm-fired', unit, alarm: 'catalog/slow', what: 'catalog/slow: too slow', at }, 'alarm catalog/slow: too slow'],
  [
    { type: 'going-back', release, to: release, problem, at },
    'going back from release aaaaaaaaaaaa to aaaaaaaaaaaa: catalog/slow: too slow',
  ],
  [
    { type: 'rollout-ended', release, commit, outcome: 'failed', durationMs: 1, token: 2, problem, at },
    'release aaaaaaaaaaaa failed: an alarm fired',
  ],
  [
    { type: 'rollout-ended', release, commit, outcome: 'live', durationMs: 1, token: 2, held: [unit], at },
    'release aaaaaaaaaaaa is live, without app catalog',
  ],
  [
    { type: 'rollout-ended', release, commit, outcome: 'live', durationMs: 1, token: 2, rolledBack: true, at },
    'rolled back: release aaaaaaaaaaaa is live again',
  ],
  [{ type: 'rollout-ended', release, commit, outcome: 'failed', durationMs: 0, problem, at }, undefined],
  [
    { type: 'instance-lost', unit, instance: 'api-1', what: 'it died', at },
    'drift: api-1 of app catalog is lost (it died), and is being restored',
  ],
  [{ type: 'job-started', ...job, at }, 'job test started on commit cccccccccccc (run test-1)'],
  [
    { type: 'job-ended', ...job, outcome: 'failed', durationMs: 5, author: 'Ada', problem: failedJob, at },
    [
      'job test failed in step unit on commit cccccccccccc by Ada (run test-1): it ended with exit code 2',
      'in container 0123456789ab (10.1.2.3) on host builder (192.0.2.7)',
      ...failedJob.lines.slice(-10, -1),
      `${'x'.repeat(299)}…`,
    ].join('\n'),
  ],
  [
    { type: 'job-ended', ...job, outcome: 'passed', durationMs: 5, fixed: true, at },
    'job test is fixed on commit cccccccccccc (run test-1)',
  ],
  [{ type: 'job-ended', ...job, outcome: 'passed', durationMs: 5, at }, undefined],
  [{ type: 'job-ended', ...job, outcome: 'cancelled', durationMs: 5, at }, undefined],
  [
    { type: 'delivery-found', repository: 'shop/web', branch: 'main', after: 'd'.repeat(40), at },
    'a push to main (commit dddddddddddd) was found whose webhook never came',
  ],
  [{ type: 'release-live', release, durationMs: 1, at }, undefined],
];

for (const [event, words] of told)
  test(`of ${event.type} a channel is told ${words === undefined ? 'nothing' : `“${words.split('\n')[0]}”`}`, () => {
    assert.equal(noticeOf(event), words);
    if (words !== undefined) assert.ok((noticedTypes as readonly string[]).includes(event.type), 'the record is searched for it');
  });
