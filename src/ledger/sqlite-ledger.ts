import type { RecordedEvent, UnitName } from '../events.ts';
import type { AcceptedRun } from '../job-run.ts';
import type { Problem } from '../problem.ts';
import { done, failed, type Result } from '../result.ts';
import { Database, migrate } from './database.ts';
import { recordOf } from './decide-claim.ts';
import { inboxTaken, readBody, readDeliveries, takeDeliveries } from './deliveries.ts';
import type { InboxBatch, NewDelivery, RunsOfDelivery, TakenDelivery } from './delivery.ts';
import { appendEntry, firstBroken, readEvents } from './entries.ts';
import type { BranchHeads } from './branch-heads.ts';
import type { ChannelPlaces } from './channel-places.ts';
import type { JobRuns } from './job-runs.ts';
import { leaving, letGo } from './leaving.ts';
import type { Claim, HoldDecision, Ledger, RolloutClose, RolloutRecord } from './ledger.ts';
import { takeDue } from './schedules.ts';
import { claimRollout, endRollout, decide, goBack, holdBack, newestRollouts, renewLease, rolloutInCharge, wentBack } from './rollouts.ts';
import { SqliteBranchHeads } from './sqlite-branch-heads.ts';
import { SqliteChannelPlaces } from './sqlite-channel-places.ts';
import { SqliteJobRuns } from './sqlite-job-runs.ts';

/** `now`: an ISO 8601 time. */
export type LedgerOptions = { now?: () => string };

// The catalogue has no code for ledgers; without one no controller can carry out a rollout.
const unusable = (code: 'LEDGER_NEWER' | 'LEDGER_UNREADABLE', what: string, why: string): Problem => ({
  code,
  what,
  why,
  safe: 'nothing was changed, in the ledger or on the engine',
  next: 'run a release made with this Changeless or a later one, or move the ledger away: that loses history, never what is live',
});

/** Opens a ledger file, making it if it is not there, and brings its schema up to date. */
export async function openSqliteLedger(file: string, options: LedgerOptions = {}): Promise<Result<Ledger>> {
  let database: Database | undefined;
  try {
    database = Database.forWriting(file);
    const refusal = migrate(database);
    if (refusal === undefined) return done(new SqliteLedger(database, options.now ?? (() => new Date().toISOString())));
    database.close();
    return failed(unusable('LEDGER_NEWER', `the ledger ${file} is newer than this program`, refusal));
  } catch (error) {
    database?.close();
    return failed(
      unusable('LEDGER_UNREADABLE', `the ledger ${file} cannot be opened`, error instanceof Error ? error.message : String(error)),
    );
  }
}

/** Every method is one transaction, on disk before it resolves. */
class SqliteLedger implements Ledger {
  readonly runs: JobRuns;
  readonly channels: ChannelPlaces;
  readonly heads: BranchHeads;
  readonly #database: Database;
  readonly #now: () => string;

  constructor(database: Database, now: () => string) {
    this.#database = database;
    this.#now = now;
    this.runs = new SqliteJobRuns(database, now);
    this.channels = new SqliteChannelPlaces(database);
    this.heads = new SqliteBranchHeads(database);
  }

  async claim(request: Parameters<Ledger['claim']>[0]): Promise<Claim> {
    return this.#database.transaction(() => claimRollout(this.#database, request, this.#now()));
  }

  async renew(token: number): Promise<boolean> {
    return renewLease(this.#database, token, this.#now());
  }

  async mayAct(token: number): Promise<boolean> {
    return rolloutInCharge(this.#database)?.token === token;
  }

  async end(token: number, close: RolloutClose): Promise<boolean> {
    return this.#database.transaction(() => endRollout(this.#database, token, { ...close, now: this.#now() }));
  }

  async decide(token: number, decision: HoldDecision): Promise<boolean> {
    return decide(this.#database, token, decision);
  }

  async goBack(token: number, why: Problem): Promise<boolean> {
    return goBack(this.#database, token, why);
  }

  async wentBack(token: number, outcome: 'live' | 'failed'): Promise<boolean> {
    return wentBack(this.#database, token, { outcome, now: this.#now() });
  }

  async holdBack(token: number, held: readonly UnitName[], why: Problem): Promise<boolean> {
    return this.#database.transaction(() => holdBack(this.#database, token, { held, why }));
  }

  async letGo(token: number, containers: readonly string[]): Promise<boolean> {
    return this.#database.transaction(() => letGo(this.#database, containers, { token, now: this.#now() }));
  }

  async leaving(): Promise<ReadonlySet<string>> {
    return leaving(this.#database);
  }

  async append(events: readonly RecordedEvent[]): Promise<void> {
    if (events.length === 0) return;
    this.#database.transaction(() => {
      const release = rolloutInCharge(this.#database)?.release;
      for (const event of events) appendEntry(this.#database, event, release);
    });
  }

  async rollouts(limit: number): Promise<RolloutRecord[]> {
    return newestRollouts(this.#database, limit).map(recordOf);
  }

  async events(filter: Parameters<Ledger['events']>[0]): Promise<RecordedEvent[]> {
    return readEvents(this.#database, filter);
  }

  async takeDeliveries(token: number, batch: InboxBatch, runsOf: RunsOfDelivery = () => []): Promise<readonly NewDelivery[] | undefined> {
    return this.#database.transaction(() => takeDeliveries(this.#database, batch, { token, now: this.#now(), runsOf }));
  }

  async takeDue(token: number, dueSince: Parameters<Ledger['takeDue']>[1]): Promise<readonly AcceptedRun[]> {
    return this.#database.transaction(() => takeDue(this.#database, dueSince, { token, now: this.#now() }));
  }

  async inboxTaken(): Promise<ReadonlyMap<string, number>> {
    return inboxTaken(this.#database);
  }

  async deliveries(range: { limit: number; after?: number }): Promise<TakenDelivery[]> {
    return readDeliveries(this.#database, range);
  }

  async deliveryBody(number: number): Promise<Uint8Array | undefined> {
    return readBody(this.#database, number);
  }

  async verifyChain(): Promise<number | undefined> {
    return firstBroken(this.#database);
  }

  async close(): Promise<void> {
    this.#database.close();
  }
}
