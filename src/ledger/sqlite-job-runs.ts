import { canonicalJson } from '../canonical-json.ts';
import type { CommitId, ReleaseId, RunId } from '../digest.ts';
import type { AcceptedRun, JobRun, RunOutcome, RunPlan, RunPush, RunReason, StepEnd, StepOutcome, StepRecord } from '../job-run.ts';
import type { Problem } from '../problem.ts';
import { acceptRun } from './accept-run.ts';
import type { Database } from './database.ts';
import { holdsLease } from './decide-claim.ts';
import type { JobRuns, OwnedRun, OwnRun, RunEnd } from './job-runs.ts';

type RunRow = {
  id: string;
  job: string;
  release: string;
  commit: string;
  environment: string;
  reason: string;
  parameters: string;
  plan: string;
  accepted_at: string;
  token: number;
  owner: string | null;
  renewed_at: string | null;
  started_at: string | null;
  cancel_asked_at: string | null;
  ended_at: string | null;
  outcome: RunOutcome | null;
  problem: string | null;
  closed_at: string | null;
  push: string | null;
  turn: string | null;
};

type StepRow = {
  step: string;
  container: string | null;
  created_at: string | null;
  started_at: string | null;
  ended_at: string | null;
  outcome: StepOutcome | null;
  exit_code: number | null;
  problem: string | null;
};

/** Every method is one transaction, on disk before it resolves. */
export class SqliteJobRuns implements JobRuns {
  readonly #database: Database;
  readonly #now: () => string;

  constructor(database: Database, now: () => string) {
    this.#database = database;
    this.#now = now;
  }

  async accept(run: AcceptedRun): Promise<boolean> {
    return this.#database.transaction(() => acceptRun(this.#database, run, this.#now()));
  }

  async claim({ owner, leaseMs, held }: Parameters<JobRuns['claim']>[0]): Promise<OwnRun[]> {
    // Mostly there is nothing to claim: whoever only looks need not hold up those who write.
    if (this.#claimable(owner, leaseMs, held).length === 0) return [];
    return this.#database.transaction(() =>
      this.#claimable(owner, leaseMs, held).map((row) => {
        const token = row.token + 1;
        this.#database.run('UPDATE job_runs SET owner = ?, token = ?, renewed_at = ? WHERE id = ?', owner, token, this.#now(), row.id);
        return { ...this.#stored(row), token };
      }),
    );
  }

  async renew(owned: readonly OwnedRun[]): Promise<OwnedRun[]> {
    if (owned.length === 0) return [];
    return this.#database.transaction(() => owned.filter((each) => this.#write(each, 'renewed_at = ?', this.#now())));
  }

  async release(owned: readonly OwnedRun[]): Promise<void> {
    this.#database.transaction(() => {
      for (const each of owned) this.#write(each, 'owner = NULL, renewed_at = NULL');
    });
  }

  async mayAct({ id, token }: OwnedRun): Promise<boolean> {
    return this.#database.one('SELECT id FROM job_runs WHERE id = ? AND token = ? AND owner IS NOT NULL', id, token) !== undefined;
  }

  async find(id: RunId): Promise<JobRun | undefined> {
    const row = this.#database.one<RunRow>('SELECT * FROM job_runs WHERE id = ?', id);
    return row && this.#stored(row);
  }

  async ofDelivery(number: number): Promise<JobRun[]> {
    const sql = 'SELECT * FROM job_runs WHERE delivery = ? ORDER BY number';
    return this.#database.all<RunRow>(sql, number).map((row) => this.#stored(row));
  }

  async list({ job, limit }: { job?: string; limit: number }): Promise<JobRun[]> {
    const sql = 'SELECT * FROM job_runs WHERE ?1 IS NULL OR job = ?1 ORDER BY number DESC LIMIT ?2';
    return this.#database.all<RunRow>(sql, job ?? null, limit).map((row) => this.#stored(row));
  }

  async begin({ id, token }: OwnedRun): Promise<boolean> {
    const sql = `UPDATE job_runs SET started_at = coalesce(started_at, ?)
      WHERE id = ? AND token = ? AND owner IS NOT NULL AND ended_at IS NULL AND NOT EXISTS
        (SELECT 1 FROM job_runs other WHERE other.turn = job_runs.turn AND other.number < job_runs.number AND other.ended_at IS NULL)`;
    return this.#database.run(sql, this.#now(), id, token) === 1;
  }

  async noteContainer(owned: OwnedRun, step: string, container?: string): Promise<boolean> {
    const sql = `INSERT INTO job_steps (run, step, container, created_at) VALUES (?1, ?2, ?3, ?4)
      ON CONFLICT (run, step) DO UPDATE SET container = ?3, created_at = ?4 WHERE outcome IS NULL`;
    return this.#owning(owned, () => this.#database.run(sql, owned.id, step, container ?? null, this.#now()) === 1);
  }

  async endStep(owned: OwnedRun, step: string, end: StepEnd): Promise<boolean> {
    const sql = `INSERT INTO job_steps (run, step, started_at, ended_at, outcome, exit_code, problem) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
      ON CONFLICT (run, step) DO UPDATE SET started_at = ?3, ended_at = ?4, outcome = ?5, exit_code = ?6, problem = ?7
      WHERE outcome IS NULL`;
    const { startedAt, endedAt, outcome, exitCode, problem } = end;
    const values = [startedAt ?? null, endedAt, outcome, exitCode ?? null, textOf(problem)];
    return this.#owning(owned, () => this.#database.run(sql, owned.id, step, ...values) === 1);
  }

  async cancel(id: RunId): Promise<boolean> {
    const sql = 'UPDATE job_runs SET cancel_asked_at = coalesce(cancel_asked_at, ?) WHERE id = ? AND ended_at IS NULL';
    return this.#database.run(sql, this.#now(), id) === 1;
  }

  async end(owned: OwnedRun, { outcome, problem, followers = [] }: RunEnd): Promise<boolean> {
    const sql = 'UPDATE job_runs SET ended_at = ?, outcome = ?, problem = ? WHERE id = ? AND token = ? AND ended_at IS NULL';
    return this.#database.transaction(() => {
      const isEnded = this.#database.run(sql, this.#now(), outcome, textOf(problem), owned.id, owned.token) === 1;
      if (isEnded) for (const run of followers) acceptRun(this.#database, run, this.#now());
      return isEnded;
    });
  }

  async close(owned: OwnedRun): Promise<boolean> {
    return this.#write(owned, 'closed_at = ?, owner = NULL', this.#now());
  }

  #claimable(owner: string, leaseMs: number, held: readonly RunId[]): RunRow[] {
    const open = this.#database.all<RunRow>('SELECT * FROM job_runs WHERE closed_at IS NULL ORDER BY number');
    const lease = { now: this.#now(), leaseMs };
    return open.filter((row) => {
      if (row.owner === owner && !held.includes(row.id as RunId)) return true;
      return row.owner === null || row.renewed_at === null || !holdsLease(row.renewed_at, lease);
    });
  }

  /** `set`: of our own making. */
  #write({ id, token }: OwnedRun, set: string, ...values: string[]): boolean {
    return this.#database.run(`UPDATE job_runs SET ${set} WHERE id = ? AND token = ? AND owner IS NOT NULL`, ...values, id, token) === 1;
  }

  #owning(owned: OwnedRun, work: () => boolean): boolean {
    const sql = 'SELECT id FROM job_runs WHERE id = ? AND token = ? AND owner IS NOT NULL AND closed_at IS NULL';
    return this.#database.transaction(() => this.#database.one(sql, owned.id, owned.token) !== undefined && work());
  }

  #stored(row: RunRow): JobRun {
    const steps = this.#database.all<StepRow>('SELECT * FROM job_steps WHERE run = ? ORDER BY step', row.id);
    return {
      id: row.id as RunId,
      job: row.job,
      release: row.release as ReleaseId,
      commit: row.commit as CommitId | 'uncommitted',
      environment: row.environment,
      reason: row.reason as RunReason,
      parameters: JSON.parse(row.parameters) as JobRun['parameters'],
      plan: JSON.parse(row.plan) as RunPlan,
      ...given({ push: row.push === null ? null : (JSON.parse(row.push) as RunPush), turn: row.turn }),
      acceptedAt: row.accepted_at,
      ...given({ startedAt: row.started_at, cancelAskedAt: row.cancel_asked_at, endedAt: row.ended_at, closedAt: row.closed_at }),
      ...given({ outcome: row.outcome, problem: problemIn(row.problem) }),
      steps: steps.map(storedStep),
    };
  }
}

const storedStep = (row: StepRow): StepRecord => ({
  step: row.step,
  ...given({ container: row.container, createdAt: row.created_at, startedAt: row.started_at, endedAt: row.ended_at }),
  ...given({ outcome: row.outcome, exitCode: row.exit_code, problem: problemIn(row.problem) }),
});

type Given<T> = { [Key in keyof T]?: NonNullable<T[Key]> };

/** Without the members that are null. */
const given = <T extends object>(values: T): Given<T> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null)) as Given<T>;

const problemIn = (text: string | null): Problem | null => (text === null ? null : (JSON.parse(text) as Problem));

const textOf = (problem: Problem | undefined): string | null => (problem === undefined ? null : canonicalJson(problem));
