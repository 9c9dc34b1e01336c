import { canonicalJson, type Json } from '../canonical-json.ts';
import type { CommitId, ReleaseId } from '../digest.ts';
import type { RolloutOutcome, UnitName } from '../events.ts';
import type { Problem } from '../problem.ts';
import type { Database } from './database.ts';
import { askedOf } from '../asked.ts';
import { decideClaim, recordOf, type ClaimView, type StoredRollout } from './decide-claim.ts';
import type { Claim, HoldDecision, Ledger, Quarantine, RolloutClose, RolloutRecord } from './ledger.ts';
import { quarantineOf } from './quarantine.ts';

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
  going_back: string | null;
  decision: HoldDecision | null;
  yields: number | null;
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
    yields: row.yields === 1,
    ...(row.ended_at === null ? {} : { endedAt: row.ended_at }),
    ...(row.outcome === null ? {} : { outcome: row.outcome }),
    ...(row.problem === null ? {} : { problem: JSON.parse(row.problem) as Problem }),
    ...(asked && { asked }),
    ...(row.replaced === null ? {} : { replaced: row.replaced as ReleaseId }),
    ...(row.held === null ? {} : { held: JSON.parse(row.held) as UnitName[] }),
    ...(row.going_back === null ? {} : { goingBack: JSON.parse(row.going_back) as Problem }),
    ...(row.decision === null ? {} : { decision: row.decision }),
  };
}

/** The highest rollout that is under way or live. */
export const rolloutInCharge = (database: Database): StoredRollout | undefined => one(database, `token = ${inChargeToken}`);

export const newestRollouts = (database: Database, limit: number): StoredRollout[] =>
  database.all<RolloutRow>('SELECT * FROM rollouts ORDER BY token DESC LIMIT ?', limit).map(stored);

/** To be called in a transaction: what was decided on must still be so when it is written. */
export function claimRollout(database: Database, request: ClaimRequest, now: string): Claim {
  const refused = database.one<{ claim: string }>('SELECT claim FROM refusals WHERE controller = ?', request.controller);
  if (refused) return JSON.parse(refused.claim) as Claim;
  const claim = decideOn(database, request, now);
  if (claim.state === 'held' || claim.state === 'quarantined') noteRefusal(database, request, { claim, now });
  return claim;
}

/** Its caller is told so; killed and started again, it must not begin what nobody expects any more. */
function noteRefusal(database: Database, { controller }: ClaimRequest, { claim, now }: { claim: Claim; now: string }): void {
  database.run('DELETE FROM refusals WHERE at < ?', new Date(Date.parse(now) - refusalsKeptMs).toISOString());
  database.run('INSERT INTO refusals (controller, claim, at) VALUES (?, ?, ?)', controller, canonicalJson(claim), now);
}

/** Its container is removed by who started it, or by the next controller that is in charge. */
const refusalsKeptMs = 30 * 24 * 3_600_000;

function decideOn(database: Database, request: ClaimRequest, now: string): Claim {
  const decision = decideClaim(viewFor(database, request.controller), { now, leaseMs: request.leaseMs });
  switch (decision.kind) {
    case 'answer':
      return decision.claim.state === 'held' && request.waits
        ? takeTurn(database, request, { now, holder: decision.claim.holder })
        : decision.claim;
    case 'resume':
      renewLease(database, decision.claim.token, now);
      return decision.claim;
    case 'begin': {
      const quarantine = request.asked === 'up' ? quarantineNow(database, request) : undefined;
      if (quarantine) return refuse(database, request, quarantine);
      if (decision.supersedes !== undefined) endRollout(database, decision.supersedes, { outcome: 'superseded', now });
      skipTurns(database, request, now);
      return begin(database, request, { now, ...(decision.from && { from: decision.from }) });
    }
  }
}

function refuse(database: Database, { controller }: ClaimRequest, quarantine: Quarantine): Claim {
  database.run('DELETE FROM turns WHERE controller = ?', controller);
  return { state: 'quarantined', quarantine };
}

/** Whoever waited until now is skipped; recorded before the one that comes instead, so that it has the lower token. */
function takeTurn(database: Database, request: ClaimRequest, { now, holder }: { now: string; holder: RolloutRecord }): Claim {
  if (database.one('SELECT controller FROM turns WHERE controller = ?', request.controller) === undefined) {
    skipTurns(database, request, now);
    database.run(
      'INSERT INTO turns (controller, "release", "commit", environment, since) VALUES (?, ?, ?, ?, ?)',
      ...identityOf(request),
      now,
    );
  }
  return { state: 'waiting', holder };
}

const identityOf = ({ controller, release, commit, environment }: ClaimRequest) => [controller, release, commit, environment] as const;

type Turn = Pick<RolloutRow, 'controller' | 'release' | 'commit' | 'environment'> & { since: string };

/** Takes the turns of all others: each becomes a rollout that was superseded before it began. */
function skipTurns(database: Database, { controller }: ClaimRequest, now: string): void {
  for (const turn of database.all<Turn>('SELECT * FROM turns WHERE controller <> ? ORDER BY since', controller)) {
    database.run(
      `INSERT INTO rollouts (token, controller, "release", "commit", environment, started_at, renewed_at, ended_at, outcome)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, 'superseded')`,
      nextToken(database),
      ...([turn.controller, turn.release, turn.commit, turn.environment, turn.since, now] as const),
    );
  }
  database.run('DELETE FROM turns');
}

const nextToken = (database: Database): number =>
  (database.one<{ token: number | null }>('SELECT max(token) AS token FROM rollouts')?.token ?? 0) + 1;

function begin(database: Database, request: ClaimRequest, { now, from }: { now: string; from?: ReleaseId }): Claim {
  const token = nextToken(database);
  database.run(
    `INSERT INTO rollouts (token, controller, "release", "commit", environment, started_at, renewed_at, asked, replaced, yields)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8, ?9)`,
    token,
    ...identityOf(request),
    now,
    request.asked ?? null,
    from ?? null,
    request.yields ? 1 : null,
  );
  return { state: 'yours', token, resumed: false, ...(from && { from }) };
}

/** Only what speaks of the release is read, however long the record is. */
function quarantineNow(database: Database, { release, environment }: ClaimRequest): Quarantine | undefined {
  const rows = database.all<RolloutRow>('SELECT * FROM rollouts WHERE "release" = ?1 OR replaced = ?1 ORDER BY token DESC', release);
  return quarantineOf(rows.map(stored).map(recordOf), release, environment);
}

function viewFor(database: Database, controller: string): ClaimView {
  const own = one(database, 'controller = ?', controller);
  const inCharge = rolloutInCharge(database);
  const live = one(database, `token = (SELECT max(token) FROM rollouts WHERE outcome = 'live')`);
  return { ...(own && { own }), ...(inCharge && { inCharge }), ...(live && { live }) };
}

/** Whether the token is in charge, and so was renewed. */
export const renewLease = (database: Database, token: number, now: string): boolean =>
  database.run(`UPDATE rollouts SET renewed_at = ? WHERE token = ? AND token = ${inChargeToken}`, now, token) === 1;

export const decide = (database: Database, token: number, decision: HoldDecision): boolean =>
  database.run(
    `UPDATE rollouts SET decision = coalesce(decision, ?2) WHERE token = ?1 AND outcome IS NULL AND token = ${inChargeToken}`,
    token,
    decision,
  ) === 1;

const liveInCharge = `token = ?1 AND outcome = 'live' AND token = ${inChargeToken}`;

export const goBack = (database: Database, token: number, why: Problem): boolean =>
  database.run(`UPDATE rollouts SET going_back = coalesce(going_back, ?2) WHERE ${liveInCharge}`, token, canonicalJson(why)) === 1;

export function wentBack(database: Database, token: number, { outcome, now }: { outcome: 'live' | 'failed'; now: string }): boolean {
  if (outcome === 'live') return database.run(`UPDATE rollouts SET going_back = NULL WHERE ${liveInCharge}`, token) === 1;
  const set = `outcome = 'failed', problem = going_back, ended_at = ?2`;
  return database.run(`UPDATE rollouts SET ${set} WHERE ${liveInCharge} AND going_back IS NOT NULL`, token, now) === 1;
}

/** To be called in a transaction. */
export function holdBack(database: Database, token: number, { held, why }: { held: readonly UnitName[]; why: Problem }): boolean {
  const before = one(database, 'token = ?', String(token))?.held ?? [];
  const isNew = ({ kind, name }: UnitName): boolean => !before.some((each) => each.kind === kind && each.name === name);
  const all = canonicalJson([...before, ...held.filter(isNew)]);
  return database.run(`UPDATE rollouts SET held = ?2, problem = ?3 WHERE ${liveInCharge}`, token, all, canonicalJson(why)) === 1;
}

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
