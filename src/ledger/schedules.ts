import type { AcceptedRun } from '../job-run.ts';
import { acceptRun } from './accept-run.ts';
import type { Database } from './database.ts';
import type { Ledger } from './ledger.ts';
import { rolloutInCharge } from './rollouts.ts';

/** To be called in a transaction: what came due is accepted and will not be due again, both or neither. */
export function takeDue(
  database: Database,
  dueSince: Parameters<Ledger['takeDue']>[1],
  { token, now }: { token: number; now: string },
): AcceptedRun[] {
  if (rolloutInCharge(database)?.token !== token) return [];
  const looked = database.one<{ looked_at: string }>('SELECT looked_at FROM schedules');
  const due = looked ? dueSince(new Date(looked.looked_at), new Date(now)) : [];
  // Also when nothing was: a job that a later release brings is not due for a time before it.
  database.run('INSERT INTO schedules (one, looked_at) VALUES (1, ?1) ON CONFLICT (one) DO UPDATE SET looked_at = ?1', now);
  return due.filter((run) => acceptRun(database, run, now));
}
