import { stepWords, type JobRun, type RunOutcome, type StepRecord } from '../job-run.ts';
import type { Problem } from '../problem.ts';

/** Why a run did not pass: of the steps that did not, the first that ended. Pure. */
export function runProblem(run: JobRun, outcome: Exclude<RunOutcome, 'passed'>): Problem {
  if (outcome === 'cancelled')
    return {
      code: 'JOB_CANCELLED',
      what: `run ${run.id} of job ${run.job} was cancelled`,
      why: `somebody asked for it at ${run.cancelAskedAt}`,
    };
  const step = firstBad(run.steps);
  // What a builder does is no step that anybody wrote: why it could not be done is what there is to say.
  if (step?.problem && run.plan.steps.some(({ key, builder }) => key === step.step && builder))
    return { next: logsOf(run, step), ...step.problem };
  const what = `job ${run.job} ${outcome === 'failed' ? 'failed' : 'took too long'}${step ? ` in step ${stepWords(step.step)}` : ''}`;
  const where = step?.problem?.where ?? (step?.container && `container ${step.container.slice(0, 12)}`);
  const why = step?.problem && (step.problem.why ?? step.problem.what);
  return {
    code: 'JOB_FAILED',
    what,
    ...(why !== undefined && { why }),
    ...(where !== undefined && { where }),
    ...(step?.problem?.lines && { lines: step.problem.lines }),
    next: logsOf(run, step),
  };
}

const logsOf = (run: JobRun, step: StepRecord | undefined): string =>
  `changeless job logs ${run.id}${step ? ` --step '${stepWords(step.step)}'` : ''}`;

export const firstBad = (steps: readonly StepRecord[]): StepRecord | undefined =>
  steps
    .filter(({ outcome }) => outcome !== undefined && outcome !== 'passed' && outcome !== 'cancelled')
    .toSorted((a, b) => ((a.endedAt ?? '') < (b.endedAt ?? '') ? -1 : 1))[0];
