import type { z } from 'zod';
import type { Endpoint } from '../../api/endpoints.ts';
import type { Finding, Problem } from '../../problem.ts';
import { done, failed, type Result } from '../../result.ts';
import { parseBody } from '../parse-body.ts';

/** The parts of a request, as they came. `body`: empty where there was none. */
export type Came = {
  endpoint: Endpoint;
  parameters: Readonly<Record<string, string>>;
  search: URLSearchParams;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: Buffer;
};

export type Judged = { parameters: unknown; query: unknown; body: unknown; key?: string; lastEventId?: string };

const keyPattern = /^[\w-]{1,128}$/;

/** The request as its endpoint wants it, or all that is wrong with it. Pure. */
export function judgeRequest({ endpoint, parameters, search, headers, body }: Came): Result<Judged> {
  const said = bodyOf(endpoint, headers['content-type'], body);
  if (!said.ok) return said;
  const key = headers['idempotency-key'];
  const lastEventId = headers['last-event-id'];
  const checked = {
    path: endpoint.parameters.safeParse(parameters),
    query: endpoint.query.safeParse(queryOf(search)),
    body: endpoint.body?.safeParse(said.value),
  };
  const findings = [
    ...findingsOf('path', checked.path),
    ...findingsOf('query', checked.query),
    ...findingsOf('body', checked.body),
    ...(key === undefined || (typeof key === 'string' && keyPattern.test(key))
      ? []
      : [{ key: 'Idempotency-Key', what: 'expected 1 to 128 letters, digits, - and _' }]),
  ];
  if (findings.length > 0) return failed(invalid(findings));
  return done({
    parameters: checked.path.data,
    query: checked.query.data,
    body: checked.body?.data,
    ...(typeof key === 'string' && { key }),
    ...(typeof lastEventId === 'string' && lastEventId !== '' && { lastEventId }),
  });
}

function bodyOf(endpoint: Endpoint, contentType: string | string[] | undefined, body: Buffer): Result<unknown> {
  if (!endpoint.body || body.length === 0) return done({});
  if (!/^application\/json\b/i.test(String(contentType)))
    return failed({ code: 'BODY_NOT_JSON', what: 'the body does not say that it is JSON', next: 'Content-Type: application/json' });
  const parsed = parseBody(body);
  return parsed.ok ? parsed : failed(invalid([{ key: 'body', what: parsed.problem }]));
}

/** A name that comes twice has no one value. */
const queryOf = (search: URLSearchParams): Record<string, string | string[]> =>
  Object.fromEntries(
    [...new Set(search.keys())].map((name) => {
      const all = search.getAll(name);
      return [name, all.length === 1 ? (all[0] ?? '') : all];
    }),
  );

function findingsOf(part: string, checked: z.ZodSafeParseResult<unknown> | undefined): Finding[] {
  if (checked === undefined || checked.success) return [];
  return checked.error.issues.map(({ path, message }) => ({ key: [part, ...path.map(String)].join('.'), what: message }));
}

const invalid = (findings: readonly Finding[]): Problem => ({
  code: 'REQUEST_INVALID',
  what: `the request is not what it can be: ${findings.map(({ key, what }) => `${key}: ${what}`).join('; ')}`.slice(0, 1000),
  findings,
  safe: 'nothing was changed',
});

/** Undefined for a target that is no path, such as one with a host. */
export function targetOf(url: string): { path: string; search: URLSearchParams } | undefined {
  const [path = '', ...rest] = url.split('?');
  return path.startsWith('/') ? { path, search: new URLSearchParams(rest.join('?')) } : undefined;
}
