import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReleaseId, RunId } from '../digest.ts';
import type { ObservedJobStep } from '../engine/job-steps.ts';
import type { JobRun, PlannedStep, StepRecord } from '../job-run.ts';
import { graceMs, nextDeadlineMs, planRun, type RunSight } from './plan-run.ts';

const begunMs = Date.UTC(2026, 0, 1);
const at = (ms: number): string => new Date(begunMs + ms).toISOString();

const planned = (name: string, group: number, more: Partial<PlannedStep> = {}): PlannedStep => ({
  key: `/${name}`,
  cell: '',
  name,
  group,
  agent: 'node',
  caches: {},
  artifacts: [],
  secrets: [],
  limits: { memoryBytes: 2 ** 20, processes: 8 },
  limitMs: 60_000,
  ...more,
});

const steps = [planned('build', 0, { artifacts: ['dist'] }), planned('unit', 1), planned('lint', 1), planned('publish', 2)];

const runOf = (records: readonly StepRecord[], more: Partial<JobRun> = {}): JobRun => ({
  id: 'r-1' as RunId,
  job: 'test',
  release: 'a'.repeat(64) as ReleaseId,
  commit: 'uncommitted',
  environment: 'local',
  reason: 'push',
  parameters: {},
  plan: { steps, limitMs: 600_000 },
  acceptedAt: at(0),
  startedAt: at(0),
  steps: records,
  ...more,
});

const container = (step: string, more: Partial<ObservedJobStep> = {}): ObservedJobStep => ({
  run: 'r-1' as RunId,
  step,
  job: 'test',
  token: 1,
  container: `c${step}`,
  state: 'running',
  startedAt: at(0),
  ...more,
});
const exited = (step: string, exitCode = 0): ObservedJobStep => container(step, { state: 'exited', exitCode, endedAt: at(5) });
const passed = (step: string): StepRecord => ({ step, container: `c${step}`, outcome: 'passed', exitCode: 0, endedAt: at(5) });
const noted = (step: string): StepRecord => ({ step, container: `c${step}` });

const sight = (run: JobRun, observed: readonly ObservedJobStep[], more: Partial<RunSight> = {}): RunSight => ({
  run,
  observed,
  kept: new Set(),
  free: 8,
  nowMs: begunMs + 10,
  ...more,
});

/** What is planned, in a few words. */
const words = (seen: RunSight): string[] =>
  planRun(seen).map((effect) => {
    if (effect.do === 'record-end') return `record-end ${effect.step.key} ${effect.end.outcome}`;
    if (effect.do === 'signal') return `signal ${effect.step.key} ${effect.signal}`;
    if (effect.do === 'remove') return `remove ${effect.step}`;
    if (effect.do === 'end') return `end ${effect.outcome}`;
    return 'step' in effect ? `${effect.do} ${effect.step.key}` : effect.do;
  });

const cases: [sentence: string, seen: RunSight, planned: string[]][] = [
  ['a run that was accepted begins', sight(runOf([], { startedAt: undefined as never }), []), ['begin']],
  ['then its first group starts', sight(runOf([]), []), ['start /build']],
  ['a step that runs is waited for', sight(runOf([noted('/build')]), [container('/build')]), []],
  ['it is waited for, too, by who does not know of its container', sight(runOf([]), [container('/build')]), []],
  [
    'ends are recorded before anything else',
    sight(runOf([passed('/build'), noted('/unit')]), [exited('/build'), exited('/unit')]),
    ['record-end /unit passed'],
  ],
  ['the next group starts side by side', sight(runOf([passed('/build')]), [exited('/build')]), ['start /unit', 'start /lint']],
  ['no more start than may', sight(runOf([passed('/build')]), [exited('/build')], { free: 1 }), ['start /unit']],
  ['a group waits for all of the one before', sight(runOf([passed('/build'), passed('/unit'), noted('/lint')]), [container('/lint')]), []],
  [
    'a container that is noted and never ran is made uncertain no more',
    sight(runOf([noted('/build')]), [container('/build', { state: 'created' })]),
    ['forbid-start /build'],
  ],
  ['one that nobody noted is made anew', sight(runOf([]), [container('/build', { state: 'created' })]), ['start /build']],
  ['one that was noted and is gone is lost', sight(runOf([noted('/build')]), []), ['record-end /build lost']],
  [
    'nothing follows a step that failed, and the run ends',
    sight(runOf([passed('/build'), passed('/lint'), { ...passed('/unit'), outcome: 'failed' }]), []),
    ['end failed'],
  ],
  [
    'but not before what runs beside it has ended',
    sight(runOf([passed('/build'), noted('/lint'), { ...passed('/unit'), outcome: 'failed' }]), [container('/lint')]),
    [],
  ],
  ['a run all of which passed has passed', sight(runOf(steps.map(({ key }) => passed(key))), []), ['end passed']],
  [
    'what takes too long is asked to end',
    sight(runOf([noted('/build')]), [container('/build')], { nowMs: begunMs + 60_000 }),
    ['signal /build SIGTERM'],
  ],
  [
    'and is ended when it does not',
    sight(runOf([noted('/build')]), [container('/build')], { nowMs: begunMs + 60_000 + graceMs }),
    ['signal /build SIGKILL'],
  ],
  [
    'what wrote too much is ended at once',
    sight(runOf([noted('/build')]), [container('/build', { exceeded: 'disk' })]),
    ['signal /build SIGKILL'],
  ],
  [
    'a run that is cancelled before it began ends',
    sight(runOf([], { startedAt: undefined as never, cancelAskedAt: at(1) }), []),
    ['end cancelled'],
  ],
  [
    'one that is cancelled starts nothing more',
    sight(runOf([passed('/build')], { cancelAskedAt: at(6) }), [exited('/build')]),
    ['end cancelled'],
  ],
  [
    'of a run that has ended what is kept is removed',
    sight(runOf([passed('/build')], { outcome: 'failed', endedAt: at(9) }), [exited('/build'), exited('/unit')], {
      kept: new Set(['/unit']),
    }),
    ['remove /unit'],
  ],
  ['and when nothing is left it is closed', sight(runOf([], { outcome: 'failed', endedAt: at(9) }), []), ['close']],
];

for (const [sentence, seen, expected] of cases) void test(sentence, () => assert.deepEqual(words(seen), expected));

void test('artifacts come from all earlier groups of the same cell', () => {
  const [effect] = planRun(sight(runOf([passed('/build'), passed('/unit'), passed('/lint')]), [exited('/build')]));
  assert.deepEqual(effect?.do === 'start' && effect.brought, [{ from: '/build', paths: ['dist'] }]);
});

void test('the next limit is known, so that nobody has to look before', () => {
  const running = sight(runOf([noted('/build')]), [container('/build')]);
  assert.equal(nextDeadlineMs(running), begunMs + 60_000);
  assert.equal(nextDeadlineMs({ ...running, nowMs: begunMs + 60_001 }), begunMs + 60_000 + graceMs);
  assert.equal(nextDeadlineMs(sight(runOf([]), [])), undefined);
});
