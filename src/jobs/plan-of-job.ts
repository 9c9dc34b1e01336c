import type { Job, JobStep } from '../architecture/job-model.ts';
import { byCodeUnit } from '../canonical-json.ts';
import type { RunPlan, RunSecret, RunStep } from '../job-run.ts';

/** A value of each axis. */
type Cell = Readonly<Record<string, string>>;

/** `secretOf`: the version of a secret that is used, encrypted. */
export type PlanContext = { secretOf: (secret: string) => Omit<RunSecret, 'file'> };

/** What a run of the job is to do: every step of every cell. Pure. */
export function planOfJob(job: Job, context: PlanContext): RunPlan {
  const steps = cellsOf(job.matrix ?? {}).flatMap((cell) =>
    job.steps.flatMap((group, index) => group.map((step) => runStep(step, { cell, group: index, context }))),
  );
  return { steps, limitMs: job.limitMs };
}

/** Every combination, in the order of the axes' names; one empty one where there is no axis. */
function cellsOf(matrix: Readonly<Record<string, readonly string[]>>): Cell[] {
  let cells: Cell[] = [{}];
  for (const [axis, values] of Object.entries(matrix).toSorted(([a], [b]) => byCodeUnit(a, b)))
    cells = cells.flatMap((cell) => values.map((value) => ({ ...cell, [axis]: value })));
  return cells;
}

/** `axis=value,axis=value`. */
const cellName = (cell: Cell): string =>
  Object.entries(cell)
    .map(([axis, value]) => `${axis}=${value}`)
    .join(',');

type Position = { cell: Cell; group: number; context: PlanContext };

function runStep(step: JobStep, { cell, group, context }: Position): RunStep {
  const name = cellName(cell);
  return {
    key: `${name}/${step.name}`,
    cell: name,
    name: step.name,
    group,
    agent: step.agent.replaceAll(/\$\{([^}]*)\}/g, (whole, axis: string) => cell[axis] ?? whole),
    caches: step.caches,
    artifacts: step.artifacts,
    secrets: Object.entries(step.secrets ?? {}).map(([secret, file]) => ({ file, ...context.secretOf(secret) })),
    limits: step.limits,
    limitMs: step.limitMs,
  };
}
