import { canonicalJson } from '../canonical-json.ts';
import type { AcceptedRun } from '../job-run.ts';
import type { Problem } from '../problem.ts';
import type { Database } from './database.ts';

/**
 * To be called in a transaction. False when a run of that id was accepted before, which stays as it is. Those that wait for the same turn
 * have ended with it: the latest wins.
 */
export function acceptRun(database: Database, run: AcceptedRun, now: string): boolean {
  const { id, job, commit, release, environment, reason, parameters, plan, push, turn } = run;
  const isNew =
    database.run(
      `INSERT INTO job_runs (id, job, "release", "commit", environment, reason, parameters, plan, accepted_at, push, delivery, turn)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
      id,
      job,
      release,
      commit,
      environment,
      reason,
      canonicalJson(parameters),
      canonicalJson(plan),
      now,
      push ? canonicalJson(push) : null,
      push?.delivery ?? null,
      turn ?? null,
    ) === 1;
  if (isNew && turn !== undefined) supersede(database, { id, turn }, now);
  return isNew;
}

function supersede(database: Database, { id, turn }: Pick<AcceptedRun, 'id'> & { turn: string }, now: string): void {
  database.run(
    `UPDATE job_runs SET ended_at = ?, outcome = 'superseded', problem = ?
      WHERE turn = ? AND id <> ? AND started_at IS NULL AND ended_at IS NULL`,
    now,
    canonicalJson(superseded(id)),
    turn,
    id,
  );
}

const superseded = (by: string): Problem => ({
  code: 'JOB_SUPERSEDED',
  what: `the run was not begun: ${by} came after it`,
  why: 'of what waits for the same turn the latest is done',
});
