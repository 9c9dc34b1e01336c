import { didYouMean } from '../architecture/closest.ts';
import type { Job, JobStep } from '../architecture/job-model.ts';
import { type Cell, cellsOf, filledIn } from '../architecture/matrix.ts';
import { mapValues } from '../map-values.ts';
import type { Problem } from '../problem.ts';
import { done, failed, type Result } from '../result.ts';

/** A step in a cell, with the cell's values in place of the axes. `key`: `<cell>/<step>`, unique in the run. */
export type RunStep = { key: string; cell: string; step: JobStep };

/**
 * All that a run does. Cells run side by side; in each, one group after another, the steps of a group side by side. A cell is called
 * `axis=value,axis=value`, and by the empty name where there is no matrix. `parameters`: of all steps.
 */
export type RunSteps = {
  parameters: Readonly<Record<string, string>>;
  cells: readonly { cell: string; groups: readonly (readonly RunStep[])[] }[];
};

/**
 * The steps of a run of a job with these parameters, in an order that follows from the job alone. UNKNOWN_PARAMETER for one that the job
 * has not, PARAMETER_INVALID for a value that no environment variable can have. Pure.
 */
export function stepsOfRun(name: string, job: Job, parameters: Readonly<Record<string, string>> = {}): Result<RunSteps> {
  const problem = parameterProblem(name, job, parameters);
  if (problem) return failed(problem);
  const cells = cellsOf(job.matrix).map((values) => {
    const cell = cellName(values);
    return { cell, groups: job.steps.map((group) => group.map((step) => runStep(step, cell, values))) };
  });
  return done({ parameters: { ...job.parameters, ...parameters }, cells });
}

const runStep = (step: JobStep, cell: string, values: Cell): RunStep => ({
  key: `${cell}/${step.name}`,
  cell,
  step: {
    ...step,
    agent: filledIn(step.agent, values),
    command: step.command.map((word) => filledIn(word, values)),
    settings: mapValues(step.settings, (value) => filledIn(value, values)),
  },
});

const cellName = (values: Cell): string =>
  Object.entries(values)
    .map(([axis, value]) => `${axis}=${value}`)
    .join(',');

/** What the kernel gives a program whole: one variable's limit is 128 KiB. */
const longestValue = 100_000;

function parameterProblem(name: string, job: Job, parameters: Readonly<Record<string, string>>): Problem | undefined {
  const known = Object.keys(job.parameters);
  const unknown = Object.keys(parameters).find((parameter) => !known.includes(parameter));
  if (unknown !== undefined)
    return {
      code: 'UNKNOWN_PARAMETER',
      what: `job ${name} has no parameter ${unknown}${didYouMean(unknown, known)}`,
      why: known.length === 0 ? 'it has none' : `it has ${known.join(', ')}`,
      safe: 'nothing was run',
      next: `leave it out, or add it to jobs.${name}.parameters in architecture.ts`,
    };
  const invalid = Object.entries(parameters).find(([, value]) => value.includes('\0') || value.length > longestValue);
  return (
    invalid && {
      code: 'PARAMETER_INVALID',
      what: `parameter ${invalid[0]} of job ${name} cannot be an environment variable`,
      why: `it holds a NUL character, or more than ${longestValue} characters`,
      safe: 'nothing was run',
      next: 'give it another value',
    }
  );
}
