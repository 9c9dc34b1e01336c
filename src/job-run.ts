import type { CommitId, ImageId, ReleaseId, RunId } from './digest.ts';
import type { Problem } from './problem.ts';

export const runReasons = ['by-hand', 'push', 'schedule', 'after'] as const;

/** The reserved job that runs a commit's release; no architecture may call one so. */
export const deliverJob = 'deliver';

/** Why a job runs. */
export type RunReason = (typeof runReasons)[number];

/** `lost`: its container is gone, and nobody knows what came of it; it is not run again. */
export type StepOutcome = 'passed' | 'failed' | 'timed-out' | 'cancelled' | 'lost';

/** `superseded`: a newer one of the same turn came before it began. */
export type RunOutcome = 'passed' | 'failed' | 'timed-out' | 'cancelled' | 'superseded';

/** Whether it says anything of what was run: nobody asked for its end, and it was not passed over. */
export const isVerdict = (outcome: RunOutcome): boolean => outcome !== 'cancelled' && outcome !== 'superseded';

/** The push a run is about. `delivery`: its number in the ledger; `before`: where the branch was, if it was there. */
export type RunPush = { delivery: number; source: string; branch: string; before?: string; author?: string };

/** A secret as a step gets it: in `file`, below the folder of secrets. `sealed`: the value, encrypted. */
export type RunSecret = { file: string; secret: string; version: number; sealed: string };

/**
 * One step of one cell, as it is to be run. `key`: unique in the run, `<cell>/<name>`; a job without matrix has one cell, ``.
 * Groups of a cell run one after another, from 0.
 */
export type PlannedStep = {
  key: string;
  cell: string;
  name: string;
  group: number;
  agent: string;
  /** Name → absolute path. */
  caches: Readonly<Record<string, string>>;
  artifacts: readonly string[];
  secrets: readonly RunSecret[];
  limits: { memoryBytes: number; processes: number; cpus?: number };
  limitMs: number;
  /** What the builder does in it, in place of an agent: only the controller plans such a step, never a job. Nothing else runs before it passed. */
  builder?: 'deliver' | 'prepare';
  /** Of a builder: whether its commit was pushed to the gateway's own remote, and is there. */
  remote?: true;
};

/** What a step's image is made of besides its agent's and the commit's tree. */
export type StepToBuild = {
  key: string;
  step: Pick<PlannedStep, 'name' | 'agent' | 'caches'> & { command: readonly string[]; settings: Readonly<Record<string, string>> };
};

/**
 * All that a run does, fixed when it is accepted: whatever release is live later, it goes on as it began. `prepare`: of what the builder
 * makes the images of its steps, where nobody has made them; `agents` by name.
 */
export type RunPlan = {
  steps: readonly PlannedStep[];
  limitMs: number;
  prepare?: { steps: readonly StepToBuild[]; agents: Readonly<Record<string, ImageId>> };
};

/**
 * `release`: the one that said what the job is. `turn`: of the runs with the same one, one is under way at a time, and a newer one
 * supersedes those that have not begun.
 */
export type AcceptedRun = {
  id: RunId;
  job: string;
  release: ReleaseId;
  commit: CommitId | 'uncommitted';
  environment: string;
  reason: RunReason;
  parameters: Readonly<Record<string, string>>;
  plan: RunPlan;
  push?: RunPush;
  turn?: string;
};

/**
 * What is known of a step that was begun. `container`: the one it runs in, noted before that is started; `createdAt`: since when.
 * A step that has an `outcome` is over, for good.
 */
export type StepRecord = {
  step: string;
  container?: string;
  createdAt?: string;
  startedAt?: string;
  endedAt?: string;
  outcome?: StepOutcome;
  exitCode?: number;
  problem?: Problem;
};

export type StepEnd = { outcome: StepOutcome; startedAt?: string; endedAt: string; exitCode?: number; problem?: Problem };

/** Times are ISO 8601. `closedAt`: nothing of it is on the engine any more, and everybody was told. */
export type JobRun = AcceptedRun & {
  acceptedAt: string;
  startedAt?: string;
  cancelAskedAt?: string;
  endedAt?: string;
  outcome?: RunOutcome;
  problem?: Problem;
  closedAt?: string;
  steps: readonly StepRecord[];
};

/** Whether the text can be the id of a run. */
export const isRunId = (text: string): text is RunId => /^[a-z0-9][a-z0-9.-]{0,63}$/.test(text);

/** A step as people read it: the only cell of a job without matrix has no name. */
export const stepWords = (key: string): string => key.replace(/^\//, '');
