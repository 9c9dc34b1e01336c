import type { IncomingMessage, ServerResponse } from 'node:http';
import { acceptMove, type Accepted } from './accept-push.ts';
import type { GitServing } from './git-serving.ts';
import { pushBody } from './push-body.ts';
import { PushAnswer } from './push-answer.ts';
import { judgeCommand, readCommands, type BranchMove, type PushCommand, type PushCommands } from './push-commands.ts';
import { receiveObjects, type Received } from './receive-objects.ts';
import type { RefOutcome } from './report-status.ts';

/** `received`: called when nothing of the push is to be read any more. */
export type Taking = GitServing & { received: () => void };

type Judged = { command: PushCommand; verdict: BranchMove | string };

/**
 * Takes a push to its end, and tells what becomes of it. A sentence where it was none. Whatever the pusher's connection does once its
 * objects are there changes nothing of what is accepted.
 */
export async function takePush(request: IncomingMessage, response: ServerResponse, taking: Taking): Promise<string | undefined> {
  const body = pushBody(request, taking.repository.limits);
  const read = await readCommands(body).catch(() => 'the push cannot be read');
  if (typeof read === 'string') return read;
  const answer = new PushAnswer(response, { can: read.capabilities, timers: taking.timers });
  // Before it sends much, git asks whether it may, with an empty list.
  if (read.commands.length === 0) return void response.writeHead(200, { 'content-type': 'application/x-git-receive-pack-result' }).end();
  const judged = judgeAll(read.commands);
  const moves = judged.flatMap(({ verdict }) => (typeof verdict === 'string' ? [] : [verdict]));
  const pack = endTold(withRest(read, body), () => answer.begin());
  const received = await receivePack({ taking, moves, shallow: read.shallow, pack }).catch((error: Error) => error);
  taking.received();
  if (received instanceof Error) return cut(response, taking, received);
  await answer.say(received.notes);
  const settled = await settle(taking, moves, received);
  await answer.report(
    judged.map((each) => outcomeOf(each, settled)),
    received.unpacked,
  );
  await tell(answer, { taking, response, accepted: moves.flatMap((move) => idOf(move, settled)) });
  answer.end();
  return undefined;
}

/** Each ref once: of two orders for one, neither could be told `ok`. */
function judgeAll(commands: readonly PushCommand[]): Judged[] {
  return commands.map((command) => {
    const isTwice = commands.filter(({ ref }) => ref === command.ref).length > 1;
    return { command, verdict: isTwice ? 'it is pushed twice' : judgeCommand(command) };
  });
}

type Receiving = { taking: Taking; moves: readonly BranchMove[]; shallow: readonly string[]; pack: AsyncIterable<Buffer> };

async function receivePack({ taking, moves, shallow, pack }: Receiving): Promise<Received> {
  const name = `${taking.clock().getTime()}-${taking.random(12)}`;
  if (moves.length > 0) return receiveObjects(taking.repository, { moves, shallow, pack, name });
  for await (const _ of pack);
  return { refs: new Map(), refused: new Map(), notes: [] };
}

function cut(response: ServerResponse, { report }: Taking, { message }: Error): undefined {
  report({ type: 'push-refused', why: message });
  response.destroy();
}

type Settled = ReadonlyMap<string, Accepted>;

/** One branch after another; each for itself. */
async function settle(taking: Taking, moves: readonly BranchMove[], { refs, refused, unpacked }: Received): Promise<Settled> {
  const { repository, report } = taking;
  const settled = new Map<string, Accepted>();
  if (unpacked !== undefined) for (const { branch } of moves) settled.set(branch, { refused: 'unpacker error' });
  for (const [branch, why] of refused) settled.set(branch, { refused: why });
  const whole = moves.filter(({ branch }) => !settled.has(branch));
  if (refs.size === 0) return settled;
  await repository.locked(async (lock) => {
    for (const move of whole) {
      const accepted = await acceptMove(taking, move, lock);
      settled.set(move.branch, accepted);
      if ('problem' in accepted && accepted.problem) report({ type: 'inbox-failed', problem: accepted.problem });
    }
    await repository.forgetReceived([...refs.values()], lock);
  });
  return settled;
}

function outcomeOf({ command: { ref }, verdict }: Judged, settled: Settled): RefOutcome {
  if (typeof verdict === 'string') return { ref, refused: verdict };
  const accepted = settled.get(verdict.branch) ?? { refused: 'git said nothing of it' };
  return 'id' in accepted ? { ref } : { ref, refused: accepted.refused };
}

const idOf = ({ branch }: BranchMove, settled: Settled): string[] => {
  const accepted = settled.get(branch);
  return accepted && 'id' in accepted ? [accepted.id] : [];
};

type Telling = { taking: Taking; response: ServerResponse; accepted: readonly string[] };

/** Until the end of what the pushes do, or of the pusher's patience. */
async function tell(answer: PushAnswer, { taking: { follow }, response, accepted }: Telling): Promise<void> {
  if (!follow || !answer.showsLines) return;
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  if (response.destroyed) gone.abort();
  for (const id of accepted) for await (const lines of follow(id, gone.signal)) await answer.say(lines);
}

async function* withRest({ rest }: PushCommands, body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  if (rest.length > 0) yield rest;
  yield* body;
}

async function* endTold(body: AsyncIterable<Buffer>, tellEnd: () => void): AsyncGenerator<Buffer> {
  yield* body;
  tellEnd();
}
