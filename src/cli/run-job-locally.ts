import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { RunId } from '../digest.ts';
import type { Engine } from '../engine/engine.ts';
import type { JobSteps } from '../engine/job-steps.ts';
import type { JobRun } from '../job-run.ts';
import { jobNamed } from '../jobs/job-named.ts';
import { readKept } from '../jobs/kept-log.ts';
import { planOfJob } from '../jobs/plan-of-job.ts';
import { runJobs } from '../jobs/run-jobs.ts';
import type { RunHands } from '../jobs/run-hands.ts';
import { taggedStepImages } from '../jobs/step-images.ts';
import { stepsOfRun } from '../jobs/steps-of-run.ts';
import { openMemoryLedger } from '../ledger/memory-ledger.ts';
import { resolveEnvironment } from '../release/resolve-environment.ts';
import { done, type Result } from '../result.ts';
import { watchEngine } from '../rollout/wake.ts';
import { Secret } from '../secret.ts';
import { identitiesIn } from '../secrets/identities.ts';
import { secretOpener } from '../secrets/open-secret.ts';
import { realTimers } from '../timers.ts';
import { placeOf, type Session, textOption } from './command.ts';
import { copyRun, type RunRecords } from './copy-run.ts';
import type { Source } from './delivery.ts';
import { identityPlace } from './identity-place.ts';
import { localName } from './local-name.ts';
import { progressReporter } from './report/choose-reporter.ts';

/** `revision`: any name git knows a commit by; the working folder as it is when left out. */
export type LocalRun = { id: RunId; name: string; revision?: string | undefined; parameters: Readonly<Record<string, string>> };

/**
 * Runs a job on this machine's engine as a controller would, and resolves when it has ended and nothing of it is left but caches. It
 * needs no release that is live, and no server. Ctrl-C ends the steps.
 */
export async function runJobLocally(session: Session, run: LocalRun): Promise<Result<JobRun>> {
  const delivery = await session.world.delivery();
  const reporter = progressReporter(session.world);
  session.world.signal.addEventListener('abort', reporter.end, { once: true });
  try {
    const chosen = { revision: run.revision ?? 'HEAD', worktree: run.revision === undefined };
    const source = await delivery.evaluate({ place: placeOf(session), ...chosen, report: reporter.report });
    if (!source.ok) return source;
    try {
      const made = await makeRun(session, source.value, run);
      reporter.end();
      return made.ok ? await carryOut(session, made.value) : made;
    } finally {
      await source.value.close();
    }
  } finally {
    reporter.end();
  }
}

type MadeRun = {
  engine: Engine;
  place: RunHands['place'];
  accepted: Parameters<RunHands['runs']['accept']>[0];
  definitions: Parameters<typeof runJobs>[0]['definitions'];
};

async function makeRun(session: Session, source: Source, { id, name, parameters }: LocalRun): Promise<Result<MadeRun>> {
  const environment = textOption(session.input, 'environment') ?? 'local';
  const architecture = resolveEnvironment(source.architecture, environment);
  if (!architecture.ok) return architecture;
  const job = jobNamed(architecture.value.jobs ?? {}, name, 'the architecture');
  if (!job.ok) return job;
  const steps = stepsOfRun(name, job.value, parameters);
  if (!steps.ok) return steps;
  const planned = await source.plan();
  if (!planned.ok) return planned;
  const { release, inputs } = planned.value;
  const definitions = { release, environment, architecture: architecture.value, sealed: inputs.secrets, agents: {} };
  const plan = planOfJob({ name, job: job.value }, parameters, definitions);
  if (!plan.ok) return plan;
  const made = await source.steps(planned.value, {
    architecture: localName(source.architecture.name),
    run: id,
    job: name,
    parameters: steps.value.parameters,
    steps: steps.value.cells.flatMap(({ groups }) => groups.flat()),
  });
  if (!made.ok) return made;
  const accepted = { id, job: name, commit: source.commit.id, release, environment, reason: 'by-hand', ...plan.value } as const;
  return done({ engine: source.engine, place: made.value.place, accepted, definitions });
}

/** With a record that is gone with the process: nobody else ever carries this run on. */
async function carryOut(session: Session, { engine, place, accepted, definitions }: MadeRun): Promise<Result<JobRun>> {
  const { id } = accepted;
  const architecture = localName(definitions.architecture.name);
  const folder = await mkdtemp(path.join(tmpdir(), 'changeless-run-'));
  const ledger = await openMemoryLedger({ now: session.world.clock });
  await ledger.runs.accept(accepted);
  const abort = new AbortController();
  const wake = watchEngine(engine, architecture);
  const images = taggedStepImages(engine.images, architecture);
  const told = new Set<string>();
  const running = runJobs({
    hands: {
      engine: withSteps(engine, stepsOfOne(engine.jobs, id)),
      runs: ledger.runs,
      architecture,
      place,
      images,
      // What comes after it is the server's to start.
      followersOf: () => [],
      openSecret: secretOpener(() => keysHere(session)),
      report: (event) => event.type === 'job-ended' && told.add(event.run),
      isTold: async (run) => told.has(run.id),
      flush: async () => undefined,
      now: () => Date.parse(session.world.clock()),
    },
    owner: 'this terminal',
    logs: { folder },
    definitions,
    mayTake: async () => false,
    wake,
    timers: realTimers,
    signal: abort.signal,
  });
  let isOver = false;
  const tidy = async (): Promise<void> => {
    if (isOver) return;
    isOver = true;
    abort.abort();
    await running;
    wake.stop();
    await removeSteps(engine, architecture, id);
    await images.forget(id);
    await ledger.close();
    await rm(folder, { recursive: true, force: true });
  };
  session.interruption.safe = `the steps of run ${id} are ended; nothing of it stays but its caches`;
  session.interruption.tidy = tidy;
  session.world.stderr.write(`runs  ${id} on this machine\n`);
  try {
    const ended = await copyRun({ session, engine, architecture, records: recordsIn(ledger.runs, folder) }, id, { follow: true });
    return ended.ok ? done(withoutRecord(ended.value)) : ended;
  } finally {
    await tidy();
  }
}

/** Nobody can ask for its logs any more: what they were is on the terminal. */
function withoutRecord(run: JobRun): JobRun {
  if (!run.problem) return run;
  return { ...run, problem: { ...run.problem, next: `changeless job run ${run.job} --local    tries it again` } };
}

/** The last to leave takes with it what steps stand on. */
async function removeSteps(engine: Engine, architecture: string, id: RunId): Promise<void> {
  const listed = await engine.jobs.list(architecture);
  const steps = listed.ok ? listed.value : [];
  for (const { run, step } of steps) if (run === id) await engine.jobs.remove(architecture, { run, step });
  if (steps.every(({ run }) => run === id)) await engine.jobs.clear(architecture, { caches: false });
}

const recordsIn = (runs: RunHands['runs'], folder: string): RunRecords => ({
  find: async (id) => done(await runs.find(id)),
  async kept({ run, step }) {
    const lines = [];
    for await (const line of readKept({ folder }, run, step)) lines.push(line);
    return done(lines);
  },
});

async function keysHere(session: Session): Promise<Secret | undefined> {
  const { keys } = await identitiesIn(identityPlace(session.world, session.input));
  return keys.length === 0 ? undefined : new Secret(keys.map((key) => key.revealText()).join('\n'));
}

const withSteps = (engine: Engine, jobs: JobSteps): RunHands['engine'] => ({
  jobs,
  requests: (architecture) => engine.requests(architecture),
  takeRequest: (architecture, name) => engine.takeRequest(architecture, name),
});

/** Steps of other runs, in other terminals, are not there: they are no leftovers. */
const stepsOfOne = (jobs: JobSteps, id: RunId): JobSteps => ({
  async list(architecture) {
    const listed = await jobs.list(architecture);
    return listed.ok ? done(listed.value.filter(({ run }) => run === id)) : listed;
  },
  prepare: (...given) => jobs.prepare(...given),
  start: (...given) => jobs.start(...given),
  forbid: (...given) => jobs.forbid(...given),
  signal: (...given) => jobs.signal(...given),
  remove: (...given) => jobs.remove(...given),
  clear: (...given) => jobs.clear(...given),
  logs: (...given) => jobs.logs(...given),
  where: (...given) => jobs.where(...given),
});
