import { isRunId, type JobRun } from '../../job-run.ts';
import { openRepository, type Commit, type Repository } from '../../architecture/repository.ts';
import { jobStepImages } from '../../build/job-step-images.ts';
import type { RunId } from '../../digest.ts';
import type { ObservedController } from '../../engine/engine.ts';
import { stepsOfRun } from '../../jobs/steps-of-run.ts';
import { jobNamed } from '../../jobs/take-requests.ts';
import { agentsOf } from '../../release/images-of.ts';
import type { Manifest } from '../../release/manifest.ts';
import type { Request } from '../../request.ts';
import { done, failed, type Result } from '../../result.ts';
import { askController, followRequest } from '../ask-controller.ts';
import { answer, answerJson, type CommandResult, flag, listOption, type Session, textOption } from '../command.ts';
import { lastLine } from '../controller-log.ts';
import { copyRun, findRun, type RunSubject } from '../copy-run.ts';
import { findLive } from '../live.ts';
import { notRunning } from '../not-running.ts';
import { subjectOf } from '../subject.ts';

type Live = RunSubject & { manifest: Manifest; controller: ObservedController };

/** `job <action>`: `run` a job, read the `logs` of a run, or `cancel` it. */
export async function run(session: Session): CommandResult {
  const [action = '', name = '', commit] = session.input.arguments;
  const act = actions[action];
  if (act === undefined) return failed(usage(`job cannot ${action}`));
  const live = await liveOf(session);
  return live.ok ? act(live.value, name, commit ?? 'HEAD') : live;
}

const actions: Readonly<Record<string, (live: Live, name: string, commit: string) => CommandResult>> = {
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
    const served = await ask(live, { ask: 'cancel-job', run: found.value.id });
    if (!served.ok) return served;
    if (live.session.input.json) answerJson(live.session, { run: found.value.id, cancelled: true });
    else answer(live.session, `run ${found.value.id} is asked to end`);
    return done(0);
  },
};

const stepOf = ({ input }: Session): { step?: string } => {
  const step = textOption(input, 'step');
  return step === undefined ? {} : { step };
};

async function liveOf(session: Session): Promise<Result<Live>> {
  const subject = await subjectOf(session);
  if (!subject.ok) return subject;
  const { engine, architecture } = subject.value;
  const found = await findLive(session.world, engine, architecture);
  if (!found.ok) return found;
  const { live, newer, rollout } = found.value;
  if (!live?.manifest) return failed(notRunning(architecture));
  // Whoever rolls the next release out is in charge already.
  const { controller } = (rollout && newer) || live;
  return done({ session, engine, architecture, manifest: live.manifest, controller, image: live.controller.image });
}

async function runJob(live: Live, name: string, revision: string): CommandResult {
  const { session } = live;
  const parameters = parametersOf(session);
  if (!parameters.ok) return parameters;
  const id = `${name
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]/g, '-')
    .slice(0, 40)}-${session.world.random(8)}`;
  if (!isRunId(id)) return failed(usage(`a job cannot be called ${JSON.stringify(name)}`));
  const opened = await openRepository(session.input.folder);
  if (!opened.ok) return opened;
  const commit = await makeImages(live, opened.value, { id, name, revision, parameters: parameters.value });
  await opened.value.close();
  if (!commit.ok) return commit;
  const served = await ask(live, { ask: 'run-job', run: id, job: name, commit: commit.value.id, parameters: parameters.value });
  if (!served.ok) return served;
  session.interruption.safe = `run ${id} goes on`;
  session.interruption.next = `changeless job logs ${id} --follow`;
  if (flag(session.input, 'detach')) {
    if (session.input.json) answerJson(session, { run: id });
    else answer(session, `accepted  run ${id}`);
    return done(0);
  }
  const ended = await copyRun(live, id, { follow: true });
  return ended.ok ? tellEnd(session, ended.value) : ended;
}

type WantedRun = { id: RunId; name: string; revision: string; parameters: Readonly<Record<string, string>> };

/** The images of all steps, from the commit's tree and the agents of the release that is live. */
async function makeImages(live: Live, repository: Repository, { id, name, revision, parameters }: WantedRun): Promise<Result<Commit>> {
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

/** Lays it before the controller in charge, and waits until it has served or refused it. */
async function ask({ session, engine, architecture, controller }: Live, request: Request): Promise<Result<undefined>> {
  const asking = { session, engine, architecture, controller };
  const after = await lastLine(engine, architecture, controller.name);
  const asked = await askController(asking, request);
  if (!asked.ok) return asked;
  return followRequest<undefined>({
    ...asking,
    request: asked.value,
    from: after && { after },
    read: (event) => (event.type === 'request-served' && event.request === asked.value ? done(undefined) : undefined),
  });
}

function tellEnd(session: Session, run: JobRun): Result<number> {
  const { id, job, outcome, problem, steps } = run;
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
