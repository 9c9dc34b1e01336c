import type { Job } from '../architecture/job-model.ts';
import { didYouMean } from '../architecture/closest.ts';
import type { ObservedRequest } from '../engine/engine.ts';
import type { Problem } from '../problem.ts';
import type { JobRequest } from '../request.ts';
import { isJobRequest } from '../request.ts';
import { done, failed, type Result } from '../result.ts';
import { planOfJob } from './plan-of-job.ts';
import type { Jobs } from './workplace.ts';

/** Serves each request that is about jobs: it is on record before it is taken away. Whether none is left. */
export async function takeJobRequests(jobs: Jobs): Promise<boolean> {
  const { engine, architecture, report } = jobs.hands;
  const requests = await engine.requests(architecture);
  if (!requests.ok) return false;
  let areTaken = true;
  for (const asked of requests.value) {
    if (!isJobRequest(asked.request)) continue;
    if (!(await jobs.mayTake())) return false;
    const problem = await serve(jobs, asked, asked.request);
    report(problem ? { type: 'request-refused', request: asked.name, problem } : { type: 'request-served', request: asked.name });
    areTaken = (await engine.takeRequest(architecture, asked.name)).ok && areTaken;
  }
  return areTaken;
}

async function serve(jobs: Jobs, asked: ObservedRequest, request: JobRequest): Promise<Problem | undefined> {
  const { runs, report } = jobs.hands;
  if (request.ask === 'cancel-job') return (await runs.cancel(request.run)) ? undefined : nothingToCancel(request.run);
  const { definitions } = jobs;
  const { run: id, job: name, commit, parameters } = request;
  const job = jobNamed(definitions.architecture.jobs ?? {}, name);
  if (!job.ok) return job.problem;
  const planned = planOfJob({ name, job: job.value }, parameters, definitions);
  if (!planned.ok) return planned.problem;
  const { release, environment } = definitions;
  const isNew = await runs.accept({ id, job: name, commit, release, environment, reason: 'by-hand', ...planned.value });
  if (isNew) report({ type: 'job-accepted', run: id, job: name, commit, reason: 'by-hand', request: asked.name });
  return undefined;
}

/** UNKNOWN_JOB where there is none of that name. */
export function jobNamed(jobs: Readonly<Record<string, Job>>, name: string): Result<Job> {
  const job = Object.hasOwn(jobs, name) ? jobs[name] : undefined;
  if (job !== undefined) return done(job);
  const known = Object.keys(jobs);
  return failed({
    code: 'UNKNOWN_JOB',
    what: `the release that is live has no job ${name}${didYouMean(name, known)}`,
    why: known.length === 0 ? 'it has none at all' : `there are ${known.join(', ')}`,
    safe: 'nothing was started',
    next: 'changeless jobs    lists them',
  });
}

const nothingToCancel = (run: string): Problem => ({
  code: 'UNKNOWN_RUN',
  what: `there is no run ${run} that could be cancelled`,
  why: 'no run of that id was accepted, or it has ended',
  safe: 'nothing was changed',
  next: 'changeless jobs',
});
