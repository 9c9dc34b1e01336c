import type { BroughtArtifacts, ObservedJobStep } from '../engine/job-steps.ts';
import type { JobRun, RunOutcome, PlannedStep, StepEnd, StepRecord } from '../job-run.ts';
import type { Problem } from '../problem.ts';
import { endOf, lostStep } from './step-end.ts';
import { runProblem } from './run-problem.ts';

/** `kept`: the steps whose output is kept to its end. `free`: so many more steps may run. `nowMs`: since 1970. */
export type RunSight = {
  run: JobRun;
  observed: readonly ObservedJobStep[];
  kept: ReadonlySet<string>;
  free: number;
  nowMs: number;
};

/** `forbid-start`: it is uncertain whether somebody is about to start it; afterwards it is not. */
export type RunEffect =
  | { do: 'begin' }
  | { do: 'record-end'; step: PlannedStep; end: StepEnd }
  | { do: 'forbid-start'; step: PlannedStep }
  | { do: 'start'; step: PlannedStep; brought: readonly BroughtArtifacts[] }
  | { do: 'signal'; step: PlannedStep; signal: 'SIGTERM' | 'SIGKILL' }
  | { do: 'end'; outcome: RunOutcome; problem?: Problem }
  | { do: 'remove'; step: string }
  | { do: 'close' };

/** How long a step may take to end after it was asked to. */
export const graceMs = 10_000;

/** What is seen of a step. A record without an end and without a container: it has certainly not run. */
type Seen = { step: PlannedStep; record?: StepRecord | undefined; container?: ObservedJobStep | undefined };

/**
 * What is to be done next for a run, seen from what is recorded and what the engine has; nothing: wait. Called again after each round
 * with a fresh look, so whoever continues after a kill needs to know nothing else. Pure.
 *
 *     a step: (nothing) ─prepare, note its container, start─> runs ─> has ended ─> its end is recorded
 *                ^ └── its container never ran: forbid it ──┘  └─(container gone)─> lost
 *     a run:  begin ─> steps, group by group in each cell ─> end ─> containers are removed once their output is kept ─> close
 */
export function planRun(sight: RunSight): RunEffect[] {
  const { run, observed } = sight;
  if (run.outcome) return planClose(sight);
  if (!run.startedAt) return run.cancelAskedAt ? [{ do: 'end', ...verdict(run, []) }] : [{ do: 'begin' }];
  const seen = run.plan.steps.map((step): Seen => {
    const isIts = (each: { step: string }): boolean => each.step === step.key;
    return { step, record: run.steps.find(isIts), container: observed.find(isIts) };
  });
  const ends = seen.flatMap((each) => endEffect(sight, each));
  // Whatever follows builds upon what is recorded.
  if (ends.length > 0) return ends;
  const signals = seen.flatMap((each) => signalEffect(sight, each));
  const uncertain = seen.filter(({ record, container }) => isOpen(record) && record?.container && container?.state === 'created');
  if (uncertain.length > 0) return [...signals, ...uncertain.map(({ step }): RunEffect => ({ do: 'forbid-start', step }))];
  const startable = seen.filter((each) => mayStart(sight, seen, each));
  const running = seen.filter(({ record, container }) => isOpen(record) && container?.state === 'running');
  if (running.length + startable.length === 0) return [{ do: 'end', ...verdict(run, seen) }];
  return [
    ...signals,
    ...startable.slice(0, Math.max(0, sight.free)).map(({ step }): RunEffect => ({ do: 'start', step, brought: broughtTo(step, seen) })),
  ];
}

/** When the next limit of what runs is reached; undefined when nothing has one. */
export function nextDeadlineMs({ run, observed, nowMs }: RunSight): number | undefined {
  const times = observed
    .filter(({ state }) => state === 'running')
    .flatMap((container) => {
      const step = run.plan.steps.find(({ key }) => key === container.step);
      const deadline = step ? deadlineOf(run, step, container) : Infinity;
      return [deadline, deadline + graceMs];
    })
    .filter((time) => time > nowMs);
  return times.length === 0 ? undefined : Math.min(...times);
}

const isOpen = (record: StepRecord | undefined): boolean => record?.outcome === undefined;

function endEffect({ run, nowMs }: RunSight, { step, record, container }: Seen): RunEffect[] {
  if (!isOpen(record)) return [];
  if (container?.state === 'exited') return [{ do: 'record-end', step, end: endOf(run, step, container) }];
  if (container || !record?.container) return [];
  return [{ do: 'record-end', step, end: lostStep(step, record.container, new Date(nowMs).toISOString()) }];
}

/** The first of its own limit, the run's, and the wish for its end. */
function deadlineOf(run: JobRun, step: PlannedStep, container: ObservedJobStep): number {
  const after = (at: string | undefined, ms: number): number => (at === undefined ? Infinity : Date.parse(at) + ms);
  return Math.min(after(container.startedAt, step.limitMs), after(run.startedAt, run.plan.limitMs), after(run.cancelAskedAt, 0));
}

function signalEffect({ run, nowMs }: RunSight, { step, record, container }: Seen): RunEffect[] {
  if (!isOpen(record) || container?.state !== 'running') return [];
  if (container.exceeded) return [{ do: 'signal', step, signal: 'SIGKILL' }];
  const deadline = deadlineOf(run, step, container);
  // A wish is not to wait because two clocks differ.
  if (nowMs < deadline && run.cancelAskedAt === undefined) return [];
  return [{ do: 'signal', step, signal: nowMs < deadline + graceMs ? 'SIGTERM' : 'SIGKILL' }];
}

/** In its cell's turn, and as long as nothing of the cell has failed. What the builder does comes before all cells. */
function mayStart({ run, nowMs }: RunSight, seen: readonly Seen[], { step, record, container }: Seen): boolean {
  if (record?.outcome || record?.container || (container && container.state !== 'created')) return false;
  if (run.cancelAskedAt || nowMs >= Date.parse(run.startedAt ?? '') + run.plan.limitMs) return false;
  const cell = seen.filter((each) => each.step.cell === step.cell || each.step.builder);
  if (cell.some((each) => each.record?.outcome && each.record.outcome !== 'passed')) return false;
  return cell.every((each) => each.step.group >= step.group || each.record?.outcome === 'passed');
}

/** What the earlier groups of its cell made. */
const broughtTo = (step: PlannedStep, seen: readonly Seen[]): BroughtArtifacts[] =>
  seen
    .filter((each) => each.step.cell === step.cell && each.step.group < step.group && each.step.artifacts.length > 0)
    .map((each) => ({ from: each.step.key, paths: each.step.artifacts }));

function verdict(run: JobRun, seen: readonly Seen[]): { outcome: RunOutcome; problem?: Problem } {
  const records = seen.map(({ record }) => record?.outcome);
  if (seen.length > 0 && records.every((outcome) => outcome === 'passed')) return { outcome: 'passed' };
  const outcome = outcomeOf(run, records);
  return { outcome, problem: runProblem(run, outcome) };
}

function outcomeOf(run: JobRun, records: readonly (string | undefined)[]): Exclude<RunOutcome, 'passed'> {
  if (records.includes('failed') || records.includes('lost')) return 'failed';
  if (run.cancelAskedAt) return 'cancelled';
  return 'timed-out';
}

/** A container that never ran has nothing to say. */
function planClose({ run, observed, kept }: RunSight): RunEffect[] {
  if (observed.length === 0) return [{ do: 'close' }];
  return observed
    .filter(({ step, state }) => state === 'created' || kept.has(step) || !run.plan.steps.some(({ key }) => key === step))
    .map(({ step }) => ({ do: 'remove', step }));
}
