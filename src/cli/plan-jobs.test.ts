import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Job } from '../architecture/job-model.ts';
import { diffReleases } from '../release/diff.ts';
import { architectureOf, inputsOf, jobOf } from '../release/release-fixture.ts';
import type { ReleaseInputs } from '../release/manifest.ts';
import { planJobs } from './plan-jobs.ts';

const withJobs = (jobs: Readonly<Record<string, Job>>, version = 1): ReleaseInputs =>
  inputsOf(architectureOf({ jobs, secrets: { token: { version } } }));

function planned(from: ReleaseInputs, to: ReleaseInputs) {
  const differences = diffReleases(from, to, 'local');
  assert.ok(differences.ok);
  return planJobs(from, to, differences.value);
}

test('a plan says which jobs come, go and change, and why', () => {
  const kept = jobOf({}, { secrets: { token: 'token' } });
  const from = withJobs({ kept, gone: jobOf(), changed: jobOf(), same: jobOf() });
  const to = withJobs({ kept, changed: jobOf({}, { command: ['make'] }), fresh: jobOf(), same: jobOf() }, 2);
  assert.deepEqual(planned(from, to), [
    { name: 'changed', change: 'changed', why: ['job changed, step unit: command is ["make"], was ["npm","test"]'] },
    { name: 'fresh', change: 'added', why: [] },
    { name: 'gone', change: 'removed', why: [] },
    { name: 'kept', change: 'changed', why: ['secret token: version 1 -> 2'] },
  ]);
});

test('where nothing is live, every job is new', () => {
  assert.deepEqual(planJobs(undefined, withJobs({ b: jobOf(), a: jobOf() }), []), [
    { name: 'a', change: 'added', why: [] },
    { name: 'b', change: 'added', why: [] },
  ]);
});
