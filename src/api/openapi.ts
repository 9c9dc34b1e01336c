import * as z from 'zod';
import type { ProblemCode } from '../problem.ts';
import { endpoints, type Endpoint } from './endpoints.ts';
import { problemStatus } from './problem-answer.ts';
import { problem } from './schemas.ts';

type Described = Readonly<Record<string, unknown>>;

const common: readonly ProblemCode[] = ['REQUEST_INVALID', 'TOKEN_REFUSED', 'SCOPE_MISSING', 'RATE_EXCEEDED', 'LEDGER_UNREADABLE'];
const withBody: readonly ProblemCode[] = ['BODY_TOO_LONG', 'BODY_NOT_JSON'];

/** The API as OpenAPI 3.1, of the very schemas that validate it. */
export function openApi(): Described {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [name, endpoint] of Object.entries<Endpoint>(endpoints)) {
    const operations = (paths[endpoint.path] ??= {});
    operations[endpoint.method.toLowerCase()] = operation(name, endpoint);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Changeless',
      version: '1',
      description:
        'What the gateway tells and takes. What is changed is on disk before it is answered 202, and done by the controller; what came of it is told by the command. A command with an `Idempotency-Key` is done once, however often it is sent with the same token. More members may be added to answers; `v1` in the path changes when any goes.',
    },
    security: [{ token: [] }],
    paths,
    components: {
      schemas: { Problem: schemaOf(problem) },
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'A token of `changeless token add`. Scopes: read < deploy < admin.' },
      },
    },
  };
}

function operation(
  name: string,
  { method, scope, summary, parameters, query, body, status, answer, streams, refusals }: Endpoint,
): Described {
  const codes = [...common, ...(body ? withBody : []), ...refusals];
  return {
    operationId: name,
    summary,
    'x-scope': scope,
    parameters: [
      ...members(parameters, 'path'),
      ...members(query, 'query'),
      ...(streams === undefined ? [] : [header('Last-Event-ID', 'Goes on after the event of that id.')]),
      ...(method === 'GET' ? [] : [header('Idempotency-Key', 'At most 128 letters, digits, - and _; chosen by who asks.')]),
    ],
    ...(body && { requestBody: { required: isRequired(body), content: { 'application/json': { schema: schemaOf(body) } } } }),
    responses: {
      [status]: {
        description: summary,
        content: { [streams === undefined ? 'application/json' : 'text/event-stream']: { schema: schemaOf(answer) } },
      },
      ...refused(codes),
    },
  };
}

const isRequired = (body: z.ZodObject): boolean => !body.safeParse({}).success;

const header = (name: string, description: string): Described => ({
  name,
  in: 'header',
  required: false,
  description,
  schema: { type: 'string' },
});

function members(object: z.ZodObject, place: 'path' | 'query'): Described[] {
  const { properties = {}, required = [] } = schemaOf(object) as { properties?: Record<string, Described>; required?: string[] };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: place,
    required: required.includes(name),
    ...(description !== undefined && { description }),
    schema,
  }));
}

function refused(codes: readonly ProblemCode[]): Described {
  const byStatus = Map.groupBy(codes, (code) => problemStatus[code] ?? 500);
  return Object.fromEntries(
    [...byStatus].map(([status, all]) => [
      status,
      { description: all.join(', '), content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } },
    ]),
  );
}

/** As it is written: what is left out is filled in later. */
function schemaOf(schema: z.ZodType): Described {
  const { $schema: _, ...described } = z.toJSONSchema(schema, { io: 'input' });
  return described;
}
