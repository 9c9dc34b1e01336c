import { setTimeout as sleep } from 'node:timers/promises';
import type { ImageId, RunId } from '../digest.ts';
import type { Engine, LogLine } from '../engine/engine.ts';
import { isRunId, stepWords, type JobRun } from '../job-run.ts';
import type { Problem } from '../problem.ts';
import { done, failed, type Result } from '../result.ts';
import { askKept, askRuns } from './ask-ledger.ts';
import { answer, type Session } from './command.ts';
import { printable } from './report/problem.ts';

/** What is on record of runs. `kept`: what a step that is gone printed. */
export type RunRecords = {
  find(id: RunId): Promise<Result<JobRun | undefined>>;
  kept(name: { run: RunId; step: string }): Promise<Result<readonly LogLine[]>>;
};

type Subject = { session: Session; engine: Engine; architecture: string };

/** `image`: a release image, to read the ledger with. */
export type LedgerSubject = Subject & { image: ImageId };

/** Where runs are found. */
export type RunSubject = LedgerSubject | (Subject & { records: RunRecords });

const recordsOf = (subject: RunSubject): RunRecords =>
  'records' in subject
    ? subject.records
    : {
        async find(id) {
          const runs = await askRuns(subject, { limit: 1, run: id });
          return runs.ok ? done(runs.value[0]) : runs;
        },
        kept: (name) => askKept(subject, name),
      };

const pauseMs = 300;

/** The run of that id, as the ledger has it. UNKNOWN_RUN where it has none. */
export async function findRun(subject: RunSubject, id: string): Promise<Result<JobRun>> {
  const found = isRunId(id) ? await recordsOf(subject).find(id) : done(undefined);
  if (!found.ok) return found;
  return found.value
    ? done(found.value)
    : failed({ code: 'UNKNOWN_RUN', what: `no run ${id} is on record`, next: 'changeless jobs    shows the last of each job' });
}

/**
 * Prints what the steps of a run print: while it goes on from their containers, of those that are gone what is kept. With `follow` it
 * resolves when the run has ended.
 */
export async function copyRun(subject: RunSubject, id: RunId, options: { follow: boolean; step?: string }): Promise<Result<JobRun>> {
  const { session, engine, architecture } = subject;
  const copied = new Map<string, Promise<void>>();
  const isWanted = (step: string): boolean => options.step === undefined || stepWords(step) === stepWords(options.step);
  while (!session.world.signal.aborted) {
    const listed = await engine.jobs.list(architecture);
    if (!listed.ok) return listed;
    const own = listed.value.filter(({ run, step, state }) => run === id && state !== 'created' && isWanted(step));
    for (const { step } of own) if (!copied.has(step)) copied.set(step, copyStep(subject, { run: id, step }, options.follow));
    if (own.length > 0 && options.follow) {
      await sleep(pauseMs);
      continue;
    }
    await Promise.all(copied.values());
    const run = await findRun(subject, id);
    if (!run.ok) return run;
    if (options.follow && !run.value.outcome) {
      await sleep(pauseMs);
      continue;
    }
    const isDue = (step: string): boolean => isWanted(step) && !copied.has(step);
    return copyKept(subject, run.value, { isDue, wanted: options.step });
  }
  return findRun(subject, id);
}

type Due = { isDue: (step: string) => boolean; wanted: string | undefined };

async function copyKept(subject: RunSubject, run: JobRun, { isDue, wanted }: Due): Promise<Result<JobRun>> {
  const known = run.plan.steps.map(({ key }) => stepWords(key));
  if (wanted !== undefined && !known.includes(stepWords(wanted)))
    return failed({ code: 'UNKNOWN_RUN', what: `run ${run.id} has no step ${wanted}`, why: `there are ${known.join(', ')}` });
  for (const { key: step } of run.plan.steps.filter(({ key }) => isDue(key) && run.steps.some((each) => each.step === key))) {
    const kept = await recordsOf(subject).kept({ run: run.id, step });
    if (!kept.ok) return kept;
    for (const line of kept.value) printLine(subject.session, { ...line, step });
  }
  return done(run);
}

async function copyStep({ session, engine, architecture }: RunSubject, name: { run: RunId; step: string }, follow: boolean): Promise<void> {
  const options = { follow, signal: session.world.signal };
  for await (const line of engine.jobs.logs(architecture, name, options)) printLine(session, { ...line, step: name.step });
}

/** A run as its end is told. */
export type EndedRun = { id: string; job: string; outcome?: string; problem?: Problem; steps: readonly EndedStep[] };

type EndedStep = { step: string; outcome?: string; exitCode?: number };

/** A line, and the step that printed it. */
export type StepLine = LogLine & { step: string };

/** Prints it as the command's answer, or beside it. */
export function printLine(session: Session, { step, at, stream, line }: StepLine): void {
  const isAnswer = session.input.arguments[0] === 'logs';
  if (session.input.json && isAnswer) session.world.stdout.write(`${JSON.stringify({ step, at, stream, line })}\n`);
  else if (session.input.json) return;
  else answer(session, `${stepWords(step)}  ${printable(line)}`);
}
