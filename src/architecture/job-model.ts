import type { ResourceLimits, UsedSecrets } from './container-model.ts';

/**
 * Work on a push, on a schedule, after another job or by hand. Always by hand, too; a job that says nothing in `on` is by hand alone.
 * Which jobs there are is said by the release that is live; the commit a job runs on is what its steps find in their folder.
 */
export type Job = {
  on: JobTriggers;
  /** Name → value when nobody says another one. Steps find each as an environment variable. */
  parameters: Readonly<Record<string, string>>;
  /** Axis → values: the job's steps run once for each combination, side by side. Left out where there is none. */
  matrix?: Readonly<Record<string, readonly string[]>>;
  /** One group after another; the steps of a group side by side. None is empty. */
  steps: readonly (readonly JobStep[])[];
  /** How long all of it may take. */
  limitMs: number;
};

/** `schedule`: cron expressions of five fields, in UTC. `after`: jobs whose success starts this one, on the same commit. */
export type JobTriggers = {
  push?: PushFilter;
  schedule?: readonly string[];
  after?: readonly string[];
};

/** Patterns with `*` (within a segment) and `**`. Left out: every branch, every path. */
export type PushFilter = { branches?: readonly string[]; paths?: readonly string[] };

/**
 * A command in a fresh container of an agent, with the commit's tree in `workFolder`, where it may write. `agent`: by name; `${axis}`
 * in it, in the command and in settings stands for the matrix' value.
 */
export type JobStep = {
  name: string;
  agent: string;
  command: readonly string[];
  settings: Readonly<Record<string, string>>;
  secrets?: UsedSecrets;
  /** Name → absolute path. Kept from run to run, on this engine; may be empty at any time. */
  caches: Readonly<Record<string, string>>;
  /** Paths, relative to the folder, that later steps of the run find, too, and that are kept with it. */
  artifacts: readonly string[];
  limits: ResourceLimits;
  limitMs: number;
};

/** Where a step finds the commit's tree, and starts. */
export const workFolder = '/work';
