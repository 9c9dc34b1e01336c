import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import * as schemas from '../../api/schemas.ts';
import type { Told } from '../../api/schemas.ts';
import type { Problem } from '../../problem.ts';
import { done, failed, type Result } from '../../result.ts';
import { ask, problemIn, unreachable, type Asked, type Server } from './server.ts';
import { askServer, bodyOf } from './server-request.ts';

const pauseMs = 300;

/** A stream that broke off is taken up again after the last line that came, so often in a row. */
const mostTries = 20;

/** Gives a command and waits until it is over. What was accepted once is not done twice, though it is sent again. */
export async function giveCommand(server: Server, asked: Omit<Asked<unknown>, 'answer' | 'headers'>): Promise<Result<Told['command']>> {
  const headers = { 'idempotency-key': server.session.world.random(32) };
  let given = await ask(server, { ...asked, headers, answer: schemas.command });
  while (given.ok && given.value.state === 'waiting' && !server.session.world.signal.aborted) {
    await sleep(pauseMs);
    given = await ask(server, { method: 'GET', path: `/api/v1/commands/${given.value.command}`, answer: schemas.command });
  }
  if (!given.ok || !given.value.problem) return given;
  return failed(given.value.problem as Problem);
}

export type Followed = { run: string; step?: string; follow: boolean; print: (line: Told['logLine']) => void };

/** Tells each line of a run once, in order, also over connections that break; gives the run as it is at the end. */
export async function followRun(server: Server, { run, step, follow, print }: Followed): Promise<Result<Told['run']>> {
  const words = new URLSearchParams({ follow: String(follow), ...(step !== undefined && { step }) });
  const path = `/api/v1/runs/${encodeURIComponent(run)}/logs?${words.toString()}`;
  let position: string | undefined;
  for (let tries = 0; tries < mostTries && !server.session.world.signal.aborted; tries += 1) {
    const told = await readOn(server, path, {
      ...(position !== undefined && { position }),
      line(id, line) {
        position = id;
        tries = 0;
        print(line);
      },
    });
    if (told !== 'broken-off') return told;
    await sleep(pauseMs);
  }
  return failed(unreachable(server.origin, 'the stream of lines breaks off again and again'));
}

type ReadingOn = { position?: string; line: (id: string, line: Told['logLine']) => void };

async function readOn(
  { origin, token, session }: Server,
  path: string,
  { position, line }: ReadingOn,
): Promise<Result<Told['run']> | 'broken-off'> {
  try {
    const headers = position === undefined ? {} : { 'last-event-id': position };
    const response = await askServer(origin, { method: 'GET', path, token, headers, signal: session.world.signal });
    if (response.statusCode !== 200) {
      // A gateway that is just being replaced is soon there again.
      if ((response.statusCode ?? 500) >= 502) return 'broken-off';
      return failed(problemIn(origin, JSON.parse(await bodyOf(response)), response.statusCode));
    }
    let frame: Record<string, string> = {};
    for await (const text of createInterface({ input: response })) {
      const [, name, value = ''] = /^(\w+): (.*)$/.exec(text) ?? [];
      if (name !== undefined) frame[name] = value;
      if (text !== '') continue;
      const { id = '', event, data = '' } = frame;
      frame = {};
      if (event === 'line') line(id, schemas.logLine.parse(JSON.parse(data)));
      if (event === 'ended') return done(schemas.run.parse(JSON.parse(data)));
    }
    return 'broken-off';
  } catch {
    return 'broken-off';
  }
}
