import type { RunId } from '../digest.ts';
import type { RunOutcome, RunPlan } from '../job-run.ts';
import type { Problem } from '../problem.ts';
import type { Reading } from './database.ts';

/** A run that a delivery started. `steps`: keys of those whose output is kept, in their order. */
export type StartedRun = { id: RunId; job: string; outcome?: RunOutcome; problem?: Problem; steps: readonly string[] };

/** What the ledger knows of a delivery. `isLive`: a release became live since it was taken. */
export type DeliveryLook = { number: number; runs: readonly StartedRun[]; isLive: boolean };

type RunRow = { id: RunId; job: string; plan: string; outcome: RunOutcome | null; problem: string | null };

/** Undefined for one that no controller has taken yet. Asked again and again: all of it is found by index. */
export function lookAtDelivery(database: Reading, { source, id }: { source: string; id: string }): DeliveryLook | undefined {
  const taken = 'SELECT number, taken_at FROM deliveries WHERE source = ? AND delivery = ?';
  const delivery = database.one<{ number: number; taken_at: string }>(taken, source, id);
  if (delivery === undefined) return undefined;
  const started = 'SELECT id, job, plan, outcome, problem FROM job_runs WHERE delivery = ? ORDER BY number';
  const newest = "SELECT at FROM entries WHERE type = 'release-live' ORDER BY id DESC LIMIT 1";
  const runs = database.all<RunRow>(started, delivery.number).map(startedRun);
  return { number: delivery.number, runs, isLive: (database.one<{ at: string }>(newest)?.at ?? '') > delivery.taken_at };
}

const startedRun = ({ id, job, plan, outcome, problem }: RunRow): StartedRun => ({
  id,
  job,
  steps: (JSON.parse(plan) as RunPlan).steps.map(({ key }) => key),
  ...(outcome !== null && { outcome }),
  ...(problem !== null && { problem: JSON.parse(problem) as Problem }),
});
