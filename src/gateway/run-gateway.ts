import type { Server } from 'node:http';
import { apiHandler, type ApiServing } from './api/api-server.ts';
import type { Answering } from './api/handlers.ts';
import { inboxNames } from './inbox-name.ts';
import type { InboxFiles } from './inbox-files.ts';
import type { Taken } from './inbox-reader.ts';
import { InboxWriter } from './inbox-writer.ts';
import { Room } from './room.ts';
import { closeOthers, removeTaken } from './sweep-inbox.ts';
import { gitHandler } from './git/git-server.ts';
import type { GitServing } from './git/git-serving.ts';
import { webhookServer, type GatewayEvent, type Webhook, type WebhookServing } from './webhook-server.ts';
import type { Timers } from '../timers.ts';

export type GatewayRequest = {
  files: InboxFiles;
  webhooks: readonly Webhook[];
  /** None where it is left out. */
  git?: Pick<GitServing, 'name' | 'secret' | 'repository' | 'follow'>;
  /** How far each file of the inbox was taken; undefined when that is not known just now. */
  readTaken: () => Taken | undefined;
  /** What the API tells of: the ledger, and the output of jobs' steps. Nothing is below /api/ where it is left out. */
  api?: Pick<Answering, 'read' | 'logs'> & Pick<ApiServing, 'onDrain'>;
  address: { host: string; port: number };
  report: (event: GatewayEvent) => void;
  clock: () => Date;
  random: (characters: number) => string;
  timers: Timers;
  signal: AbortSignal;
};

/** What bodies of requests to the API may have together. */
const apiRoomBytes = 4 * 1024 * 1024;

/** How often what was taken is removed. */
const sweepMs = 10_000;

/**
 * The process that takes webhooks and pushes, until the signal is aborted: then it accepts nothing more and answers what it has. Files that others
 * left open are closed first, so that those of the dead go when they are taken.
 */
export async function runGateway(request: GatewayRequest): Promise<void> {
  const { files, webhooks, address, report, clock, random, signal } = request;
  await closeOthers(files);
  const writer = new InboxWriter({ files, newName: inboxNames({ clock, random }) });
  const append: WebhookServing['append'] = (delivery) => writer.append(delivery);
  const git = request.git && { git: gitHandler({ ...request.git, append, clock, report, random, timers: request.timers }) };
  const server = webhookServer({ webhooks, append, clock, report, ...git, ...apiOf(request, append) });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen({ ...address, backlog: 4096 }, resolve));
  const sweeping = sweepOn(request);
  await ended(server, signal);
  sweeping.stop();
  await writer.close();
}

function apiOf({ api, clock, random, timers, signal, report }: GatewayRequest, append: Answering['append']) {
  if (!api) return {};
  const room = new Room(apiRoomBytes);
  const failed = (why: string): void => report({ type: 'api-failed', why });
  return { api: apiHandler({ ...api, append, clock, random, timers, signal, room, failed }) };
}

function ended(server: Server, signal: AbortSignal): Promise<void> {
  // A connection that was busy when the server closed is idle after its answer, and would stay.
  const closeIdle = (): void => void (server.listening || setImmediate(() => server.closeIdleConnections()));
  server.on('request', (_request, response) => response.once('finish', closeIdle));
  return new Promise((resolve) => {
    const end = (): void => {
      server.close(() => resolve());
      server.closeIdleConnections();
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}

function sweepOn({ files, readTaken, timers, report }: GatewayRequest): { stop: () => void } {
  const sweep = async (): Promise<void> => {
    const taken = readTaken();
    // What cannot be removed now is removed later; until then it takes room, and nothing else.
    if (taken) await removeTaken(files, taken).catch((error: Error) => report({ type: 'sweep-failed', why: error.message }));
    callOff = timers.after(sweepMs, () => void sweep());
  };
  let callOff = timers.after(sweepMs, () => void sweep());
  return { stop: () => callOff() };
}
