import type { Problem } from '../problem.ts';
import { isTokenRequest, type TokenRequest } from '../request.ts';
import type { Post } from './post.ts';

/** Serves each request about who may use the API: it is on record before it is taken away. */
export async function takeTokenRequests(post: Post, token: number): Promise<void> {
  const { engine, ledger, journal, desired } = post;
  const requests = await engine.requests(desired.architecture);
  for (const asked of requests.ok ? requests.value : []) {
    if (!isTokenRequest(asked.request)) continue;
    if (!(await ledger.mayAct(token))) return;
    const problem = await serveToken(post, asked.request);
    await journal.flush();
    journal.report(problem ? { type: 'request-refused', request: asked.name, problem } : { type: 'request-served', request: asked.name });
    await engine.takeRequest(desired.architecture, asked.name);
  }
}

async function serveToken({ ledger, journal }: Post, request: TokenRequest): Promise<Problem | undefined> {
  if (request.ask === 'revoke-token') return revokeToken({ ledger, journal }, request.name);
  const { name, scope, digest, expiresAt } = request;
  if (!(await ledger.addToken({ name, scope, digest, expiresAt }))) return nameTaken(name);
  journal.report({ type: 'token-added', name, scope, expiresAt });
  return undefined;
}

/** UNKNOWN_TOKEN where none of that name is accepted. */
export async function revokeToken({ ledger, journal }: Pick<Post, 'ledger' | 'journal'>, name: string): Promise<Problem | undefined> {
  if (!(await ledger.revokeToken(name)))
    return { code: 'UNKNOWN_TOKEN', what: `no token ${name} is accepted`, safe: 'nothing was changed', next: 'changeless token list' };
  journal.report({ type: 'token-revoked', name });
  return undefined;
}

const nameTaken = (name: string): Problem => ({
  code: 'REQUEST_REFUSED',
  what: `there is a token ${name} already`,
  safe: 'it is accepted as before; no other one is',
  next: `changeless token revoke ${name}, or another name`,
});
