import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { JobTriggers } from '../architecture/job-model.ts';
import { jobOf } from '../release/release-fixture.ts';
import { jobsAfter, jobsOfPush, nextTime, nextTimes, type Push } from './triggers.ts';

const jobsOn = (triggers: Readonly<Record<string, JobTriggers>>) =>
  Object.fromEntries(Object.entries(triggers).map(([name, on]) => [name, jobOf({ on })]));

const pushed = jobsOn({
  every: { push: {} },
  main: { push: { branches: ['main', 'release/*'] } },
  catalog: { push: { paths: ['catalog/**', '*.md'] } },
  both: { push: { branches: ['main'], paths: ['catalog/**'] } },
  nightly: { schedule: ['0 3 * * *'] },
  hand: {},
});

const pushes: [what: string, push: Push, started: string[]][] = [
  ['to main, of the catalog', { branch: 'main', changedPaths: ['x', 'catalog/api/a.ts'] }, ['both', 'catalog', 'every', 'main']],
  ['to main, of something else', { branch: 'main', changedPaths: ['docs/a.md'] }, ['every', 'main']],
  ['to a branch, of a file at the top', { branch: 'feature/x', changedPaths: ['README.md'] }, ['catalog', 'every']],
  ['to a branch that a pattern fits', { branch: 'release/1', changedPaths: [] }, ['every', 'main']],
  ['to main, of nobody knows what', { branch: 'main' }, ['both', 'catalog', 'every', 'main']],
  ['to a branch with a name like a command', { branch: '$(touch x);main' }, ['catalog', 'every']],
];

for (const [what, push, started] of pushes) {
  test(`a push ${what} starts ${started.join(', ')}`, () => assert.deepEqual(jobsOfPush(pushed, push), started));
}

test('a job without a trigger is started by no push', () => {
  const name = fc.string({ minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(name, fc.array(name), (branch, changedPaths) => {
      const started = jobsOfPush(pushed, { branch, changedPaths });
      assert(!started.includes('hand') && !started.includes('nightly') && started.includes('every'));
    }),
  );
});

test('jobs start after one that passed, and after no other', () => {
  const jobs = jobsOn({ build: {}, test: { after: ['build'] }, lint: { after: ['build', 'test'] }, deploy: { after: ['test'] } });
  assert.deepEqual(jobsAfter(jobs, { job: 'build', passed: true }), ['lint', 'test']);
  assert.deepEqual(jobsAfter(jobs, { job: 'test', passed: true }), ['deploy', 'lint']);
  assert.deepEqual(jobsAfter(jobs, { job: 'deploy', passed: true }), []);
  assert.deepEqual(jobsAfter(jobs, { job: 'build', passed: false }), []);
});

const at = (text: string): Date => new Date(text);
const scheduled = jobsOn({
  nightly: { schedule: ['0 3 * * *'] },
  often: { schedule: ['0 * * * *', '30 12 * * *'] },
  never: { push: {} },
});

test('what came due is told once, at its last time, however many were missed', () => {
  const due = (since: string, until: string) =>
    nextTimes(scheduled, at(since), at(until)).map(({ job, at: time }) => [job, time.toISOString()]);
  assert.deepEqual(due('2026-03-28T02:59:00Z', '2026-03-28T02:59:59Z'), []);
  assert.deepEqual(due('2026-03-28T02:59:00Z', '2026-03-28T03:00:00Z'), [
    ['nightly', '2026-03-28T03:00:00.000Z'],
    ['often', '2026-03-28T03:00:00.000Z'],
  ]);
  assert.deepEqual(due('2026-03-28T03:00:00Z', '2026-03-28T03:59:59Z'), []);
  assert.deepEqual(due('2026-03-20T00:00:00Z', '2026-03-28T12:45:00Z'), [
    ['nightly', '2026-03-28T03:00:00.000Z'],
    ['often', '2026-03-28T12:30:00.000Z'],
  ]);
});

test('nobody need look before the first time', () => {
  assert.equal(nextTime(scheduled, at('2026-03-28T12:10:00Z'))?.toISOString(), '2026-03-28T12:30:00.000Z');
  assert.equal(nextTime(jobsOn({ never: { push: {} } }), at('2026-03-28T12:10:00Z')), undefined);
});

test('whoever looks often finds each time once, also where clocks are put forward elsewhere', () => {
  const minutes = fc.array(fc.integer({ min: 1, max: 59 }), { minLength: 10, maxLength: 120 });
  fc.assert(
    fc.property(minutes, (steps) => {
      let since = at('2026-03-28T22:00:00Z');
      const found: string[] = [];
      const begin = since;
      for (const step of steps) {
        const until = new Date(since.getTime() + step * 60_000);
        found.push(...nextTimes(jobsOn({ hourly: { schedule: ['0 * * * *'] } }), since, until).map((due) => due.at.toISOString()));
        since = until;
      }
      const hours = Math.floor((since.getTime() - begin.getTime()) / 3_600_000);
      assert.deepEqual(
        found,
        Array.from({ length: hours }, (_, index) => new Date(begin.getTime() + (index + 1) * 3_600_000).toISOString()),
      );
    }),
    { numRuns: 50 },
  );
});
