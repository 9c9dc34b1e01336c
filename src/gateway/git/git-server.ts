import type { IncomingMessage, ServerResponse } from 'node:http';
import { gotRoom } from '../read-body.ts';
import { Room } from '../room.ts';
import type { GitServing } from './git-serving.ts';
import { passwordOf } from './password.ts';
import { flushPkt, pktLine } from './pkt-line.ts';
import { takePush } from './take-push.ts';

export type GitHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** So many pushes are received at a time; others wait, unread. */
const mostReceived = 2;

/** Who says nothing for so long is gone. What is answered in the meantime counts as said. */
const silentMs = 60_000;

/**
 * Git's smart HTTP, as far as `git push` needs it (gitprotocol-http, protocol 0): what it tells a pusher `ok` is on disk, and is a
 * delivery in the inbox.
 */
export function gitHandler(serving: GitServing): GitHandler {
  const room = new Room(mostReceived);
  let prepared: Promise<void> | undefined;
  // Not before somebody comes: where the disk is full, webhooks are to be answered all the same.
  const prepare = (): Promise<void> => (prepared ??= serving.repository.prepare(serving.clock()));
  return async (request, response) => {
    try {
      await route(request, response, { ...serving, room, prepare });
    } catch (error) {
      await prepared?.catch(() => (prepared = undefined));
      // A disk that fails, or a git that is not there. What was told `ok` stays so; of this push nothing more is told.
      serving.report({ type: 'push-failed', why: (error as Error).message });
      if (response.headersSent) response.destroy();
      else say(response, 503, 'the push cannot be taken just now');
    }
  };
}

type Routing = GitServing & { room: Room; prepare: () => Promise<void> };

async function route(request: IncomingMessage, response: ServerResponse, serving: Routing): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://gateway');
  const prefix = `/git/${serving.name}.git`;
  if (!pathname.startsWith(`${prefix}/`)) return say(response, 404, `there is nothing here but ${prefix}`);
  const given = passwordOf(request, serving.secret);
  if (given === 'wrong') serving.report({ type: 'push-refused', why: 'the password is wrong' });
  if (given !== 'right') return say(response.setHeader('www-authenticate', 'Basic realm="changeless"'), 401, 'a password is needed');
  await serving.prepare();
  const what = `${request.method} ${pathname.slice(prefix.length)}`;
  if (what === 'GET /info/refs') return advertise(response, serving, searchParams.get('service'));
  if (what === 'POST /git-receive-pack') return receive(request, response, serving);
  say(response, 404, 'this remote takes pushes, and nothing else');
}

async function receive(request: IncomingMessage, response: ServerResponse, serving: Routing): Promise<void> {
  const { room, repository, timers } = serving;
  if (!(await gotRoom(request, room, 1))) return;
  // What is silent, or slow without end, keeps others waiting.
  request.setTimeout(silentMs, () => request.destroy());
  const callOff = timers.after(repository.limits.wallMs, () => request.destroy());
  let isGiven = false;
  const give = (): void => {
    if (!isGiven) room.give(1);
    isGiven = true;
    callOff();
  };
  try {
    const refused = await takePush(request, response, { ...serving, received: give });
    if (refused !== undefined) say(response, 400, refused);
  } finally {
    give();
  }
}

const capabilities = 'report-status delete-refs side-band-64k ofs-delta object-format=sha1 agent=changeless';

async function advertise(response: ServerResponse, { repository }: GitServing, service: string | null): Promise<void> {
  const isPush = service === 'git-receive-pack';
  if (!isPush && service !== 'git-upload-pack') return say(response, 403, 'this remote speaks git’s smart protocol alone');
  const lines = isPush
    ? await refLines(repository)
    : [pktLine('ERR this remote takes pushes, and gives nothing: fetch from where you commit to\n')];
  const parts = [pktLine(`# service=${service}\n`), flushPkt, ...lines, flushPkt];
  response
    .writeHead(200, { 'content-type': `application/x-${service}-advertisement`, 'cache-control': 'no-cache' })
    .end(Buffer.concat(parts));
}

async function refLines(repository: GitServing['repository']): Promise<Buffer[]> {
  const heads = await repository.heads();
  const lines = heads.map(({ branch, commit }) => `${commit} refs/heads/${branch}`);
  const [first = `${'0'.repeat(40)} capabilities^{}`, ...others] = lines;
  return [`${first}\0${capabilities}\n`, ...others.map((line) => `${line}\n`)].map(pktLine);
}

function say(response: ServerResponse, status: number, text: string): void {
  const close = response.req.complete ? {} : { connection: 'close' };
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...close }).end(`${text}\n`);
}
