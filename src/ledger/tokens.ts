import type { Scope } from '../api-token.ts';
import type { Database, Reading } from './database.ts';
import { apiSource } from './delivery.ts';

/** A token to be accepted from now on. `digest`: SHA-256 of it, as hex; the token itself is nowhere. */
export type NewToken = { name: string; scope: Scope; digest: string; expiresAt: string };

/** `usedOn`: the last day (UTC) on which it was used. */
export type TokenRecord = NewToken & { addedAt: string; revokedAt?: string; usedOn?: string };

type TokenRow = {
  name: string;
  scope: Scope;
  digest: string;
  added_at: string;
  expires_at: string;
  revoked_at: string | null;
  used: string | null;
};

/** The id of what a gateway writes down once a day for each token that is used. */
export const usedId = (digest: string, day: string): string => `${usedBefore(digest)}${day}`;

const usedBefore = (digest: string): string => `used-${digest.slice(0, 16)}-`;

/** The kind of such a record among deliveries. */
export const usedKind = 'token-used';

/** False when one of that name, or that very token, is there. Asked again with the same, it is there: true. */
export function addToken(database: Database, { name, scope, digest, expiresAt }: NewToken, now: string): boolean {
  const known = database.one<TokenRow>('SELECT * FROM tokens WHERE name = ? AND revoked_at IS NULL', name);
  if (known) return known.digest === digest && known.scope === scope;
  const sql = 'INSERT INTO tokens (name, scope, digest, added_at, expires_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING';
  return database.run(sql, name, scope, digest, now, expiresAt) === 1;
}

/** False when none of that name is accepted. */
export const revokeToken = (database: Database, name: string, now: string): boolean =>
  database.run('UPDATE tokens SET revoked_at = ? WHERE name = ? AND revoked_at IS NULL', now, name) === 1;

/** All there ever were, newest first. */
export const readTokens = (database: Reading): TokenRecord[] =>
  database
    .all<TokenRow>(
      `SELECT name, scope, digest, added_at, expires_at, revoked_at,
        (SELECT max(delivery) FROM deliveries WHERE source = '${apiSource}'
          AND delivery BETWEEN 'used-' || substr(digest, 1, 16) || '-' AND 'used-' || substr(digest, 1, 16) || '-9999') AS used
        FROM tokens ORDER BY number DESC`,
    )
    .map(recordOf);

const recordOf = ({ name, scope, digest, added_at, expires_at, revoked_at, used }: TokenRow): TokenRecord => ({
  name,
  scope,
  digest,
  addedAt: added_at,
  expiresAt: expires_at,
  ...(revoked_at !== null && { revokedAt: revoked_at }),
  ...(used !== null && { usedOn: used.slice(usedBefore(digest).length) }),
});
