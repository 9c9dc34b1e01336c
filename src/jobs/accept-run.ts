import type { CommitId, RunId } from '../digest.ts';
import type { Report } from '../events.ts';
import type { RunReason } from '../job-run.ts';
import type { JobRuns } from '../ledger/job-runs.ts';
import type { Problem } from '../problem.ts';
import { done, failed, type Result } from '../result.ts';
import { jobNamed } from './job-named.ts';
import { planOfJob } from './plan-of-job.ts';
import { preparedRun, type PushContext } from './runs-of-push.ts';
import type { JobDefinitions } from './workplace.ts';

export type Accepting = { runs: Pick<JobRuns, 'accept'>; definitions: JobDefinitions; report: Report };

/**
 * `request`: the name of what asked for it on the engine. `prepare`: whoever asks has no engine, and so made no images of its steps: the
 * builder makes them first.
 */
export type AskedRun = {
  id: RunId;
  job: string;
  commit: CommitId | 'uncommitted';
  parameters: Readonly<Record<string, string>>;
  reason: RunReason;
  request?: string;
  prepare?: PushContext;
};

/**
 * Puts a run on record, with all that it is to do; one of that id that is there stays as it is. Problems are those of `jobNamed` and
 * `planOfJob`, and REQUEST_REFUSED where nobody makes the images that it lacks: then nothing is.
 */
export async function acceptRun({ runs, definitions, report }: Accepting, asked: AskedRun): Promise<Result<void>> {
  const { id, job: name, commit, parameters, reason, request } = asked;
  const job = jobNamed(definitions.architecture.jobs ?? {}, name);
  if (!job.ok) return failed(job.problem);
  const planned = planOfJob({ name, job: job.value }, parameters, definitions);
  if (!planned.ok) return failed(planned.problem);
  if (asked.prepare && !definitions.architecture.deliver) return failed(nobodyMakesImages(name));
  const { plan, parameters: all } = (asked.prepare && preparedRun({ job: name, parameters }, asked.prepare)) ?? planned.value;
  const { release, environment } = definitions;
  const isNew = await runs.accept({ id, job: name, commit, release, environment, reason, plan, parameters: all });
  if (isNew) report({ type: 'job-accepted', run: id, job: name, commit, reason, ...(request !== undefined && { request }) });
  return done(undefined);
}

const nobodyMakesImages = (job: string): Problem => ({
  code: 'REQUEST_REFUSED',
  what: `nobody here can make the images of the steps of job ${job}`,
  why: 'they hold the tree of the commit, and the architecture does not say where that can be fetched',
  safe: 'nothing was started',
  next: `deliver: { repository } in architecture.ts says where the builder finds the commit; or changeless job run ${job} without --server`,
});
