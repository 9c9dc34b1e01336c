import * as z from 'zod';
import type { Scope } from '../api-token.ts';
import type { ProblemCode } from '../problem.ts';
import * as schemas from './schemas.ts';

const { query, body, pageOf } = schemas;

/**
 * One thing that can be asked. `answer`: of JSON, or with `streams` what each event of a stream holds. All else that can be
 * answered is a problem; `refusals` are those of its own.
 */
export type Endpoint<
  Parameters extends z.ZodObject = z.ZodObject,
  Query extends z.ZodObject = z.ZodObject,
  Body extends z.ZodObject | undefined = z.ZodObject | undefined,
  Answer extends z.ZodType = z.ZodType,
> = {
  method: 'GET' | 'POST' | 'DELETE';
  path: string;
  scope: Scope;
  summary: string;
  parameters: Parameters;
  query: Query;
  body: Body;
  status: 200 | 202;
  answer: Answer;
  streams?: string;
  refusals: readonly ProblemCode[];
};

const none = z.strictObject({});

const get = <Parameters extends z.ZodObject, Query extends z.ZodObject, Answer extends z.ZodType>(
  asked: Pick<Endpoint, 'path' | 'summary'> &
    Partial<Pick<Endpoint, 'refusals' | 'streams' | 'scope'>> & { parameters: Parameters; query: Query; answer: Answer },
): Endpoint<Parameters, Query, undefined, Answer> => ({
  method: 'GET',
  scope: 'read',
  body: undefined,
  status: 200,
  refusals: [],
  ...asked,
});

const ask = <Parameters extends z.ZodObject, Body extends z.ZodObject>(
  asked: Pick<Endpoint, 'path' | 'summary'> &
    Partial<Pick<Endpoint, 'method' | 'refusals' | 'scope'>> & { parameters: Parameters; body: Body },
): Endpoint<Parameters, typeof none, Body, typeof schemas.command> => ({
  method: 'POST',
  scope: 'deploy',
  query: none,
  status: 202,
  answer: schemas.command,
  ...asked,
  refusals: ['IDEMPOTENCY_KEY_REUSED', 'INBOX_UNWRITABLE', ...(asked.refusals ?? [])],
});

const inRun = z.strictObject({ run: schemas.runText });
const inRelease = z.strictObject({ release: schemas.releaseText });

/** Everything the API answers. The description, what is validated and the routes are made of this. */
export const endpoints = {
  status: get({
    path: '/api/v1/status',
    summary: 'What is live, and what is under way.',
    parameters: none,
    query: query.none,
    answer: schemas.status,
  }),
  releases: get({
    path: '/api/v1/releases',
    summary: 'Releases that were rolled out, the last one first.',
    parameters: none,
    query: query.page,
    answer: pageOf(schemas.release),
  }),
  release: get({
    path: '/api/v1/releases/{release}',
    summary: 'One release.',
    parameters: inRelease,
    query: query.none,
    answer: schemas.release,
    refusals: ['UNKNOWN_RELEASE'],
  }),
  deploy: ask({
    path: '/api/v1/releases/{release}/deploy',
    summary: 'Runs a release whose image is on the engine, as `up` does. A release that failed, or was rolled back, is refused.',
    parameters: inRelease,
    body: body.nothing,
  }),
  rollouts: get({
    path: '/api/v1/rollouts',
    summary: 'Rollouts, newest first.',
    parameters: none,
    query: query.page,
    answer: pageOf(schemas.rollout),
  }),
  rollBack: ask({
    path: '/api/v1/rollback',
    summary: 'Runs the release that was live before, or an earlier one, as `rollback` does.',
    parameters: none,
    body: body.rollBack,
  }),
  jobs: get({
    path: '/api/v1/jobs',
    summary: 'Jobs of the release that is live, each with its newest run.',
    parameters: none,
    query: query.none,
    answer: pageOf(schemas.job),
  }),
  startRun: ask({
    path: '/api/v1/jobs/{job}/runs',
    summary: 'Starts a job. The answer names the run, which is on record as soon as the command is done.',
    parameters: z.strictObject({ job: schemas.jobText }),
    body: body.run,
  }),
  runs: get({
    path: '/api/v1/runs',
    summary: 'Runs of jobs, newest first.',
    parameters: none,
    query: query.runs,
    answer: pageOf(schemas.run),
  }),
  run: get({
    path: '/api/v1/runs/{run}',
    summary: 'One run.',
    parameters: inRun,
    query: query.none,
    answer: schemas.run,
    refusals: ['UNKNOWN_RUN'],
  }),
  logs: get({
    path: '/api/v1/runs/{run}/logs',
    summary: 'What the steps of a run print, as server-sent events `line`; the last one is `ended`, and holds the run.',
    parameters: inRun,
    query: query.logs,
    answer: schemas.logLine,
    streams: 'line',
    refusals: ['UNKNOWN_RUN'],
  }),
  cancelRun: ask({
    path: '/api/v1/runs/{run}/cancel',
    summary: 'Asks for the end of a run.',
    parameters: inRun,
    body: body.nothing,
    refusals: ['UNKNOWN_RUN'],
  }),
  events: get({
    path: '/api/v1/events',
    summary: 'Events of the ledger, newest first.',
    parameters: none,
    query: query.events,
    answer: pageOf(schemas.event),
  }),
  eventStream: get({
    path: '/api/v1/events/stream',
    summary: 'Events of the ledger as they happen, as server-sent events `event`; after Last-Event-ID without a gap, else from now on.',
    parameters: none,
    query: query.eventStream,
    answer: schemas.event,
    streams: 'event',
  }),
  deliveries: get({
    path: '/api/v1/deliveries',
    summary: 'What webhooks and pushes told, newest first.',
    parameters: none,
    query: query.page,
    answer: pageOf(schemas.delivery),
  }),
  command: get({
    path: '/api/v1/commands/{command}',
    summary: 'What came of a command.',
    parameters: z.strictObject({ command: schemas.commandText }),
    query: query.none,
    answer: schemas.command,
    refusals: ['UNKNOWN_COMMAND'],
  }),
  tokens: get({
    path: '/api/v1/tokens',
    summary: 'All tokens there ever were; never a token itself.',
    scope: 'admin',
    parameters: none,
    query: query.none,
    answer: pageOf(schemas.token),
  }),
  revokeToken: ask({
    method: 'DELETE',
    path: '/api/v1/tokens/{token}',
    summary: 'Accepts a token no more.',
    scope: 'admin',
    parameters: z.strictObject({ token: schemas.tokenText }),
    body: body.nothing,
  }),
} satisfies Record<string, Endpoint>;

export type EndpointName = keyof typeof endpoints;

/** Where the API describes itself. */
export const descriptionPath = '/api/openapi.json';
