import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Status = { sha: string; state: string; context: string; description: string; target_url?: string };

type Push = { branch: string; before: string; after: string };

/** One try to deliver a webhook. */
type Attempt = { id: number; guid: string; at: string; status: number; push: Push };

type Canned = { status: number; headers?: Record<string, string>; body?: object };

export const commitOf = (letter: string): string => letter.repeat(40).slice(0, 40);

const none = '0'.repeat(40);

/**
 * GitHub's REST API on this machine, as far as its documentation says how it behaves: tokens, pages, ETags that cost nothing, limits,
 * statuses of commits it has, webhooks and their deliveries.
 */
export class GithubOnLoopback {
  readonly repository = 'shop/web';
  readonly token: string;
  readonly heads = new Map<string, string>();
  readonly commits = new Set<string>();
  readonly statuses: Status[] = [];
  readonly attempts: Attempt[] = [];
  /** `GET /repos/…  304` of each request, in order. */
  readonly requests: string[] = [];
  /** Answers in place of the next ones. */
  readonly canned: Canned[] = [];
  /** What the limit has left. */
  remaining = 5000;
  resetAt = 0;
  /** Whether the token may look at webhooks. */
  showsHooks = true;
  /** A name that the repository had before. */
  formerName: string | undefined;
  pageSize = 100;
  hookUrl = 'https://deliver.example.com/webhooks/github';
  readonly #server: Server = createServer((request, response) => void this.#serve(request, response));

  constructor(token = 'a-token') {
    this.token = token;
  }

  async open(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this.api;
  }

  get api(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** Somebody pushes. `webhook`: what the gateway answered; left out when no webhook was sent. */
  push(branch: string, after: string, webhook?: number): Push {
    const push = { branch, before: this.heads.get(branch) ?? none, after };
    this.heads.set(branch, after);
    this.commits.add(after);
    if (webhook !== undefined) this.deliver(push, `guid-${this.attempts.length + 1}`, webhook);
    return push;
  }

  deliver(push: Push, guid: string, status: number): void {
    const id = this.attempts.length + 1;
    this.attempts.push({ id, guid, at: new Date(Date.UTC(2026, 0, 1) + id * 1000).toISOString(), status, push });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const canned = this.canned.shift();
    const { status, headers = {}, body } = canned ?? this.#answer(request, text);
    const bytes = body === undefined ? '' : JSON.stringify(body);
    const etag = `W/"${createHash('sha256').update(bytes).digest('hex')}"`;
    const isKnown = status === 200 && request.headers['if-none-match'] === etag;
    const said = isKnown ? 304 : status;
    if (said !== 304 && canned === undefined) this.remaining -= 1;
    this.requests.push(`${request.method} ${request.url} ${said}`);
    response.writeHead(said, { ...(status === 200 && { etag }), ...this.#limitHeaders(), ...headers });
    response.end(said === 304 ? undefined : bytes);
  }

  #limitHeaders(): Record<string, string> {
    return {
      'x-ratelimit-limit': '5000',
      'x-ratelimit-remaining': String(Math.max(0, this.remaining)),
      'x-ratelimit-reset': String(this.resetAt),
    };
  }

  #answer({ method, url = '/', headers }: IncomingMessage, text: string): Canned {
    if (headers.authorization !== `Bearer ${this.token}`) return { status: 401, body: { message: 'Bad credentials' } };
    if (headers['user-agent'] === undefined) return { status: 403, body: { message: 'Request forbidden by administrative rules.' } };
    if (this.remaining <= 0) return { status: 403, body: { message: 'API rate limit exceeded for user ID 1.' } };
    const { pathname, searchParams } = new URL(url, this.api);
    const former = `/repos/${this.formerName}/`;
    if (this.formerName !== undefined && pathname.startsWith(former))
      return { status: method === 'GET' ? 301 : 307, headers: { location: `${this.api}${url.replace(former, '/repositories/7/')}` } };
    const of = [`/repos/${this.repository}`, '/repositories/7'].find((start) => pathname.startsWith(`${start}/`));
    if (of === undefined) return { status: 404, body: { message: 'Not Found' } };
    const rest = pathname.slice(of.length);
    if (method === 'POST') return this.#postStatus(rest, text);
    if (rest === '/branches') return this.#page(this.#branches(), pathname, searchParams);
    if (!this.showsHooks || !rest.startsWith('/hooks')) return { status: 404, body: { message: 'Not Found' } };
    return this.#hooks(rest, pathname, searchParams);
  }

  #branches(): object[] {
    return [...this.heads].map(([name, sha]) => ({ name, commit: { sha, url: `${this.api}/x` }, protected: false }));
  }

  #hooks(rest: string, pathname: string, search: URLSearchParams): Canned {
    const config = { url: this.hookUrl, content_type: 'json' };
    if (rest === '/hooks')
      return this.#page(
        [
          { id: 3, active: true, events: ['issues'], config },
          { id: 4, active: true, events: ['push'], config },
        ],
        pathname,
        search,
      );
    const detail = /^\/hooks\/4\/deliveries\/(\d+)$/.exec(rest);
    if (detail) return this.#detail(this.attempts.find(({ id }) => id === Number(detail[1])));
    const listed = this.attempts.toReversed().map(({ id, guid, at, status }) => ({
      id,
      guid,
      delivered_at: at,
      redelivery: false,
      status: status === 200 ? 'OK' : 'Service Unavailable',
      status_code: status,
      event: 'push',
      action: null,
    }));
    return rest === '/hooks/4/deliveries' ? this.#page(listed, pathname, search) : { status: 404, body: { message: 'Not Found' } };
  }

  #detail(attempt: Attempt | undefined): Canned {
    if (attempt === undefined) return { status: 404, body: { message: 'Not Found' } };
    const { id, guid, push } = attempt;
    const payload = {
      ref: `refs/heads/${push.branch}`,
      before: push.before,
      after: push.after,
      repository: { full_name: this.repository },
      head_commit: { author: { name: 'Ada' } },
    };
    return { status: 200, body: { id, guid, event: 'push', request: { headers: {}, payload } } };
  }

  #page(items: readonly object[], pathname: string, search: URLSearchParams): Canned {
    const page = Number(search.get('page') ?? 1);
    const shown = items.slice((page - 1) * this.pageSize, page * this.pageSize);
    const next = `<${this.api}${pathname}?per_page=100&page=${page + 1}>; rel="next", <${this.api}${pathname}?page=9>; rel="last"`;
    return { status: 200, body: shown, ...(items.length > page * this.pageSize && { headers: { link: next } }) };
  }

  #postStatus(rest: string, text: string): Canned {
    const [, sha] = /^\/statuses\/([0-9a-f]{40})$/.exec(rest) ?? [];
    if (sha === undefined) return { status: 404, body: { message: 'Not Found' } };
    if (!this.commits.has(sha)) return { status: 422, body: { message: `No commit found for SHA: ${sha}` } };
    const status = JSON.parse(text) as Omit<Status, 'sha'>;
    if (status.description.length > 140) return { status: 422, body: { message: 'Validation Failed' } };
    this.statuses.push({ sha, ...status });
    return { status: 201, body: { id: this.statuses.length, ...status } };
  }
}
