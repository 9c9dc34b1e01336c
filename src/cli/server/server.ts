import type { z } from 'zod';
import { problem as problemSchema } from '../../api/schemas.ts';
import { problemCatalogue, type Problem, type ProblemCode } from '../../problem.ts';
import { done, failed, type Result } from '../../result.ts';
import type { Secret } from '../../secret.ts';
import { type Session, textOption } from '../command.ts';
import { tokenFor } from './kept-tokens.ts';
import { serverAddress } from './server-address.ts';
import { askServer, bodyOf, type ServerRequest } from './server-request.ts';

/** A gateway's API, with a token. */
export type Server = { origin: URL; token: Secret; session: Session };

/** The server that `--server` names; undefined where it does not, and the engine is asked. */
export async function serverOf(session: Session): Promise<Result<Server | undefined>> {
  const named = textOption(session.input, 'server');
  if (named === undefined) return done(undefined);
  const origin = serverAddress(named);
  if (!origin.ok) return origin;
  const token = await tokenFor(session.world, origin.value);
  return token.ok ? done({ origin: origin.value, token: token.value, session }) : token;
}

export type Asked<Answer> = Pick<ServerRequest, 'method' | 'path' | 'body' | 'headers'> & { answer: z.ZodType<Answer> };

/** What the server answers; its problems are passed on as they are, with their codes. */
export async function ask<Answer>({ origin, token, session }: Server, { answer, ...asked }: Asked<Answer>): Promise<Result<Answer>> {
  try {
    const response = await askServer(origin, { ...asked, token, signal: session.world.signal });
    const said = jsonIn(await bodyOf(response));
    if (response.statusCode !== undefined && response.statusCode < 300) {
      const parsed = answer.safeParse(said);
      return parsed.success
        ? done(parsed.data)
        : failed(unreachable(origin, 'what it answers is not what the API of this Changeless does'));
    }
    return failed(problemIn(origin, said, response.statusCode));
  } catch (error) {
    return failed(unreachable(origin, error instanceof Error ? error.message : String(error)));
  }
}

/** All items of pages, newest first, until there are so many. */
export async function askPages<Item>(
  server: Server,
  path: string,
  { page, limit }: { page: z.ZodType<{ items: Item[]; next: string | null }>; limit: number },
): Promise<Result<Item[]>> {
  const items: Item[] = [];
  for (let next: string | null = ''; next !== null && items.length < limit;) {
    const words: string = `limit=${Math.min(500, limit - items.length)}${next === '' ? '' : `&before=${encodeURIComponent(next)}`}`;
    const asked: Result<{ items: Item[]; next: string | null }> = await ask(server, {
      method: 'GET',
      path: `${path}?${words}`,
      answer: page,
    });
    if (!asked.ok) return asked;
    items.push(...asked.value.items);
    ({ next } = asked.value);
  }
  return done(items);
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isKnown = (code: string): code is ProblemCode => Object.hasOwn(problemCatalogue, code);

/** A problem as the server tells it. */
export function problemIn(origin: URL, said: unknown, status: number | undefined): Problem {
  const parsed = problemSchema.safeParse(said);
  if (!parsed.success) return unreachable(origin, `it answers ${status}, as no API of Changeless does`);
  const { code, detail, why, safe, next } = parsed.data;
  return {
    code: isKnown(code) ? code : 'SERVER_UNREACHABLE',
    what: detail,
    ...(why !== undefined && { why }),
    ...(safe !== undefined && { safe }),
    ...(next !== undefined && { next }),
  };
}

export const unreachable = (origin: URL, why: string): Problem => ({
  code: 'SERVER_UNREACHABLE',
  what: `the API of ${origin.origin} does not answer`,
  why,
  safe: 'nothing that it did not accept was changed',
  next: 'without --server the same is asked of the engine',
});
