import type { ObservedJobStep } from '../engine/job-steps.ts';
import type { JobRun } from '../job-run.ts';
import type { OwnedRun } from '../ledger/job-runs.ts';
import { carryOutRun } from './carry-out-run.ts';
import type { CarriedRun } from './run-hands.ts';
import { LogKeepers } from './log-keepers.ts';
import { nextDeadlineMs, planRun, type RunEffect, type RunSight } from './plan-run.ts';
import type { Workplace } from './workplace.ts';

/** Everything is looked at this often even when nothing was heard. */
const beatMs = 1000;

/** Before something that could not be done is tried again. */
const pauseMs = 250;

/**
 * Carries a run on, look by look, until it is closed, the signal is aborted, or it is somebody else's. What it began to keep of the
 * output is put away before it resolves.
 */
export async function carryRun(workplace: Workplace, owned: OwnedRun, signal: AbortSignal): Promise<void> {
  const { hands, logs } = workplace.jobs;
  const { engine, architecture } = hands;
  const keepers = new LogKeepers({ engine, architecture, logs, owned, ended: () => workplace.bell.ring() });
  const next = workplace.bell.listen();
  const tries = new Map<string, number>();
  const told = new Set<string>();
  try {
    while (!signal.aborted && (await hands.runs.mayAct(owned))) {
      const run = await hands.runs.find(owned.id);
      if (!run || run.closedAt) return;
      const restMs = await look(workplace, { carried: { hands, owned, run, tries }, keepers, told });
      if (restMs > 0) await next(restMs);
    }
  } finally {
    await keepers.stop();
  }
}

type Look = { carried: CarriedRun; keepers: LogKeepers; told: Set<string> };

/** One round; how long to rest after it. */
async function look(workplace: Workplace, { carried, keepers, told }: Look): Promise<number> {
  const { hands, run } = carried;
  const listed = await hands.engine.jobs.list(hands.architecture);
  if (!listed.ok) return pauseMs;
  const observed = listed.value.filter((step) => step.run === run.id);
  keepers.attend(observed);
  const sight: RunSight = { run, observed, kept: keepers.kept, free: freeFor(workplace, run, observed), nowMs: hands.now() };
  const effects = planRun(sight).filter((effect) => isNew(effect, observed, told));
  if (effects.length === 0) return restMs(sight);
  const starts = effects.filter((effect) => effect.do === 'start').length;
  workplace.occupy(run.id, runningOf(observed) + starts);
  return (await carryOutRun(carried, effects)) ? 0 : pauseMs;
}

function freeFor(workplace: Workplace, run: JobRun, observed: readonly ObservedJobStep[]): number {
  const running = runningOf(observed);
  workplace.occupy(run.id, running);
  return workplace.freeFor(run.id) - running;
}

const runningOf = (observed: readonly ObservedJobStep[]): number => observed.filter(({ state }) => state === 'running').length;

/** A container is sent each signal once by each who carries the run. */
function isNew(effect: RunEffect, observed: readonly ObservedJobStep[], told: Set<string>): boolean {
  if (effect.do !== 'signal') return true;
  const container = observed.find(({ step }) => step === effect.step.key)?.container;
  const key = `${container} ${effect.signal}`;
  const isFirst = !told.has(key);
  told.add(key);
  return isFirst;
}

const restMs = (sight: RunSight): number => Math.min(beatMs, Math.max(1, (nextDeadlineMs(sight) ?? Infinity) - sight.nowMs));
