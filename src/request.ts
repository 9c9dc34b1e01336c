import { isScope, isTokenName, type Scope } from './api-token.ts';
import type { CommitId, ReleaseId, RunId } from './digest.ts';
import { isRunId } from './job-run.ts';

/**
 * What someone asks of the controller in charge. `go-back`: from the release that is live to the one before, while that one is
 * still there. `let-live`, `drop`: what becomes of the release that is held. `scale`: how many instances a service has. `run-job`:
 * under an id of the asker's own, so that asking again runs nothing twice; `cancel-job`: that it ends. `add-token`, `revoke-token`: who
 * may use the API.
 */
export type Request =
  | { ask: 'go-back' | 'let-live' | 'drop'; release: ReleaseId }
  | { ask: 'scale'; app: string; service: string; count: number }
  | JobRequest
  | TokenRequest;

/** `digest`: SHA-256 of the token, as hex; the token itself is nowhere. */
export type TokenRequest =
  | { ask: 'add-token'; name: string; scope: Scope; digest: string; expiresAt: string }
  | { ask: 'revoke-token'; name: string };

export type JobRequest =
  | { ask: 'run-job'; run: RunId; job: string; commit: CommitId | 'uncommitted'; parameters: Readonly<Record<string, string>> }
  | { ask: 'cancel-job'; run: RunId };

/** What a rollout has to do with: of scaling and of jobs others take care. */
export const isOfRelease = (request: Request | undefined): request is Extract<Request, { release: ReleaseId }> =>
  request !== undefined && 'release' in request;

/** Whether it is about jobs. */
export const isJobRequest = (request: Request | undefined): request is JobRequest =>
  request?.ask === 'run-job' || request?.ask === 'cancel-job';

/** Whether it is about who may use the API. */
export const isTokenRequest = (request: Request | undefined): request is TokenRequest =>
  request?.ask === 'add-token' || request?.ask === 'revoke-token';

/** The words of a request, as they are written on it. */
export function requestText(request: Request): string {
  switch (request.ask) {
    case 'scale':
      return `scale ${request.app} ${request.service} ${request.count}`;
    case 'run-job':
      return `run-job ${request.run} ${request.job} ${request.commit} ${JSON.stringify(request.parameters)}`;
    case 'cancel-job':
      return `cancel-job ${request.run}`;
    case 'add-token':
      return `add-token ${request.name} ${request.scope} ${request.digest} ${request.expiresAt}`;
    case 'revoke-token':
      return `revoke-token ${request.name}`;
    default:
      return `${request.ask} ${request.release}`;
  }
}

/** Words that were written down, read again; undefined for any that this program does not know. */
export function parseRequest(text: string): Request | undefined {
  const ofRelease = /^(go-back|let-live|drop) ([0-9a-f]{64})$/.exec(text);
  if (ofRelease) return { ask: ofRelease[1] as 'go-back' | 'let-live' | 'drop', release: ofRelease[2] as ReleaseId };
  const scale = /^scale (\S+) (\S+) (\d{1,6})$/.exec(text);
  return scale
    ? { ask: 'scale', app: scale[1] ?? '', service: scale[2] ?? '', count: Number(scale[3]) }
    : (parseTokenRequest(text) ?? parseJobRequest(text));
}

function parseTokenRequest(text: string): TokenRequest | undefined {
  const [ask, name = '', scope = '', digest = '', expiresAt = '', ...more] = text.split(' ');
  if (!isTokenName(name)) return undefined;
  if (ask === 'revoke-token' && scope === '') return { ask, name };
  if (ask !== 'add-token' || !isScope(scope) || !/^[0-9a-f]{64}$/.test(digest) || more.length > 0) return undefined;
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(expiresAt) ? { ask, name, scope, digest, expiresAt } : undefined;
}

function parseJobRequest(text: string): JobRequest | undefined {
  const [ask, run = '', job = '', commit = '', ...rest] = text.split(' ');
  if (!isRunId(run)) return undefined;
  if (ask === 'cancel-job' && job === '') return { ask, run };
  const parameters = parametersIn(rest.join(' '));
  if (ask !== 'run-job' || job === '' || !/^([0-9a-f]{40}|[0-9a-f]{64}|uncommitted)$/.test(commit) || !parameters) return undefined;
  return { ask, run, job, commit: commit as CommitId | 'uncommitted', parameters };
}

/** An object whose members are all texts, as JSON. */
function parametersIn(text: string): Record<string, string> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isTexts = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isTexts && Object.values(value).every((each) => typeof each === 'string') ? (value as Record<string, string>) : undefined;
  } catch {
    return undefined;
  }
}
