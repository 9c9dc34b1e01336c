import type { IncomingMessage, ServerResponse } from 'node:http';
import { descriptionPath, type EndpointName } from '../../api/endpoints.ts';
import { openApi } from '../../api/openapi.ts';
import { apiSource } from '../../ledger/delivery.ts';
import { readTokens, usedId, usedKind, type TokenRecord } from '../../ledger/tokens.ts';
import { failed, type Result } from '../../result.ts';
import type { Timers } from '../../timers.ts';
import { readBody } from '../read-body.ts';
import type { Room } from '../room.ts';
import { end, limited, refuse, say, tooManyStreams, tooMuch, wrongMethod } from './api-answer.ts';
import { authenticate, authorise } from './authenticate.ts';
import { StreamPlaces, streamEvents } from './event-stream.ts';
import { findEndpoint, type Found } from './find-endpoint.ts';
import { follow } from './follow.ts';
import { give, RecentCommands } from './give-command.ts';
import type { Answering, Asked, Handlers, Looking, StreamHandlers } from './handlers.ts';
import { judgeRequest, targetOf } from './judge-request.ts';
import { RateLimit, sourceOf, type Rate, type Taken } from './rate-limit.ts';
import { tell, unreadable } from './tell.ts';
import { Ticker } from './ticker.ts';

export type ApiServing = Omit<Answering, 'recent'> & {
  room: Room;
  timers: Timers;
  /** Ends streams, so that whoever is told to end can. */
  signal: AbortSignal;
  /** Is given what ends the streams there are, for when the data path drains; others may follow, for it may serve again. */
  onDrain?: (endStreams: () => void) => void;
  rates?: { token: Rate; source: Rate };
  failed: (why: string) => void;
};

type Api = ApiServing &
  Answering & {
    byToken: RateLimit;
    bySource: RateLimit;
    places: StreamPlaces;
    ticker: Ticker;
    used: Map<string, string>;
    /** Of all streams there are. */
    streams: { abort: AbortController };
    description: Buffer;
  };

const defaultRates = {
  token: { name: 'token', count: 600, perMs: 60_000 },
  source: { name: 'source', count: 60, perMs: 60_000 },
} as const;

/** No request of the API is longer. */
const bodyLimitBytes = 64 * 1024;

const handlers: Handlers = { ...tell, ...give };

/** Answers requests below /api/. What it answers with 202 is on disk. */
export function apiHandler(serving: ApiServing): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const rates = serving.rates ?? defaultRates;
  const api: Api = {
    ...serving,
    recent: new RecentCommands(),
    byToken: new RateLimit(rates.token),
    bySource: new RateLimit(rates.source),
    places: new StreamPlaces(),
    ticker: new Ticker(serving.timers),
    used: new Map(),
    streams: { abort: new AbortController() },
    description: Buffer.from(`${JSON.stringify(openApi(), null, 2)}\n`),
  };
  serving.onDrain?.(() => {
    api.streams.abort.abort();
    api.streams.abort = new AbortController();
  });
  return async (request, response) => {
    try {
      await answer(api, request, response);
    } catch (error) {
      serving.failed(error instanceof Error ? (error.stack ?? error.message) : String(error));
      if (response.headersSent) response.destroy();
      else refuse(response, { code: 'INTERNAL', what: 'the request could not be answered', safe: 'what serves serves on' });
    }
  };
}

async function answer(api: Api, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const target = targetOf(request.url ?? '');
  const found: Found = target ? findEndpoint(request.method ?? '', target.path) : { kind: 'no-path' };
  if (target?.path === descriptionPath) return describe(api, request, response);
  if (!target || found.kind === 'no-path') return unknownPath(api, request, response);
  if (request.method === 'OPTIONS' || found.kind === 'no-method') return otherMethod(api, { request, response, allow: found.allow });
  const who = letOn(api, request, response);
  if (!who) return undefined;
  const lacks = authorise(who, found.endpoint.scope);
  if (lacks) return refuse(response, lacks);
  const read = await readBody(request, { room: api.room, limitBytes: bodyLimitBytes });
  if (read.kind === 'cut') return undefined;
  if (read.kind === 'too-long')
    return refuse(response, {
      code: 'BODY_TOO_LONG',
      what: `the body is longer than ${bodyLimitBytes / 1024} KB`,
      safe: 'nothing was changed',
    });
  const judged = judgeRequest({ ...found, search: target.search, headers: request.headers, body: read.body });
  read.release();
  if (!judged.ok) return refuse(response, judged.problem);
  const asked = { ...judged.value, token: who } as Asked;
  if (found.endpoint.streams !== undefined) return stream(api, response, { ...found, asked });
  const handle = handlers[found.name as keyof Handlers] as (answering: Answering, asked: Asked) => Promise<Result<unknown>>;
  const told = await handle(api, asked);
  return told.ok ? say(response, found.endpoint.status, told.value) : refuse(response, told.problem);
}

/** Whoever has a token has a rate of their own; others share that of where they come from. Undefined when it was answered. */
function letOn(api: Api, request: IncomingMessage, response: ServerResponse): TokenRecord | undefined {
  const tokens = api.read(readTokens);
  const now = api.clock();
  const { authorization } = request.headers;
  const known: Result<TokenRecord> = tokens ? authenticate({ header: authorization, tokens, now }) : failed(unreadable);
  const taken = known.ok ? api.byToken.take(known.value.digest, now.getTime()) : takeSource(api, request);
  limited(response, taken);
  if (!taken.isLetOn) refuse(response, tooMuch(taken));
  else if (!known.ok) refuse(response, known.problem);
  else {
    noteUse(api, known.value, now);
    return known.value;
  }
  return undefined;
}

function takeSource({ bySource, clock }: Api, request: IncomingMessage): Taken {
  const forwarded = request.headers['x-forwarded-for'];
  const source = sourceOf(typeof forwarded === 'string' ? forwarded : undefined, request.socket.remoteAddress);
  return bySource.take(source, clock().getTime());
}

/** Once a day for each token, by whoever is the first to see it: what is written on each request would be the slowest part of it. */
function noteUse({ used, append }: Api, { digest, usedOn }: TokenRecord, now: Date): void {
  const day = now.toISOString().slice(0, 10);
  if (usedOn === day || used.get(digest) === day) return;
  used.set(digest, day);
  void append({ source: apiSource, id: usedId(digest, day), kind: usedKind, receivedAt: now.toISOString(), body: Buffer.alloc(0) });
}

type ToStream = { name: EndpointName; asked: Asked };

async function stream(api: Api, response: ServerResponse, { name, asked }: ToStream): Promise<void> {
  const handle = follow[name as keyof StreamHandlers] as (answering: Answering, asked: Asked) => Promise<Result<Looking>>;
  const leave = api.places.take(asked.token.digest);
  const look: Result<Looking> = leave ? await handle(api, asked) : failed(tooManyStreams);
  if (!look.ok) refuse(response, look.problem);
  else if (response.req.method === 'HEAD') response.writeHead(200, { 'content-type': 'text/event-stream' }).end();
  else
    await streamEvents(response, {
      look: look.value,
      ticker: api.ticker,
      timers: api.timers,
      signal: AbortSignal.any([api.signal, api.streams.abort.signal]),
    });
  leave?.();
}

/** What follows is only told to who does not ask too much, though nobody is asked who they are. */
function unknownTo(api: Api, request: IncomingMessage, response: ServerResponse): boolean {
  const taken = takeSource(api, request);
  limited(response, taken);
  if (!taken.isLetOn) refuse(response, tooMuch(taken));
  return taken.isLetOn;
}

function describe(api: Api, request: IncomingMessage, response: ServerResponse): void {
  if (!unknownTo(api, request, response)) return;
  if (request.method === 'OPTIONS') return end(response, { status: 204, headers: { allow: 'GET, HEAD, OPTIONS' } });
  if (request.method === 'GET' || request.method === 'HEAD')
    return end(response, { status: 200, headers: { 'content-type': 'application/json' }, body: api.description });
  response.setHeader('allow', 'GET, HEAD, OPTIONS');
  refuse(response, wrongMethod(request));
}

function unknownPath(api: Api, request: IncomingMessage, response: ServerResponse): void {
  if (!unknownTo(api, request, response)) return;
  refuse(response, {
    code: 'UNKNOWN_PATH',
    what: 'the API has nothing at that path',
    next: `GET ${descriptionPath}    describes what there is`,
  });
}

function otherMethod(
  api: Api,
  { request, response, allow }: { request: IncomingMessage; response: ServerResponse; allow: readonly string[] },
): void {
  if (!unknownTo(api, request, response)) return;
  response.setHeader('allow', allow.join(', '));
  if (request.method === 'OPTIONS') end(response, { status: 204 });
  else refuse(response, wrongMethod(request));
}
