import type { ObservedRequest } from '../engine/engine.ts';
import type { Problem } from '../problem.ts';
import type { JobRequest } from '../request.ts';
import { isJobRequest } from '../request.ts';
import { acceptRun } from './accept-run.ts';
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
  const { run: id, job, commit, parameters } = request;
  const accepting = { runs, definitions: jobs.definitions, report };
  const accepted = await acceptRun(accepting, { id, job, commit, parameters, reason: 'by-hand', request: asked.name });
  return accepted.ok ? undefined : accepted.problem;
}

/** UNKNOWN_RUN. */
export const nothingToCancel = (run: string): Problem => ({
  code: 'UNKNOWN_RUN',
  what: `there is no run ${run} that could be cancelled`,
  why: 'no run of that id was accepted, or it has ended',
  safe: 'nothing was changed',
  next: 'changeless jobs',
});
