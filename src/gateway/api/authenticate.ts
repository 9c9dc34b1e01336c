import { digestOfToken, includesScope, isSameDigest, isToken, type Scope } from '../../api-token.ts';
import type { TokenRecord } from '../../ledger/tokens.ts';
import type { Problem } from '../../problem.ts';
import { done, failed, type Result } from '../../result.ts';

export type Asking = { header: string | undefined; tokens: readonly TokenRecord[]; now: Date };

/** Whose token a request bears. TOKEN_REFUSED says what is wrong with it only to who has it. */
export function authenticate({ header, tokens, now }: Asking): Result<TokenRecord> {
  const [, token] = /^Bearer +(\S+)$/i.exec(header ?? '') ?? [];
  if (token === undefined) return failed(refused('the request bears no token', 'Authorization: Bearer chg_…'));
  if (!isToken(token))
    return failed(refused('what the request bears is no token', 'one begins with chg_ and has 52 characters; was it copied whole?'));
  const digest = digestOfToken(token);
  // All are compared, so that how long it takes tells nothing of any.
  const known = tokens.map((each) => (isSameDigest(each.digest, digest) ? each : undefined)).find((each) => each !== undefined);
  if (known === undefined) return failed(refused('the token is unknown here'));
  if (known.revokedAt !== undefined) return failed(refused(`token ${known.name} was revoked at ${known.revokedAt}`));
  if (Date.parse(known.expiresAt) <= now.getTime()) return failed(refused(`token ${known.name} ended at ${known.expiresAt}`));
  return done(known);
}

/** SCOPE_MISSING where the token's scope does not include what is needed. */
export function authorise({ name, scope }: TokenRecord, needs: Scope): Problem | undefined {
  if (includesScope(scope, needs)) return undefined;
  return {
    code: 'SCOPE_MISSING',
    what: `token ${name} may ${scope}, and this needs ${needs}`,
    safe: 'nothing was changed',
    next: `changeless token add <name> --scope ${needs}`,
  };
}

const refused = (what: string, why?: string): Problem => ({
  code: 'TOKEN_REFUSED',
  what,
  ...(why !== undefined && { why }),
  safe: 'nothing was told, and nothing changed',
  next: 'changeless token add <name> --scope read    makes one',
});
