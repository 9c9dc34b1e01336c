import type { Database } from './database.ts';
import { rolloutInCharge } from './rollouts.ts';

/** No call is under way for longer. */
const rememberedMs = 24 * 3_600_000;

/** To be called in a transaction. False when the token is not in charge. */
export function letGo(database: Database, containers: readonly string[], { token, now }: { token: number; now: string }): boolean {
  if (rolloutInCharge(database)?.token !== token) return false;
  database.run('DELETE FROM leaving WHERE at < ?', new Date(Date.parse(now) - rememberedMs).toISOString());
  for (const container of containers) database.run('INSERT OR REPLACE INTO leaving (container, at) VALUES (?, ?)', container, now);
  return true;
}

export const leaving = (database: Database): ReadonlySet<string> =>
  new Set(database.all<{ container: string }>('SELECT container FROM leaving').map(({ container }) => container));
