import type { SecretValues } from '../engine/engine.ts';
import type { JobStepSpec, StepPlace } from '../engine/job-steps.ts';
import { stepWords, type PlannedStep, type StepEnd } from '../job-run.ts';
import type { ImageId } from '../digest.ts';
import type { Problem } from '../problem.ts';
import { done, type Result } from '../result.ts';
import type { Secret } from '../secret.ts';
import { redact } from './redact.ts';
import { tellEnd } from './tell-end.ts';
import { builderProblem } from './builder-problem.ts';
import type { RunEffect } from './plan-run.ts';
import type { CarriedRun, RunHands } from './run-hands.ts';

/** What a step may write below its folder. */
const diskBytes = 10 * 2 ** 30;

/** A step that cannot be started so often has failed. */
const mostTries = 16;

const lastLines = 20;

/** A builder tells its problem to programs, and then at length to people. */
const builderLines = 400;

/** Carries the effects out, side by side. False when the run is no longer this owner's, or something is to be tried again later. */
export async function carryOutRun(carried: CarriedRun, effects: readonly RunEffect[]): Promise<boolean> {
  const went = await Promise.all(effects.map((effect) => carryOut(carried, effect)));
  return went.every(Boolean);
}

async function carryOut(carried: CarriedRun, effect: RunEffect): Promise<boolean> {
  const { hands, owned, run } = carried;
  const { engine, runs, architecture } = hands;
  if (!(await runs.mayAct(owned))) return false;
  const nameOf = (step: string) => ({ run: run.id, step });
  switch (effect.do) {
    case 'begin': {
      if (!(await runs.begin(owned))) return false;
      hands.report({ type: 'job-started', run: run.id, job: run.job, commit: run.commit });
      return true;
    }
    case 'record-end':
      return recordEnd(carried, effect.step, await withEvidence(carried, effect.step, effect.end));
    case 'forbid-start': {
      const forbidden = await engine.jobs.forbid(architecture, nameOf(effect.step.key));
      if (!forbidden.ok || !forbidden.value) return forbidden.ok;
      return runs.noteContainer(owned, effect.step.key);
    }
    case 'start':
      return start(carried, effect);
    case 'signal':
      return (await engine.jobs.signal(architecture, nameOf(effect.step.key), effect.signal)).ok;
    case 'end': {
      const { outcome, problem } = effect;
      const followers = hands.followersOf({ ...run, outcome });
      if (!(await runs.end(owned, { outcome, ...(problem && { problem }), followers }))) return false;
      for (const { id, job, commit, reason, push } of followers)
        hands.report({ type: 'job-accepted', run: id, job, commit, reason, ...(push && { push }) });
      const ended = await runs.find(run.id);
      if (ended) await tellEnd({ ...carried, run: ended });
      return true;
    }
    case 'remove':
      return (await engine.jobs.remove(architecture, nameOf(effect.step))).ok;
    case 'close':
      return close(carried);
  }
}

/** The container is noted before it is started: one that is noted and gone may have run. */
async function start(carried: CarriedRun, { step, brought }: RunEffect & { do: 'start' }): Promise<boolean> {
  const { hands, owned, run } = carried;
  const { engine, runs, architecture } = hands;
  const [image, values] = [await hands.images.of(run, step), await valuesOf(hands, step)];
  for (const needed of [image, values]) if (!needed.ok) return recordEnd(carried, step, neverRan(hands, needed.problem));
  if (!image.ok || !values.ok) return false;
  const spec = specOf(carried, step, image.value);
  if (!(await runs.mayAct(owned))) return false;
  const prepared = await engine.jobs.prepare(architecture, spec, brought);
  if (!prepared.ok) return notStarted(carried, step, prepared.problem);
  const container = prepared.value;
  if (!(await runs.noteContainer(owned, step.key, container))) return false;
  if (!(await runs.mayAct(owned))) return false;
  const started = await engine.jobs.start(architecture, { container, spec, values: values.value });
  if (!started.ok) return notStarted(carried, step, started.problem);
  hands.report({ type: 'job-step-started', run: run.id, job: run.job, step: step.key, container });
  return true;
}

function specOf({ hands, owned, run }: CarriedRun, step: PlannedStep, image: ImageId): JobStepSpec {
  const { environment, release, commit, job } = run;
  const { caches, secrets, limits, key } = step;
  const origin = { environment, release, commit };
  const builder = step.builder && { builder: { remote: step.remote === true } };
  return {
    run: run.id,
    step: key,
    job,
    token: owned.token,
    image,
    place: hands.place,
    caches,
    secrets,
    limits,
    diskBytes,
    origin,
    ...builder,
  };
}

async function valuesOf({ openSecret }: RunHands, { secrets }: PlannedStep): Promise<Result<SecretValues>> {
  const values: Record<string, Secret> = {};
  for (const secret of secrets) {
    const opened = await openSecret(secret);
    if (!opened.ok) return opened;
    values[secret.file] = opened.value;
  }
  return done(values);
}

/** An engine that is away, or full, is waited for; what it refuses again and again is the step's failure. */
async function notStarted(carried: CarriedRun, step: PlannedStep, problem: Problem): Promise<boolean> {
  const { hands, tries } = carried;
  const count = (tries.get(step.key) ?? 0) + 1;
  const isRefusal = problem.code === 'ENGINE_REFUSED' && count >= mostTries;
  if (problem.code === 'ENGINE_REFUSED') tries.set(step.key, count);
  if (isRefusal || problem.code === 'ARTIFACT_MISSING') return recordEnd(carried, step, neverRan(hands, problem));
  hands.report({ type: 'effect-failed', step: `start step ${stepWords(step.key)} of run ${carried.run.id}`, problem });
  return false;
}

const neverRan = ({ now }: RunHands, problem: Problem): StepEnd => ({
  outcome: 'failed',
  endedAt: new Date(now()).toISOString(),
  problem: { ...problem, why: problem.why ?? problem.what },
});

async function recordEnd({ hands, owned, run }: CarriedRun, step: PlannedStep, end: StepEnd): Promise<boolean> {
  if (!(await hands.runs.endStep(owned, step.key, end))) return false;
  const { outcome, exitCode, startedAt, endedAt, problem } = end;
  const container = run.steps.find((each) => each.step === step.key)?.container;
  hands.report({
    type: 'job-step-ended',
    run: run.id,
    job: run.job,
    step: step.key,
    outcome,
    ...(container !== undefined && { container }),
    ...(exitCode !== undefined && { exitCode }),
    ...(startedAt !== undefined && { durationMs: Date.parse(endedAt) - Date.parse(startedAt) }),
    ...(problem && { problem }),
  });
  return true;
}

/** With what can be told only while its container is there: where that is, and the last it said, without its secrets. */
async function withEvidence({ hands, run }: CarriedRun, step: PlannedStep, end: StepEnd): Promise<StepEnd> {
  if (!end.problem || end.outcome === 'lost') return end;
  const { engine, architecture } = hands;
  const name = { run: run.id, step: step.key };
  const [values, place] = await Promise.all([valuesOf(hands, step), engine.jobs.where(architecture, name)]);
  const where = place.ok && place.value ? { where: placeWords(place.value) } : {};
  const problem = { ...end.problem, ...where };
  // Whoever cannot tell what is secret tells nothing.
  if (!values.ok) return { ...end, problem };
  const lines: string[] = [];
  try {
    const tail = step.builder ? builderLines : lastLines;
    for await (const { line } of engine.jobs.logs(architecture, name, { follow: false, tail })) lines.push(line);
  } catch {
    return { ...end, problem };
  }
  const told = redact(lines, Object.values(values.value));
  const said = step.builder && builderProblem(told);
  return { ...end, problem: said ? { ...said, ...where } : { ...problem, lines: told.slice(-lastLines) } };
}

const placeWords = ({ container, address, host }: StepPlace): string =>
  `container ${container.slice(0, 12)}${address === undefined ? '' : ` (${address})`} on host ${host.name} (${host.address})`;

/** Everybody is told before it is closed: whoever is killed in between tells it again, once. */
async function close(carried: CarriedRun): Promise<boolean> {
  const { hands, owned, run } = carried;
  await tellEnd(carried);
  await hands.images.forget(run.id);
  return hands.runs.close(owned);
}
