import * as z from 'zod';
import { scopes } from '../api-token.ts';
import { runReasons } from '../job-run.ts';

const at = z.iso.datetime();
const text = z.string();

/** What a client may send besides ASCII is bounded before it is looked at. */
export const releaseText = z.string().regex(/^[0-9a-f]{64}$/, 'the whole id of a release: 64 hex characters');
export const runText = z.string().regex(/^[a-z0-9][a-z0-9.-]{0,63}$/, 'the id of a run: lower-case letters, digits, dots and hyphens');
export const jobText = z.string().regex(/^[A-Za-z][\w-]{0,63}$/, 'the name of a job');
export const commandText = z.string().regex(/^[a-z0-9-]{1,64}$/, 'the id of a command');
export const tokenText = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'the name of a token');
const commitText = z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/, 'the whole id of a commit: 40 or 64 hex characters');

const whole = z
  .string()
  .regex(/^\d{1,15}$/, 'a whole number')
  .transform(Number);
const limit = z
  .string()
  .regex(/^([1-9]|[1-9]\d|[1-4]\d\d|500)$/, 'a whole number from 1 to 500')
  .transform(Number)
  .default(50)
  .describe('How many at most.');
const before = whole.optional().describe('Only what is older than the one of that number; `next` of the page before.');

export const query = {
  page: z.strictObject({ limit, before }),
  runs: z.strictObject({
    limit,
    before: runText.optional().describe('Only what is older; `next` of the page before.'),
    job: jobText.optional(),
  }),
  events: z.strictObject({ limit, before, type: z.string().max(64).optional(), release: releaseText.optional(), run: runText.optional() }),
  eventStream: z.strictObject({ type: z.string().max(64).optional(), run: runText.optional() }),
  logs: z.strictObject({
    step: z.string().max(256).optional().describe('Of that step alone.'),
    follow: z.enum(['true', 'false']).default('true').describe('Whether to go on until the run is closed, or to end with what there is.'),
  }),
  none: z.strictObject({}),
};

export const problem = z.object({
  type: text.describe('`urn:changeless:problem:` and the code.'),
  title: text.describe('What the code means.'),
  status: z.int(),
  detail: text.describe('What happened.'),
  code: text.describe('Permanent; the catalogue is in docs/reference/errors.md.'),
  why: text.optional(),
  safe: text.optional().describe('What was kept, or still serves.'),
  next: text.optional().describe('What to do.'),
  findings: z
    .array(z.object({ key: text, what: text }))
    .optional()
    .describe('All that is wrong with a request.'),
});

const toldProblem = z.object({ code: text, what: text, why: text.optional(), safe: text.optional(), next: text.optional() });

export const rollout = z.object({
  number: z.int(),
  release: text,
  commit: text,
  environment: text,
  outcome: z.enum(['live', 'failed', 'superseded']).nullable().describe('null: under way.'),
  startedAt: at,
  endedAt: at.nullable(),
  asked: text.nullable().describe('`up`, `anyway` or `rollback`; null: started by hand.'),
  replaced: text.nullable().describe('The release that was live when it began.'),
  held: z.array(z.object({ kind: text, name: text })).describe('What stayed as it was, because it failed.'),
  problem: toldProblem.nullable(),
});

export const release = z.object({
  release: text,
  commit: text,
  environment: text,
  live: z.boolean(),
  rollouts: z.array(z.int()).describe('Numbers of its rollouts, newest first.'),
  lastRolledOutAt: at,
});

const step = z.object({
  step: text.describe("The step's key: `<cell>/<name>`."),
  agent: text,
  outcome: text.nullable().describe('`passed`, `failed`, `timed-out`, `cancelled` or `lost`; null: it has not ended.'),
  container: text.nullable(),
  startedAt: at.nullable(),
  endedAt: at.nullable(),
  exitCode: z.int().nullable(),
  problem: toldProblem.nullable(),
});

export const run = z.object({
  run: text,
  job: text,
  release: text.describe('The one that said what the job is.'),
  commit: text,
  environment: text,
  reason: text.describe(`One of ${runReasons.join(', ')}.`),
  parameters: z.record(text, text),
  outcome: text.nullable().describe('`passed`, `failed`, `timed-out` or `cancelled`; null: it has not ended.'),
  acceptedAt: at,
  startedAt: at.nullable(),
  cancelAskedAt: at.nullable(),
  endedAt: at.nullable(),
  closedAt: at.nullable().describe('Nothing of it is on the engine any more, and its output is whole.'),
  problem: toldProblem.nullable(),
  steps: z.array(step).describe('All it is to do, begun or not.'),
});

export const job = z.object({
  job: text,
  on: z.object({
    after: z.array(text).optional(),
    push: z.object({ branches: z.array(text).optional(), paths: z.array(text).optional() }).optional(),
    schedule: z.array(text).optional(),
  }),
  parameters: z.record(text, text).describe('With what they are when nobody says.'),
  last: run.nullable().describe('Its newest run.'),
});

export const event = z.object({
  number: z.int(),
  event: z.looseObject({ type: text, at }).describe('As docs/reference/events.md has them.'),
});

export const delivery = z.object({
  number: z.int(),
  source: text,
  id: text,
  kind: text,
  repository: text.optional(),
  branch: text.optional(),
  before: text.optional(),
  after: text.optional(),
  receivedAt: at,
  takenAt: at,
});

export const command = z.object({
  command: text,
  does: z.enum(['run-job', 'cancel-run', 'roll-back', 'deploy', 'revoke-token']),
  by: text.describe("The token's name."),
  receivedAt: at,
  state: z.enum(['waiting', 'done', 'refused']).describe('`done`: it was begun; how it went on is told by the run or the rollout.'),
  run: text.nullable(),
  release: text.nullable(),
  endedAt: at.nullable(),
  problem: toldProblem.nullable(),
});

const deployed = z.object({ release: text, commit: text, environment: text, since: at });

export const status = z.object({
  architecture: text.nullable(),
  live: deployed.nullable().describe('The release that is live, as the ledger has it.'),
  underWay: deployed.nullable().describe('The rollout that is under way.'),
  apps: z.record(text, z.array(text)).describe('Addresses of each app of the release that is live.'),
});

export const token = z.object({
  name: text,
  scope: z.enum(scopes),
  addedAt: at,
  expiresAt: at,
  revokedAt: at.nullable(),
  usedOn: text.nullable().describe('The last day (UTC) on which it was used.'),
});

export const body = {
  run: z.strictObject({
    commit: commitText.describe("What the steps find in their folder; the architecture's own repository has it."),
    parameters: z
      .record(z.string().max(64), z.string().max(4096))
      .refine((all) => Object.keys(all).length <= 64, 'at most 64 parameters')
      .default({}),
  }),
  rollBack: z.strictObject({ release: releaseText.optional().describe('What was live before, when left out.') }),
  nothing: z.strictObject({}),
};

/** A line of a step's output, as it is streamed. */
export const logLine = z.object({ step: text, at: text, stream: z.enum(['stdout', 'stderr']), line: text });

export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), next: z.union([z.string(), z.null()]).describe('`before` of the next page; null: there is none.') });

/** What the API tells of each thing. */
export type Told = {
  rollout: z.infer<typeof rollout>;
  release: z.infer<typeof release>;
  run: z.infer<typeof run>;
  job: z.infer<typeof job>;
  delivery: z.infer<typeof delivery>;
  command: z.infer<typeof command>;
  status: z.infer<typeof status>;
  token: z.infer<typeof token>;
  logLine: z.infer<typeof logLine>;
  problem: z.infer<typeof problem>;
};
