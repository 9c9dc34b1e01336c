import { done, failed, type Result } from './result.ts';

/** `signal`: who asks no longer wants to know. */
export type HttpRequest = {
  method: 'GET' | 'POST';
  url: string;
  headers: Readonly<Record<string, string>>;
  body?: string;
  signal: AbortSignal;
};

export type HttpAnswer = { status: number; header: (name: string) => string | undefined; body: string };

/** Asks over HTTP; when no answer came, words that say why, which hold nothing of the address: it may be secret. */
export type Http = (request: HttpRequest) => Promise<Result<HttpAnswer, string>>;

const limitMs = 10_000;

const limitBytes = 8 * 1024 * 1024;

/** Over the network, for at most ten seconds and 8 MB. Redirects are answers like any other: nothing is sent on to where they lead. */
export const sendHttp: Http = async ({ signal, ...request }) => {
  const limit = AbortSignal.timeout(limitMs);
  try {
    const { url, ...rest } = request;
    const response = await fetch(url, { ...rest, redirect: 'manual', signal: AbortSignal.any([signal, limit]) });
    const body = await readAll(response);
    if (body === undefined) return failed(`its answer is longer than ${limitBytes / 1024 / 1024} MB`);
    return done({ status: response.status, header: (name) => response.headers.get(name) ?? undefined, body });
  } catch (error) {
    if (limit.aborted) return failed(`it did not answer within ${limitMs / 1000} s`);
    return failed(signal.aborted ? 'nobody waits for its answer any more' : `it could not be reached (${codeOf(error)})`);
  }
};

async function readAll(response: Response): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > limitBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** `ECONNREFUSED` and the like. Messages of errors may hold the address. */
function codeOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : 'no connection';
}

/** What `Retry-After` says, in milliseconds: seconds, or a date. Undefined when it says nothing. */
export function retryAfterMs({ header }: Pick<HttpAnswer, 'header'>, nowMs: number): number | undefined {
  const text = header('retry-after');
  if (text === undefined) return undefined;
  const ms = /^\d{1,7}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
