import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Delivery } from '../ledger/delivery.ts';
import type { Problem } from '../problem.ts';
import type { Result } from '../result.ts';
import type { Secret } from '../secret.ts';
import { judgeGithub } from './judge-github.ts';
import { judgeSigned } from './judge-signed.ts';
import type { Judgement, WebhookRequest } from './judgement.ts';
import { readBody } from './read-body.ts';
import { bodyLimitBytes } from './record.ts';
import { Room } from './room.ts';

/** `github`: as GitHub sends and signs them; `signed`: as Standard Webhooks say. `repository`: pushes of others are ignored. */
export type Webhook = { name: string; format: 'github' | 'signed'; secret: Secret; repository?: string };

/** What a gateway says of itself: what was not taken, and why. */
export type GatewayEvent =
  | { type: 'delivery-ignored' | 'delivery-refused'; webhook: string; id?: string; why: string }
  | { type: 'inbox-failed'; problem: Problem }
  | { type: 'api-failed'; why: string }
  | { type: 'sweep-failed' | 'push-refused' | 'push-failed'; why: string };

export type WebhookServing = {
  webhooks: readonly Webhook[];
  /** Resolves when it is on disk. */
  append: (delivery: Delivery) => Promise<Result<void>>;
  clock: () => Date;
  report: (event: GatewayEvent) => void;
  /** Answers what is below /api/; nothing is there where it is left out. */
  api?: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  /** Answers what is asked below `/git/`. */
  git?: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  /** How long a request may take to arrive, but a push; GitHub itself waits 10 s for the answer. */
  requestMs?: number;
  /** What all bodies that are longer than 64 KB may have together. */
  roomBytes?: number;
};

/** So many senders at a time; more are closed without an answer, as the core would. */
const mostConnections = 1000;

/**
 * Takes webhooks; what it answers with 2xx is on disk. Node's own server: hono with @hono/node-server was as fast (some 7,000 bodies of
 * 8 kB a second each), but would spare nothing here, where three routes read a raw body against limits of their own. And node:crypto:
 * @octokit/webhooks-methods verifies text, so a body would be decoded before it is known to be anybody's, and took up to twice as long.
 */
export function webhookServer(serving: WebhookServing): Server {
  const room = new Room(serving.roomBytes ?? 64 * 1024 * 1024);
  const server = createServer(
    {
      // Its own is for all that come, and a push may take longer.
      requestTimeout: 0,
      headersTimeout: serving.requestMs ?? 10_000,
      connectionsCheckingInterval: Math.min(1000, serving.requestMs ?? 1000),
      // Longer than the data path keeps a connection, so that it is never this end that closes one.
      keepAliveTimeout: 120_000,
    },
    (request, response) => void answer(request, response, { ...serving, room }),
  );
  server.maxConnections = mostConnections;
  return server;
}

type Answering = WebhookServing & { room: Room };

async function answer(request: IncomingMessage, response: ServerResponse, serving: Answering): Promise<void> {
  const path = request.url?.split('?')[0] ?? '';
  const name = /^\/webhooks\/([^/]+)$/.exec(path)?.[1];
  if (serving.git && path.startsWith('/git/')) return serving.git(request, response);
  limitArrival(request, response, serving.requestMs ?? 10_000);
  if (serving.api && path.startsWith('/api/')) return serving.api(request, response);
  if (path === '/healthz') return say(response, 200, { ok: true });
  if (name === undefined) return say(response, 404, { refused: 'there is nothing here but /webhooks/<name> and /healthz' });
  if (request.method !== 'POST') return say(response, 405, { refused: 'a webhook is a POST' });
  const webhook = serving.webhooks.find((each) => each.name === name);
  if (webhook === undefined) return say(response, 404, { refused: 'the architecture declares no webhook of that name' });
  await receive(request, response, { ...serving, webhook });
}

/** Who has not said all of a request by then is told 408, with which the connection closes. */
function limitArrival(request: IncomingMessage, response: ServerResponse, limitMs: number): void {
  const late = setTimeout(() => {
    // Nobody reads what has no body to its end.
    if (request.complete) return;
    // Node forgets a request that was answered: whoever reads it would wait for ever.
    response.once('finish', () => request.destroy());
    if (response.headersSent) request.destroy();
    else say(response, 408, { refused: `the request did not arrive within ${limitMs / 1000} s` });
  }, limitMs);
  const stop = (): void => clearTimeout(late);
  request.once('end', stop).once('close', stop);
}

async function receive(request: IncomingMessage, response: ServerResponse, serving: Answering & { webhook: Webhook }): Promise<void> {
  const { room, webhook, clock } = serving;
  const read = await readBody(request, { room, limitBytes: bodyLimitBytes });
  // It was answered 408, or there is nobody to answer.
  if (read.kind === 'cut') return;
  if (read.kind === 'too-long') return say(response, 413, { refused: 'the body is longer than 25 MB' });
  const judge = webhook.format === 'github' ? judgeGithub : judgeSigned;
  const judged: WebhookRequest = { headers: request.headers, body: read.body, receivedAt: clock() };
  await settle(judge(webhook, judged), response, serving);
  read.release();
}

async function settle(judgement: Judgement, response: ServerResponse, serving: WebhookServing & { webhook: Webhook }): Promise<void> {
  const { append, report, webhook } = serving;
  if (judgement.kind === 'refuse') {
    report({ type: 'delivery-refused', webhook: webhook.name, why: judgement.why });
    return say(response, judgement.status, { refused: judgement.why });
  }
  if (judgement.kind === 'ignore') {
    report({ type: 'delivery-ignored', webhook: webhook.name, why: judgement.why });
    return say(response, 202, { ignored: judgement.why });
  }
  const written = await append(judgement.delivery);
  if (written.ok) return say(response, 202, { taken: judgement.delivery.id });
  report({ type: 'inbox-failed', problem: written.problem });
  const { what, why, safe, next } = written.problem;
  say(response, 503, { refused: what, why, safe, next });
}

function say(response: ServerResponse, status: number, body: Record<string, unknown>): void {
  const text = Buffer.from(`${JSON.stringify(body)}\n`);
  // A body that was not read to its end would be taken for the next request.
  const close = response.req.complete ? {} : { connection: 'close' };
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': text.length, ...close }).end(text);
}
