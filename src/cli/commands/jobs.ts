import type { JobTriggers } from '../../architecture/job-model.ts';
import type { JobRun } from '../../job-run.ts';
import { job, pageOf, type Told as ToldRun } from '../../api/schemas.ts';
import { done, failed, type Result } from '../../result.ts';
import { ask, serverOf, type Server } from '../server/server.ts';
import { jobsOf } from '../../jobs/jobs-of.ts';
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

/** The newest run of a job. */
type Last = Pick<JobRun, 'commit' | 'reason' | 'outcome' | 'acceptedAt' | 'startedAt' | 'endedAt'> & { id: string };

type Told = { job: string; on: JobTriggers; last: Last | undefined };

/** `jobs`: those of the release that is live, each with its last run. */
export async function run(session: Session): CommandResult {
  const server = await serverOf(session);
  if (!server.ok) return server;
  const told = server.value ? await askServer(server.value) : await askEngine(session);
  if (!told.ok) return told;
  if (session.input.json) answerJson(session, { jobs: told.value.map(({ job, on, last }) => ({ job, on, last: entry(last) })) });
  else if (told.value.length === 0) answer(session, `the release that is live has no jobs`);
  else answer(session, told.value.map((each) => line(session, each)).join('\n'));
  return done(0);
}

async function askEngine(session: Session): Promise<Result<Told[]>> {
  const subject = await subjectOf(session);
  if (!subject.ok) return subject;
  const { engine, architecture } = subject.value;
  const found = await findLive(session.world, engine, architecture);
  if (!found.ok) return found;
  const { live } = found.value;
  if (!live?.manifest) return failed(notRunning(architecture));
  const runs = await askRuns({ engine, architecture, image: live.controller.image }, { limit: lookedAt });
  if (!runs.ok) return runs;
  const jobs = jobsOf(live.manifest.inputs.architecture, live.controller.environment);
  return done(jobs.map(({ job: name, on }) => ({ job: name, on, last: runs.value.find(({ job }) => job === name) })));
}

async function askServer(server: Server): Promise<Result<Told[]>> {
  const asked = await ask(server, { method: 'GET', path: '/api/v1/jobs', answer: pageOf(job) });
  if (!asked.ok) return asked;
  return done(
    asked.value.items.map(({ job: name, on, last }) => ({ job: name, on: on as JobTriggers, last: last ? lastOf(last) : undefined })),
  );
}

const lastOf = ({ run: id, commit, reason, outcome, acceptedAt, startedAt, endedAt }: ToldRun['run']): Last => ({
  id,
  commit: commit as JobRun['commit'],
  reason: reason as JobRun['reason'],
  acceptedAt,
  ...(outcome !== null && { outcome: outcome as NonNullable<JobRun['outcome']> }),
  ...(startedAt !== null && { startedAt }),
  ...(endedAt !== null && { endedAt }),
});

const entry = (last: Last | undefined) =>
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

function line(session: Session, { job: name, on, last }: Told): string {
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
