import type { Database } from './database.ts';
import { oversight, type Delivery } from './delivery.ts';

const ofBranch = `kind = 'push' AND lower(repository) = lower(?1) AND branch = ?2`;

/** Whether another push to the branch has come since its finder looked. */
export function isOvertaken(database: Database, { repository = '', branch = '', follows }: Delivery): boolean {
  if (follows === undefined) return false;
  const sql = `SELECT "after" FROM deliveries WHERE ${ofBranch} ORDER BY number DESC LIMIT 1`;
  return (database.one<{ after: string | null }>(sql, repository, branch)?.after ?? '') !== follows;
}

/**
 * Whether a webhook comes late with a push that was found without it. One that goes back to that commit, from another that came after it,
 * is a push of its own.
 */
export function wasFound(database: Database, { source, kind, repository, branch, before, after }: Delivery): boolean {
  if (source === oversight || kind !== 'push' || repository === undefined || branch === undefined || after === undefined) return false;
  const sql = `SELECT number FROM deliveries WHERE ${ofBranch} AND source = '${oversight}' AND "after" = ?3 ORDER BY number DESC LIMIT 1`;
  const found = database.one<{ number: number }>(sql, repository, branch, after);
  if (found === undefined) return false;
  const since = `SELECT number FROM deliveries WHERE ${ofBranch} AND number > ?3 AND "after" = ?4`;
  return before === undefined || database.one(since, repository, branch, found.number, before) === undefined;
}
