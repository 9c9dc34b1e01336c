import { z } from 'zod';
import { isSchedule } from './cron.ts';
import { isImagePath, isRelativePath } from './expectations.ts';
import { cellCount } from './matrix.ts';
import { isBranchPattern, isPathPattern } from './patterns.ts';
import { limits, members, name, oneOrMore, settings, text, usedSecrets, whole, words } from './schema-parts.ts';

// What may be written as a job.

/** Runs of one job are side by side as long as they last: more is a mistake rather than a wish. */
const mostCells = 100;

const milliseconds = whole(1, 86_400_000).optional();

const branch = text("a pattern of branches such as 'main' or 'release/*'", isBranchPattern);
const path = text("a pattern of paths such as 'catalog/**', without ..", isPathPattern);
const push = members({
  branches: oneOrMore(branch, 'at least one pattern').optional(),
  paths: oneOrMore(path, 'at least one pattern').optional(),
});
const schedule = text("a cron expression of five fields that some time fits, such as '0 3 * * *'", isSchedule);
const on = members({
  push: z.union([z.literal(true, 'true'), push]).optional(),
  schedule: oneOrMore(schedule, 'at least one expression').optional(),
  after: oneOrMore(text('the name of a job', Boolean), 'at least one job').optional(),
});

const axis = text('the name of an axis: letters, digits, - and _, starting with a letter, at most 40 characters', (value) =>
  /^[A-Za-z][\w-]{0,39}$/.test(value),
);
const isValue = (value: string): boolean => /^[A-Za-z0-9][\w.-]{0,63}$/.test(value);
const value = z.union([
  text('a value of letters, digits, dots, - and _', isValue),
  z.number('a number').refine((number) => isValue(String(number)), 'a number such as 17'),
]);
const isDistinct = (values: readonly unknown[]): boolean =>
  new Set(values.map((each) => (typeof each === 'number' ? String(each) : each))).size === values.length;
const matrix = z
  .record(axis, z.array(value, 'a list of values').min(1, 'at least one value').refine(isDistinct, 'each value once'))
  .refine((axes) => cellCount(axes as Parameters<typeof cellCount>[0]) <= mostCells, `at most ${mostCells} combinations`);

const artifact = text('a path in /work, relative and without ..', (value) => value !== '.' && isRelativePath(value));
const commands = 'command or run, one of the two';
const step = members({
  name,
  agent: text('the name of an agent', Boolean),
  command: words.optional(),
  run: text('a line for the shell', Boolean).optional(),
  settings: settings.optional(),
  secrets: usedSecrets.optional(),
  caches: z.record(name, text('an absolute path, outside /changeless', isImagePath)).optional(),
  artifacts: z.array(artifact, 'a list of paths').optional(),
  limits: limits.optional(),
  limitMs: milliseconds,
}).refine(({ command, run }) => (command === undefined) !== (run === undefined), commands);

/** What may be written as one of `jobs`. */
export const job = members({
  on: on.optional(),
  parameters: settings.optional(),
  matrix: matrix.optional(),
  steps: z.array(z.union([step, z.array(step).min(1, 'at least one step')]), 'a list of steps').min(1, 'at least one step'),
  limitMs: milliseconds,
});
