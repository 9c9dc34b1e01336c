import { problemCatalogue, type Problem, type ProblemCode } from '../problem.ts';
import type { Told } from './schemas.ts';

/** The status each problem is answered with; what is not here is none of a client's, and 500. */
export const problemStatus: Partial<Record<ProblemCode, number>> = {
  REQUEST_INVALID: 400,
  TOKEN_REFUSED: 401,
  SCOPE_MISSING: 403,
  UNKNOWN_PATH: 404,
  UNKNOWN_RUN: 404,
  UNKNOWN_RELEASE: 404,
  UNKNOWN_COMMAND: 404,
  METHOD_UNKNOWN: 405,
  BODY_TOO_LONG: 413,
  BODY_NOT_JSON: 415,
  IDEMPOTENCY_KEY_REUSED: 422,
  RATE_EXCEEDED: 429,
  INBOX_UNWRITABLE: 503,
  LEDGER_UNREADABLE: 503,
};

/** A problem as RFC 9457 has it. */
export function problemAnswer({ code, what, why, safe, next, findings }: Problem): Told['problem'] {
  return {
    type: `urn:changeless:problem:${code}`,
    title: problemCatalogue[code].means,
    status: problemStatus[code] ?? 500,
    detail: what,
    code,
    ...(why !== undefined && { why }),
    ...(safe !== undefined && { safe }),
    ...(next !== undefined && { next }),
    ...(findings && { findings: findings.map(({ key = '', what: wrong }) => ({ key, what: wrong })) }),
  };
}
