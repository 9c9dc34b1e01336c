import type { IncomingMessage, ServerResponse } from 'node:http';
import { problemAnswer } from '../../api/problem-answer.ts';
import type { Problem } from '../../problem.ts';
import { rateHeaders, type Taken } from './rate-limit.ts';

/** The answer as JSON. */
export const say = (response: ServerResponse, status: number, answer: unknown): void =>
  end(response, { status, headers: { 'content-type': 'application/json' }, body: Buffer.from(`${JSON.stringify(answer)}\n`) });

/** A problem, as `application/problem+json`. */
export function refuse(response: ServerResponse, problem: Problem): void {
  const answer = problemAnswer(problem);
  const more = answer.status === 401 ? { 'www-authenticate': 'Bearer' } : {};
  const later = [429, 503].includes(answer.status) && !response.hasHeader('retry-after') ? { 'retry-after': '5' } : {};
  const headers = { 'content-type': 'application/problem+json', ...more, ...later };
  end(response, { status: answer.status, headers, body: Buffer.from(`${JSON.stringify(answer)}\n`) });
}

type Ending = { status: number; headers?: Readonly<Record<string, string>>; body?: Buffer };

/** Ends a response, with headers that hold for every answer. */
export function end(response: ServerResponse, { status, headers = {}, body = Buffer.alloc(0) }: Ending): void {
  // A body that was not read to its end would be taken for the next request.
  const close = response.req.complete ? {} : { connection: 'close' };
  const common = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
  response.writeHead(status, { ...common, ...headers, ...(status === 204 ? {} : { 'content-length': String(body.length) }), ...close });
  response.end(body);
}

/** Tells what is left of a rate, whatever is answered. */
export function limited(response: ServerResponse, taken: Taken): void {
  for (const [name, value] of Object.entries(rateHeaders(taken))) response.setHeader(name, value);
}

export const wrongMethod = ({ method }: IncomingMessage): Problem => ({
  code: 'METHOD_UNKNOWN',
  what: `what is at that path cannot be asked with ${method}`,
  safe: 'nothing was changed',
});

export const tooMuch = ({ rate: { name, count, perMs }, waitSeconds }: Taken): Problem => ({
  code: 'RATE_EXCEEDED',
  what: `more than ${count} requests in ${perMs / 1000} s came with the same ${name}`,
  safe: 'nothing was changed',
  next: `come again in ${Math.max(1, waitSeconds)} s`,
});

export const tooManyStreams: Problem = {
  code: 'RATE_EXCEEDED',
  what: 'too many streams are open',
  safe: 'nothing was changed',
  next: 'close one, or come again later',
};
