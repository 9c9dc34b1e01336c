import { retryAfterMs, type Http, type HttpAnswer, type HttpRequest } from '../../http.ts';
import type { Result } from '../../result.ts';
import type { Secret } from '../../secret.ts';
import type { Answered } from '../forge.ts';

export type GithubClientOptions = {
  /** `https://api.github.com`, without a slash at its end. */
  api: string;
  token: () => Promise<Result<Secret, string>>;
  http: Http;
  clock: () => Date;
};

/** `next`: the address of what follows, of a list that has more. */
type Page = { value: unknown; next?: string };

/** `body`: sent as JSON. */
type Question = { method: 'GET' | 'POST'; url: string; body?: object; signal: AbortSignal };

/** When GitHub limits and does not say for how long. */
const secondaryMs = 60_000;

const mostRedirects = 3;

/** Of so many pages is remembered what was on them. */
const mostPages = 200;

/**
 * Asks GitHub's REST API by its rules: one request at a time; what was asked before only if it has changed, which costs nothing of the
 * limit; and not at all until a limit is over.
 */
export class GithubClient {
  readonly #options: GithubClientOptions;
  readonly #pages = new Map<string, Page & { etag: string }>();
  #busy: Promise<unknown> = Promise.resolve();
  #closedUntilMs = 0;

  constructor(options: GithubClientOptions) {
    this.#options = options;
  }

  /** What is asked for once, however long it is. */
  read(path: string, signal: AbortSignal): Promise<Answered<unknown>> {
    return this.#inTurn(async () => {
      const answer = await this.#ask({ method: 'GET', url: this.#urlOf(path), signal });
      return answer.state === 'done' ? { state: 'done', value: parse(answer.value.body) } : answer;
    });
  }

  /** All items of a list, page by page; at most so many pages. */
  async list(path: string, { mostPages, signal }: { mostPages: number; signal: AbortSignal }): Promise<Answered<readonly unknown[]>> {
    const items: unknown[] = [];
    let next: string | undefined = path;
    for (let count = 0; next !== undefined && count < mostPages; count += 1) {
      const page: Answered<Page> = await this.#inTurn(() => this.#page(this.#urlOf(next ?? path), signal));
      if (page.state !== 'done') return page;
      if (!Array.isArray(page.value.value)) return { state: 'later', why: 'its answer is no list' };
      items.push(...(page.value.value as unknown[]));
      next = page.value.next;
    }
    return { state: 'done', value: items };
  }

  post(path: string, body: object, signal: AbortSignal): Promise<Answered<void>> {
    return this.#inTurn(async () => {
      const answer = await this.#ask({ method: 'POST', url: this.#urlOf(path), body, signal });
      return answer.state === 'done' ? { state: 'done', value: undefined } : answer;
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#busy.then(work);
    this.#busy = turn.catch(() => undefined);
    return turn;
  }

  async #page(url: string, signal: AbortSignal): Promise<Answered<Page>> {
    const known = this.#pages.get(url);
    const answer = await this.#ask({ method: 'GET', url, signal }, known?.etag);
    if (answer.state !== 'done') return answer;
    if (answer.value.status === 304 && known) return { state: 'done', value: known };
    const value = parse(answer.value.body);
    if (value === undefined) return { state: 'later', why: 'its answer is not JSON' };
    const next = this.#nextOf(answer.value);
    const page = { value, ...(next !== undefined && { next }) };
    this.#remember(url, page, answer.value.header('etag'));
    return { state: 'done', value: page };
  }

  #remember(url: string, page: Page, etag: string | undefined): void {
    this.#pages.delete(url);
    if (etag !== undefined) this.#pages.set(url, { ...page, etag });
    const [oldest] = this.#pages.keys();
    if (oldest !== undefined && this.#pages.size > mostPages) this.#pages.delete(oldest);
  }

  async #ask(question: Question, etag?: string): Promise<Answered<HttpAnswer>> {
    const { token, http, clock } = this.#options;
    const closedMs = this.#closedUntilMs - clock().getTime();
    if (closedMs > 0) return { state: 'later', why: 'its limit of requests is reached', afterMs: closedMs };
    const opened = await token();
    if (!opened.ok) return { state: 'later', why: opened.problem };
    let request = requestOf(question, { token: opened.value, etag });
    for (let redirects = 0; ; redirects += 1) {
      const answer = await http(request);
      if (!answer.ok) return { state: 'later', why: answer.problem };
      const moved = this.#movedTo(answer.value, request);
      if (moved === undefined || redirects === mostRedirects) return this.#judged(answer.value);
      request = moved;
    }
  }

  #judged(answer: HttpAnswer): Answered<HttpAnswer> {
    const { status } = answer;
    const nowMs = this.#options.clock().getTime();
    const limitedMs = limitMs(answer, nowMs);
    if (limitedMs !== undefined) this.#closedUntilMs = nowMs + limitedMs;
    if ((status >= 200 && status < 300) || status === 304) return { state: 'done', value: answer };
    if (limitedMs !== undefined) return { state: 'later', why: `its limit of requests is reached (${status})`, afterMs: limitedMs };
    const why = whyOf(answer);
    if (status === 403 || status === 404 || status === 422) return { state: 'refused', why, status };
    const afterMs = retryAfterMs(answer, nowMs);
    return { state: 'later', why, ...(afterMs !== undefined && { afterMs }) };
  }

  /** A repository that was renamed answers so. The token is shown to nobody but whom it is for. */
  #movedTo({ status, header }: HttpAnswer, request: HttpRequest): HttpRequest | undefined {
    const location = header('location');
    if (![301, 302, 307, 308].includes(status) || location === undefined) return undefined;
    const url = URL.parse(location, request.url);
    if (url === null || !this.#isOurs(url.href) || (request.method === 'POST' && status < 307)) return undefined;
    return { ...request, url: url.href };
  }

  #nextOf({ header }: HttpAnswer): string | undefined {
    const [, next] = /<([^>]*)>\s*;\s*rel="next"/.exec(header('link') ?? '') ?? [];
    return next !== undefined && this.#isOurs(next) ? next : undefined;
  }

  #isOurs(url: string): boolean {
    return url.startsWith(`${this.#options.api}/`);
  }

  #urlOf(path: string): string {
    return this.#isOurs(path) ? path : `${this.#options.api}${path}`;
  }
}

function requestOf({ method, url, body, signal }: Question, { token, etag }: { token: Secret; etag: string | undefined }): HttpRequest {
  return {
    method,
    url,
    signal,
    headers: {
      accept: 'application/vnd.github+json',
      authorization: `Bearer ${token.revealText().trim()}`,
      'user-agent': 'changeless',
      'x-github-api-version': '2022-11-28',
      ...(etag !== undefined && { 'if-none-match': etag }),
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  };
}

/** How long nothing is to be asked, where a limit is reached. A secondary limit may be said in the text alone. */
function limitMs(answer: HttpAnswer, nowMs: number): number | undefined {
  const { status, header, body } = answer;
  const isRefused = status === 403 || status === 429;
  const afterMs = isRefused ? retryAfterMs(answer, nowMs) : undefined;
  if (afterMs !== undefined) return afterMs;
  const reset = Number(header('x-ratelimit-reset'));
  // Some answers are the last that the limit has.
  if (header('x-ratelimit-remaining') === '0' && reset > 0) return Math.max(1000, reset * 1000 - nowMs);
  return status === 429 || (isRefused && /rate limit/i.test(body)) ? secondaryMs : undefined;
}

function whyOf({ status, body }: HttpAnswer): string {
  const said = parse(body);
  const message = said !== null && typeof said === 'object' && 'message' in said ? said.message : undefined;
  const meant = {
    401: 'the token is not accepted',
    403: 'the token may not do that',
    404: 'there is no such thing, or the token may not see it',
  };
  const own = meant[status as keyof typeof meant];
  return `it answered ${status}${own ? ` (${own})` : ''}${typeof message === 'string' ? `: ${message.slice(0, 200)}` : ''}`;
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
