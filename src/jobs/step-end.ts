import type { ObservedJobStep } from '../engine/job-steps.ts';
import { stepWords, type JobRun, type PlannedStep, type StepEnd } from '../job-run.ts';
import type { Problem } from '../problem.ts';

/** How a step ended, by its container. Pure. */
export function endOf(run: JobRun, step: PlannedStep, container: ObservedJobStep): StepEnd {
  const { startedAt, endedAt = '', exitCode = -1 } = container;
  const times = { ...(startedAt !== undefined && { startedAt }), endedAt, exitCode };
  if (exitCode === 0) return { outcome: 'passed', ...times };
  const problem = (why: string): Problem => ({ code: 'JOB_FAILED', what: `step ${stepWords(step.key)} did not pass`, why });
  if (container.exceeded) return { outcome: 'failed', ...times, problem: problem(exceededWords(step, container.exceeded)) };
  if (run.cancelAskedAt !== undefined) return { outcome: 'cancelled', ...times };
  const limit = limitReached(run, step, { startedAt, endedAt });
  if (limit !== undefined) return { outcome: 'timed-out', ...times, problem: problem(limit) };
  return { outcome: 'failed', ...times, problem: problem(`it ended with exit code ${exitCode}`) };
}

function limitReached(run: JobRun, step: PlannedStep, { startedAt, endedAt }: { startedAt?: string | undefined; endedAt: string }) {
  const since = (at: string | undefined): number => (at === undefined ? 0 : Date.parse(endedAt) - Date.parse(at));
  if (since(startedAt) >= step.limitMs) return `it took longer than the ${step.limitMs / 1000} s it may`;
  if (since(run.startedAt) >= run.plan.limitMs) return `the run took longer than the ${run.plan.limitMs / 1000} s it may`;
  return undefined;
}

const exceededWords = ({ limits }: PlannedStep, exceeded: 'memory' | 'disk'): string =>
  exceeded === 'memory'
    ? `it wanted more than its ${Math.round(limits.memoryBytes / 2 ** 20)} MB of memory`
    : 'it wrote more into its folder than it may';

/** Nobody can tell whether it did its work; so it is not done again. */
export const lostStep = (step: PlannedStep, container: string, endedAt: string): StepEnd => ({
  outcome: 'lost',
  endedAt,
  problem: {
    code: 'STEP_LOST',
    what: `nobody knows how step ${stepWords(step.key)} ended`,
    why: `its container ${container.slice(0, 12)} is gone; somebody removed it, or the engine lost it`,
    safe: 'it is not run a second time',
    next: 'ask for another run',
  },
});
