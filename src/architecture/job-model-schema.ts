import { z } from 'zod';
import type { Job } from './job-model.ts';
import { limitsModel, textsModel } from './model-schema-parts.ts';

const list = z.array(z.string()).readonly();
const milliseconds = z.int().min(1);

const step = z
  .strictObject({
    name: z.string(),
    agent: z.string(),
    command: list,
    settings: textsModel,
    secrets: textsModel.describe('Secret → its file in /run/secrets.').exactOptional(),
    caches: textsModel.describe('Name → absolute path of what is kept from run to run.'),
    artifacts: list.describe('Paths in /work that later steps find, too.'),
    limits: limitsModel,
    limitMs: milliseconds,
  })
  .describe('A command in a fresh container of an agent.');

const on = z.strictObject({
  push: z.strictObject({ branches: list.exactOptional(), paths: list.exactOptional() }).exactOptional(),
  schedule: list.describe('Cron expressions of five fields, in UTC.').exactOptional(),
  after: list.describe('Jobs whose success starts this one.').exactOptional(),
});

/** A job after validation. */
export const jobModel = z.strictObject({
  on,
  parameters: textsModel,
  matrix: z.record(z.string(), list).readonly().exactOptional(),
  steps: z.array(z.array(step).readonly()).readonly().describe('One group after another; the steps of a group side by side.'),
  limitMs: milliseconds,
}) satisfies z.ZodType<Job>;
