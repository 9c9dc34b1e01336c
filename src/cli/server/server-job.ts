import type { Told } from '../../api/schemas.ts';
import { openRepository } from '../../architecture/repository.ts';
import { isRunId } from '../../job-run.ts';
import type { Problem } from '../../problem.ts';
import { done, failed, type Result } from '../../result.ts';
import type { EndedRun, StepLine } from '../copy-run.ts';
import type { Server } from './server.ts';
import { followRun, giveCommand } from './server-run.ts';

type Wanted = { job: string; revision: string; parameters: Readonly<Record<string, string>> };

/** Starts a job on a commit of the folder's repository; gives the run's id when it is on record. */
export async function startOnServer(server: Server, { job, revision, parameters }: Wanted): Promise<Result<string>> {
  const repository = await openRepository(server.session.input.folder);
  if (!repository.ok) return repository;
  const commit = await repository.value.resolve(revision);
  await repository.value.close();
  if (!commit.ok) return commit;
  const body = { commit: commit.value.id, parameters };
  const given = await giveCommand(server, { method: 'POST', path: `/api/v1/jobs/${encodeURIComponent(job)}/runs`, body });
  return given.ok ? done(given.value.run ?? '') : given;
}

/** Asks a run to end. UNKNOWN_RUN where it is over, or none. */
export async function cancelOnServer(server: Server, run: string): Promise<Result<Told['command']>> {
  if (!isRunId(run)) return failed(noRun(run));
  return giveCommand(server, { method: 'POST', path: `/api/v1/runs/${run}/cancel`, body: {} });
}

/** Prints what the steps of a run print, until its end with `follow`. */
export async function followOnServer(
  server: Server,
  run: string,
  { print, ...options }: { follow: boolean; step?: string; print: (line: StepLine) => void },
): Promise<Result<EndedRun>> {
  if (!isRunId(run)) return failed(noRun(run));
  const followed = await followRun(server, { run, ...options, print });
  return followed.ok ? done(ended(followed.value)) : followed;
}

const noRun = (run: string): Problem => ({
  code: 'UNKNOWN_RUN',
  what: `no run ${run} is on record`,
  next: 'changeless jobs    shows the last of each job',
});

/** As it is told over the engine: of steps those that were begun. */
const ended = ({ run, job, outcome, problem, steps }: Told['run']): EndedRun => ({
  id: run,
  job,
  ...(outcome !== null && { outcome }),
  ...(problem && { problem: problem as Problem }),
  steps: steps
    .filter(({ outcome: end, container }) => end !== null || container !== null)
    .map(({ step, outcome: end, exitCode }) => ({
      step,
      ...(end !== null && { outcome: end }),
      ...(exitCode !== null && { exitCode }),
    })),
});
