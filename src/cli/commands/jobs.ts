import type { JobTriggers } from '../../architecture/job-model.ts';
import type { Architecture } from '../../architecture/model.ts';
import type { JobRun } from '../../job-run.ts';
import { done, failed } from '../../result.ts';
import { deliverJob } from '../../job-run.ts';
import { resolveEnvironment } from '../../release/resolve-environment.ts';
import { askRuns } from '../ask-ledger.ts';
import { answer, answerJson, type CommandResult, type Session } from '../command.ts';
import { findLive } from '../live.ts';
import { notRunning } from '../not-running.ts';
import { duration } from '../report/duration.ts';
import { paintFor } from '../report/problem.ts';
import { commitWords } from '../report/words.ts';
import { subjectOf } from '../subject.ts';

/** Of so many runs the last of each job is looked for. */
const lookedAt = 500;

/** `jobs`: those of the release that is live, each with its last run. */
export async function run(session: Session): CommandResult {
  const subject = await subjectOf(session);
  if (!subject.ok) return subject;
  const { engine, architecture } = subject.value;
  const found = await findLive(session.world, engine, architecture);
  if (!found.ok) return found;
  const { live } = found.value;
  if (!live?.manifest) return failed(notRunning(architecture));
  const runs = await askRuns({ engine, architecture, image: live.controller.image }, { limit: lookedAt });
  if (!runs.ok) return runs;
  const jobs = listed(live.manifest.inputs.architecture, live.controller.environment);
  const lastOf = (name: string): JobRun | undefined => runs.value.find(({ job }) => job === name);
  if (session.input.json) answerJson(session, { jobs: jobs.map(([name, on]) => ({ job: name, on, last: entry(lastOf(name)) })) });
  else if (jobs.length === 0) answer(session, `the release that is live has no jobs`);
  else answer(session, jobs.map(([name, on]) => line(session, { name, on, last: lastOf(name) })).join('\n'));
  return done(0);
}

/** What pushes run is no job of the architecture, and runs like one. */
function listed(architecture: Architecture, environment: string): [name: string, on: JobTriggers][] {
  const resolved = resolveEnvironment(architecture, environment);
  const { jobs = {}, deliver } = resolved.ok ? resolved.value : architecture;
  const own = Object.entries(jobs).map(([name, { on }]): [string, JobTriggers] => [name, on]);
  return deliver ? [...own, [deliverJob, { push: { branches: [deliver.branch] } }]] : own;
}

const entry = (last: JobRun | undefined) =>
  last === undefined
    ? null
    : {
        run: last.id,
        commit: last.commit,
        reason: last.reason,
        outcome: last.outcome ?? null,
        acceptedAt: last.acceptedAt,
        startedAt: last.startedAt ?? null,
        endedAt: last.endedAt ?? null,
      };

function line(session: Session, { name, on, last }: { name: string; on: JobTriggers; last: JobRun | undefined }): string {
  if (last === undefined) return `${name.padEnd(16)}  has not run yet  (${whenWords(on)})`;
  const paint = paintFor(session.world.stdout.isTerminal, session.world.env);
  const word = (last.outcome ?? (last.startedAt ? 'running' : 'accepted')).padEnd(9);
  const tone = last.outcome === 'passed' ? 'green' : last.outcome === undefined ? 'yellow' : 'red';
  const took = last.startedAt && last.endedAt ? `  ${duration(Date.parse(last.endedAt) - Date.parse(last.startedAt))}` : '';
  const when = last.acceptedAt.slice(0, 19).replace('T', ' ');
  return `${name.padEnd(16)}  ${paint(tone, word)}  ${when}  ${last.id}  ${commitWords(last.commit)}${took}`;
}

function whenWords(on: JobTriggers): string {
  const words = [on.push && 'on push', on.schedule && `at ${on.schedule.join(', ')}`, on.after && `after ${on.after.join(', ')}`];
  return words.filter((word) => word !== undefined).join('; ') || 'by hand';
}
