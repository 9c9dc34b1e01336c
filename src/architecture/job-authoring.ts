import type { LimitsInput, SecretsInput, Settings } from './container-authoring.ts';

/**
 * Work in containers of agents: on a push, on a schedule, after another job, and always by hand (`changeless job run`), too. Which
 * jobs there are is said by the release that is live; the commit a job runs on is what its steps find in their folder. A change of a
 * job replaces nothing that serves.
 */
export type JobInput = {
  /** By hand alone when left out. */
  on?: JobTriggersInput;
  /** Each is an environment variable of the steps, with the value it has when nobody says another one. */
  parameters?: Settings;
  /**
   * Axis → values: the steps run once for each combination, side by side, at most 100 of them. `${axis}` in a step's agent, command
   * and settings stands for the value. What the shell is to see as `${name}` is written `$${name}`.
   */
  matrix?: { [axis: string]: readonly (string | number)[] };
  /** One after another; those of a list within the list side by side. One that fails ends the job. */
  steps: readonly (JobStepInput | readonly JobStepInput[])[];
  /** How long all of it may take: 3,600,000 when left out. */
  limitMs?: number;
};

/** What starts a job by itself fetches its commit from where `deliver` says; without that it is by hand alone. */
export type JobTriggersInput = {
  /** `true`: every push. */
  push?: true | PushInput;
  /**
   * A cron expression of five fields (minute, hour, day of the month, month, day of the week), or several, in UTC. Times at which no
   * controller ran are made up for once. In the environment `local` only where it says `schedules: true`.
   */
  schedule?: string | readonly string[];
  /** Jobs, or `deliver`, the run of a pushed release; when one of them has passed, this one starts, on the same commit. */
  after?: string | readonly string[];
};

/**
 * A push to a branch that one of the patterns fits, and that changed a path that one fits. `*` stands for anything within a segment,
 * `**` for any number of segments. Paths begin at the top of the repository.
 */
export type PushInput = { branches?: string | readonly string[]; paths?: string | readonly string[] };

/**
 * A command in a fresh container of an agent. It starts in `/work`, where the commit's tree is and it may write; all else but `/tmp` is
 * read-only. Of the run it finds `CHANGELESS_JOB`, `CHANGELESS_RUN`, `CHANGELESS_STEP`, `CHANGELESS_COMMIT` and `CHANGELESS_BRANCH` in its
 * environment. It exits with 0, or has failed.
 */
export type JobStepInput = {
  /** Unique in the job. */
  name: string;
  agent: string;
  /** The program and its arguments. Either this or `run`. */
  command?: readonly string[];
  /** A line for the shell: `sh -c`. */
  run?: string;
  settings?: Settings;
  /** Secrets it gets: each is a file in `/run/secrets`, in memory, that only the user of its image may read. */
  secrets?: SecretsInput;
  /** Name → absolute path of what is kept from run to run. It may be empty at any time; steps with the same name share it. */
  caches?: { [name: string]: string };
  /** Paths in `/work` that later steps of the run find there, too, and that are kept with it. */
  artifacts?: readonly string[];
  limits?: LimitsInput;
  /** How long it may take: as long as the job when left out. */
  limitMs?: number;
};

/** Work on a push, on a schedule, after another job or by hand. */
export const job = (input: JobInput): JobInput => input;

/** A command of a job in an agent of its own. */
export const step = (input: JobStepInput): JobStepInput => input;
