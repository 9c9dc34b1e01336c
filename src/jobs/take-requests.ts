import type { Job } from '../architecture/job-model.ts';
import { closest } from '../architecture/closest.ts';
import type { ReleaseId } from '../digest.ts';
import type { ObservedRequest } from '../engine/engine.ts';
import type { RunPlan } from '../job-run.ts';
import type { Problem } from '../problem.ts';
import type { JobRequest } from '../request.ts';
import { isJobRequest } from '../request.ts';
import { done, failed, type Result } from '../result.ts';
import type { Jobs } from './run-jobs.ts';

/** What the release in charge says of jobs. */
export type JobDefinitions = {
  release: ReleaseId;
  environment: string;
  jobs: Readonly<Record<string, Job>>;
  planOf: (job: Job) => RunPlan;
};

/** Serves each request that is about jobs: it is on record before it is taken away. */
export async function takeJobRequests(jobs: Jobs): Promise<void> {
  const { engine, architecture, report } = jobs.hands;
  const requests = await engine.requests(architecture);
  if (!requests.ok) return;
  for (const asked of requests.value) {
    if (!isJobRequest(asked.request)) continue;
    if (!(await jobs.mayTake())) return;
    const problem = await serve(jobs, asked, asked.request);
    report(problem ? { type: 'request-refused', request: asked.name, problem } : { type: 'request-served', request: asked.name });
    await engine.takeRequest(architecture, asked.name);
  }
}

async function serve(jobs: Jobs, asked: ObservedRequest, request: JobRequest): Promise<Problem | undefined> {
  const { runs, report } = jobs.hands;
  if (request.ask === 'cancel-job') return (await runs.cancel(request.run)) ? undefined : nothingToCancel(request.run);
  const found = jobOf(jobs.definitions, request);
  if (!found.ok) return found.problem;
  const { release, environment, planOf } = jobs.definitions;
  const { run: id, job, commit, parameters } = request;
  const accepted = { release, environment, reason: 'by-hand', plan: planOf(found.value) } as const;
  const isNew = await runs.accept({ id, job, commit, parameters: { ...found.value.parameters, ...parameters }, ...accepted });
  if (isNew) report({ type: 'job-accepted', run: id, job, commit, reason: 'by-hand', request: asked.name });
  return undefined;
}

function jobOf({ jobs }: JobDefinitions, { job: name, parameters }: JobRequest & { ask: 'run-job' }): Result<Job> {
  const job = Object.hasOwn(jobs, name) ? jobs[name] : undefined;
  if (job === undefined) return failed(unknown(`job ${name}`, name, Object.keys(jobs)));
  const odd = Object.keys(parameters).find((each) => !Object.hasOwn(job.parameters, each));
  return odd === undefined ? done(job) : failed(unknown(`parameter ${odd} of job ${name}`, odd, Object.keys(job.parameters)));
}

function unknown(what: string, name: string, known: readonly string[]): Problem {
  const near = closest(name, known);
  return {
    code: 'UNKNOWN_JOB',
    what: `the release that is live has no ${what}`,
    why: known.length === 0 ? 'it has none at all' : near === undefined ? `there are ${known.join(', ')}` : `did you mean ${near}?`,
    safe: 'nothing was started',
    next: 'changeless jobs    lists them',
  };
}

const nothingToCancel = (run: string): Problem => ({
  code: 'UNKNOWN_RUN',
  what: `there is no run ${run} that could be cancelled`,
  why: 'no run of that id was accepted, or it has ended',
  safe: 'nothing was changed',
  next: 'changeless jobs',
});
