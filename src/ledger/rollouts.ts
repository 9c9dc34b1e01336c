import { canonicalJson, type Json } from '../canonical-json.ts';
import type { CommitId, ReleaseId } from '../digest.ts';
import type { RolloutOutcome, UnitName } from '../events.ts';
import type { Problem } from '../problem.ts';
import type { Database } from './database.ts';
import { askedOf } from '../asked.ts';
import { decideClaim, recordOf, type ClaimView, type StoredRollout } from './decide-claim.ts';
import type { Claim, Ledger, RolloutClose } from './ledger.ts';
import { quarantineOf, type Quarantine } from './quarantine.ts';

type ClaimRequest = Parameters<Ledger['claim']>[0];

type RolloutRow = {
  token: number;
  release: string;
  commit: string;
  environment: string;
  controller: string;
  started_at: string;
  renewed_at: string;
  ended_at: string | null;
  outcome: RolloutOutcome | null;
  problem: string | null;
  asked: string | null;
  replaced: string | null;
  held: string | null;
};

const inChargeToken = `(SELECT max(token) FROM rollouts WHERE outcome IS NULL OR outcome = 'live')`;

const one = (database: Database, where: string, ...values: string[]): StoredRollout | undefined => {
  const row = database.one<RolloutRow>(`SELECT * FROM rollouts WHERE ${where}`, ...values);
  return row && stored(row);
};

function stored(row: RolloutRow): StoredRollout {
  const asked = askedOf(row.asked);
  return {
    token: row.token,
    release: row.release as ReleaseId,
    commit: row.commit as CommitId | 'uncommitted',
    environment: row.environment,
    controller: row.controller,
    startedAt: row.started_at,
    renewedAt: row.renewed_at,
    ...(row.ended_at === null ? {} : { endedAt: row.ended_at }),
    ...(row.outcome === null ? {} : { outcome: row.outcome }),
    ...(row.problem === null ? {} : { problem: JSON.parse(row.problem) as Problem }),
    ...(asked && { asked }),
    ...(row.replaced === null ? {} : { replaced: row.replaced as ReleaseId }),
    ...(row.held === null ? {} : { held: JSON.parse(row.held) as UnitName[] }),
  };
}

/** The highest rollout that is under way or live. */
export const rolloutInCharge = (database: Database): StoredRollout | undefined => one(database, `token = ${inChargeToken}`);

export const newestRollouts = (database: Database, limit: number): StoredRollout[] =>
  database.all<RolloutRow>('SELECT * FROM rollouts ORDER BY token DESC LIMIT ?', limit).map(stored);

/** To be called in a transaction: what was decided on must still be so when it is written. */
export function claimRollout(database: Database, request: ClaimRequest, now: string): Claim {
  const decision = decideClaim(viewFor(database, request.controller), { now, leaseMs: request.leaseMs });
  switch (decision.kind) {
    case 'answer':
      return decision.claim;
    case 'resume':
      renewLease(database, decision.claim.token, now);
      return decision.claim;
    case 'begin': {
      const quarantine = request.asked === 'up' ? quarantineNow(database, request) : undefined;
      if (quarantine) return { state: 'quarantined', quarantine };
      if (decision.supersedes !== undefined) endRollout(database, decision.supersedes, { outcome: 'superseded', now });
      database.run(
        'INSERT INTO rollouts (token, "release", "commit", environment, controller, started_at, renewed_at, asked, replaced) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8)',
        ...([decision.token, request.release, request.commit, request.environment, request.controller, now] as const),
        request.asked ?? null,
        decision.from ?? null,
      );
      return { state: 'yours', token: decision.token, resumed: false, ...(decision.from === undefined ? {} : { from: decision.from }) };
    }
  }
}

/** Only what speaks of the release is read, however long the record is. */
function quarantineNow(database: Database, { release, environment }: ClaimRequest): Quarantine | undefined {
  const rows = database.all<RolloutRow>('SELECT * FROM rollouts WHERE "release" = ?1 OR replaced = ?1 ORDER BY token DESC', release);
  return quarantineOf(rows.map(stored).map(recordOf), release, environment);
}

function viewFor(database: Database, controller: string): ClaimView {
  const highestToken = database.one<{ token: number | null }>('SELECT max(token) AS token FROM rollouts')?.token ?? 0;
  const own = one(database, 'controller = ?', controller);
  const inCharge = rolloutInCharge(database);
  const live = one(database, `token = (SELECT max(token) FROM rollouts WHERE outcome = 'live')`);
  return { highestToken, ...(own && { own }), ...(inCharge && { inCharge }), ...(live && { live }) };
}

/** Whether the token is in charge, and so was renewed. */
export const renewLease = (database: Database, token: number, now: string): boolean =>
  database.run(`UPDATE rollouts SET renewed_at = ? WHERE token = ? AND token = ${inChargeToken}`, now, token) === 1;

/** Whether it ended now, or had ended in just this way. */
export function endRollout(database: Database, token: number, end: RolloutClose & { now: string }): boolean {
  const text = (value: Json | undefined): string | null => (value === undefined ? null : canonicalJson(value));
  const changed = database.run(
    'UPDATE rollouts SET outcome = ?, ended_at = ?, problem = ?, held = ? WHERE token = ? AND outcome IS NULL',
    end.outcome,
    end.now,
    text(end.problem),
    text(end.held),
    token,
  );
  return changed === 1 || database.one('SELECT token FROM rollouts WHERE token = ? AND outcome = ?', token, end.outcome) !== undefined;
}
