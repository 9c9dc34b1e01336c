import { isRunId } from '../../job-run.ts';
import { openRepository, type Commit, type Repository } from '../../architecture/repository.ts';
import { jobStepImages } from '../../build/job-step-images.ts';
import type { RunId } from '../../digest.ts';
import { stepsOfRun } from '../../jobs/steps-of-run.ts';
import { jobNamed } from '../../jobs/job-named.ts';
import { agentsOf } from '../../release/images-of.ts';
import { done, failed, type Result } from '../../result.ts';
import { answer, answerJson, type CommandResult, flag, listOption, type Session, textOption } from '../command.ts';
import { copyRun, type EndedRun, findRun, printLine, type StepLine } from '../copy-run.ts';
import { serverOf, type Server } from '../server/server.ts';
import { askInCharge, inChargeOf, type InCharge } from '../in-charge.ts';

/** `job <action>`: `run` a job, read the `logs` of a run, or `cancel` it. */
export async function run(session: Session): CommandResult {
  const [action = '', name = '', commit] = session.input.arguments;
  const act = actions[action];
  if (act === undefined) return failed(usage(`job cannot ${action}`));
  if (flag(session.input, 'local')) return runHere(session, { action, name, revision: commit });
  const server = await serverOf(session);
  if (!server.ok) return server;
  if (server.value) return onServer(server.value, { action, name, revision: commit ?? 'HEAD' });
  const live = await inChargeOf(session);
  return live.ok ? act(live.value, name, commit ?? 'HEAD') : live;
}

const actions: Readonly<Record<string, (live: InCharge, name: string, commit: string) => CommandResult>> = {
  run: runJob,
  logs: async (live, name) => {
    const found = await findRun(live, name);
    if (!found.ok) return found;
    const copied = await copyRun(live, found.value.id, { follow: flag(live.session.input, 'follow'), ...stepOf(live.session) });
    return copied.ok ? done(0) : copied;
  },
  cancel: async (live, name) => {
    const found = await findRun(live, name);
    if (!found.ok) return found;
    const served = await askInCharge(live, { ask: 'cancel-job', run: found.value.id });
    if (!served.ok) return served;
    return tellCancelled(live.session, found.value.id);
  },
};

/** On this machine, from a commit or the folder as it is, whatever is live. */
async function runHere(
  session: Session,
  { action, name, revision }: { action: string; name: string; revision: string | undefined },
): CommandResult {
  if (action !== 'run') return failed(usage(`--local is for job run, not for job ${action}`));
  if (flag(session.input, 'detach')) return failed(usage('a run on this machine cannot be left to itself: leave --local or --detach out'));
  const parameters = parametersOf(session);
  if (!parameters.ok) return parameters;
  const id = newRunId(session, name);
  if (!id.ok) return id;
  const { runJobLocally } = await import('../run-job-locally.ts');
  const ended = await runJobLocally(session, { id: id.value, name, revision, parameters: parameters.value });
  return ended.ok ? tellEnd(session, ended.value) : ended;
}

function newRunId(session: Session, name: string): Result<RunId> {
  const id = `${name
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]/g, '-')
    .slice(0, 40)}-${session.world.random(8)}`;
  return isRunId(id) ? done(id) : failed(usage(`a job cannot be called ${JSON.stringify(name)}`));
}

/** The same, asked of a gateway's API. */
async function onServer(server: Server, { action, name, revision }: { action: string; name: string; revision: string }): CommandResult {
  const { session } = server;
  const jobs = await import('../server/server-job.ts');
  if (action === 'cancel') {
    const cancelled = await jobs.cancelOnServer(server, name);
    return cancelled.ok ? tellCancelled(session, name) : cancelled;
  }
  const print = (line: StepLine): void => printLine(session, line);
  if (action === 'logs') {
    const copied = await jobs.followOnServer(server, name, { follow: flag(session.input, 'follow'), ...stepOf(session), print });
    return copied.ok ? done(0) : copied;
  }
  const parameters = parametersOf(session);
  if (!parameters.ok) return parameters;
  const id = await jobs.startOnServer(server, { job: name, revision, parameters: parameters.value });
  if (!id.ok) return id;
  noteAccepted(session, id.value);
  if (flag(session.input, 'detach')) return tellAccepted(session, id.value);
  const ended = await jobs.followOnServer(server, id.value, { follow: true, print });
  return ended.ok ? tellEnd(session, ended.value) : ended;
}

function tellCancelled(session: Session, run: string): Result<number> {
  if (session.input.json) answerJson(session, { run, cancelled: true });
  else answer(session, `run ${run} is asked to end`);
  return done(0);
}

function noteAccepted(session: Session, run: string): void {
  session.interruption.safe = `run ${run} goes on`;
  session.interruption.next = `changeless job logs ${run} --follow`;
}

function tellAccepted(session: Session, run: string): Result<number> {
  if (session.input.json) answerJson(session, { run });
  else answer(session, `accepted  run ${run}`);
  return done(0);
}

const stepOf = ({ input }: Session): { step?: string } => {
  const step = textOption(input, 'step');
  return step === undefined ? {} : { step };
};

async function runJob(live: InCharge, name: string, revision: string): CommandResult {
  const { session } = live;
  const parameters = parametersOf(session);
  if (!parameters.ok) return parameters;
  const newId = newRunId(session, name);
  if (!newId.ok) return newId;
  const id = newId.value;
  const opened = await openRepository(session.input.folder);
  if (!opened.ok) return opened;
  const commit = await makeImages(live, opened.value, { id, name, revision, parameters: parameters.value });
  await opened.value.close();
  if (!commit.ok) return commit;
  const served = await askInCharge(live, { ask: 'run-job', run: id, job: name, commit: commit.value.id, parameters: parameters.value });
  if (!served.ok) return served;
  noteAccepted(session, id);
  if (flag(session.input, 'detach')) return tellAccepted(session, id);
  const ended = await copyRun(live, id, { follow: true });
  return ended.ok ? tellEnd(session, ended.value) : ended;
}

type WantedRun = { id: RunId; name: string; revision: string; parameters: Readonly<Record<string, string>> };

/** The images of all steps, from the commit's tree and the agents of the release that is live. */
async function makeImages(live: InCharge, repository: Repository, { id, name, revision, parameters }: WantedRun): Promise<Result<Commit>> {
  const { engine, architecture, manifest } = live;
  const job = jobNamed(manifest.inputs.architecture.jobs ?? {}, name);
  if (!job.ok) return job;
  const steps = stepsOfRun(name, job.value, parameters);
  if (!steps.ok) return steps;
  const commit = await repository.resolve(revision);
  if (!commit.ok) return commit;
  const made = await jobStepImages(
    { images: engine.images, repository },
    {
      architecture,
      run: id,
      job: name,
      commit: commit.value.id,
      tree: commit.value.tree,
      parameters: steps.value.parameters,
      steps: steps.value.cells.flatMap(({ groups }) => groups.flat()),
      agents: agentsOf(manifest),
    },
  );
  return made.ok ? commit : made;
}

function parametersOf({ input }: Session): Result<Record<string, string>> {
  const parameters: Record<string, string> = {};
  for (const pair of listOption(input, 'param')) {
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(pair) ?? [];
    if (name === undefined || value === undefined) return failed(usage(`--param wants name=value, not ${JSON.stringify(pair)}`));
    parameters[name] = value;
  }
  return done(parameters);
}

function tellEnd(session: Session, { id, job, outcome, problem, steps }: EndedRun): Result<number> {
  if (session.input.json) {
    const ends = steps.map(({ step, outcome: end, exitCode }) => ({ step, outcome: end ?? null, exitCode: exitCode ?? null }));
    answerJson(session, { run: id, job, outcome, steps: ends });
  }
  if (outcome === 'passed') {
    if (!session.input.json) answer(session, `passed  run ${id} of job ${job}`);
    return done(0);
  }
  return problem && !session.input.json ? failed(problem) : done(1);
}

const usage = (what: string) => ({
  code: 'USAGE' as const,
  what,
  safe: 'nothing was changed',
  next: 'changeless job run <job>, changeless job logs <run>, or changeless job cancel <run>',
});
