import type { CommitId, GenerationId, ImageId, ReleaseId, RunId } from './digest.ts';
import type { RunOutcome, RunPush, RunReason, StepOutcome } from './job-run.ts';
import type { Problem } from './problem.ts';

export type RolloutOutcome = 'live' | 'failed' | 'superseded';

export type UnitName = { kind: 'app' | 'core' | 'store'; name: string };

/** The last word on a rollout. */
export type RolloutEnded = {
  type: 'rollout-ended';
  release: ReleaseId;
  commit: CommitId | 'uncommitted';
  outcome: RolloutOutcome;
  durationMs: number;
  /** Whose end it is, of several rollouts of one release; not there when it was held and so never began. */
  token?: number;
  problem?: Problem;
  /** Connections that were closed at a drain limit. */
  cut?: number;
  /** What of a release that is live stayed as it was, because it failed. */
  held?: readonly UnitName[];
  /** Somebody asked for an earlier release. */
  rolledBack?: true;
};

/** The last word on a run. `fixed`: the one before it of the same job had failed. */
export type JobEnded = {
  type: 'job-ended';
  run: RunId;
  job: string;
  commit: CommitId | 'uncommitted';
  outcome: RunOutcome;
  durationMs: number;
  fixed?: true;
  /** Who made the commit, where that is known. */
  author?: string;
  problem?: Problem;
};

/**
 * Everything that happens, as one union. The terminal, JSON output, ledger and (later) dashboard are views of this stream.
 * `at` is an ISO 8601 time, added where the event is recorded.
 */
export type ChangelessEvent =
  // evaluating and building
  | { type: 'evaluated'; commit: string; cached: boolean; durationMs: number }
  | { type: 'base-resolved'; base: string; digest: string; how: 'present' | 'pulled' }
  | { type: 'component-reused'; component: string; key: string }
  | { type: 'component-build-started'; component: string; key: string }
  | { type: 'component-build-step'; component: string; step: string; state: 'started' | 'done' | 'cached' | 'failed'; line?: string }
  | { type: 'component-built'; component: string; key: string; image: ImageId; durationMs: number }
  | { type: 'component-tests-started'; component: string; tests: string }
  | { type: 'component-tests-passed'; component: string; tests: string; durationMs: number }
  | { type: 'types-checked'; durationMs: number; cached: boolean }
  | {
      type: 'release-built';
      release: ReleaseId;
      commit: CommitId | 'uncommitted';
      image: ImageId;
      built: number;
      reused: number;
      durationMs: number;
    }
  // rolling out (said by the controller)
  | { type: 'controller-started'; release: ReleaseId; container: string }
  | {
      type: 'rollout-started';
      release: ReleaseId;
      commit: CommitId | 'uncommitted';
      environment: string;
      from?: ReleaseId;
      token: number;
      replace: readonly UnitName[];
      keep: readonly UnitName[];
    }
  | { type: 'instance-started'; unit: UnitName; instance: string; generation: GenerationId }
  | { type: 'step-started'; unit: UnitName; step: string; instance: string; generation: GenerationId }
  | { type: 'step-ended'; unit: UnitName; step: string; instance: string; exitCode: number; durationMs: number }
  | { type: 'health-waiting'; unit: UnitName; failing: readonly string[] }
  | { type: 'unit-healthy'; unit: UnitName; generation: GenerationId; durationMs: number }
  | { type: 'unit-held-back'; unit: UnitName; problem: Problem }
  | { type: 'unit-switched'; unit: UnitName; generation: GenerationId }
  | { type: 'store-tried'; unit: UnitName; generation: GenerationId; on: 'copy' | 'data'; durationMs: number }
  | { type: 'store-holding'; unit: UnitName; generation: GenerationId }
  | { type: 'store-swapped'; unit: UnitName; generation: GenerationId; gapMs: number }
  | { type: 'release-live'; release: ReleaseId; durationMs: number }
  | { type: 'unit-draining'; unit: UnitName; generation: GenerationId }
  | { type: 'drain-waiting'; unit: UnitName; connections: number }
  | { type: 'unit-retired'; unit: UnitName; generation: GenerationId; cut?: number }
  | { type: 'rollout-held'; release: ReleaseId; apps: readonly { name: string; generation: GenerationId }[] }
  | { type: 'bake-started'; release: ReleaseId; units: readonly UnitName[]; until: string }
  | { type: 'going-back'; release: ReleaseId; to: ReleaseId; problem: Problem; request?: string }
  | { type: 'going-back-failed'; release: ReleaseId; to: ReleaseId; problem: Problem }
  | RolloutEnded
  // staying true
  | { type: 'rollout-waiting'; release: ReleaseId; for: ReleaseId }
  | { type: 'controller-standing-by'; release: ReleaseId; for: ReleaseId }
  | { type: 'controller-in-charge'; release: ReleaseId; token: number }
  | { type: 'delivery-taken'; number: number; source: string; id: string; kind: string; branch?: string; after?: string }
  | { type: 'request-served'; request: string }
  | { type: 'alarm-fired'; unit: UnitName; alarm: string; what: string }
  | { type: 'alarm-cleared'; unit: UnitName; alarm: string; what: string }
  | { type: 'releases-forgotten'; releases: readonly ReleaseId[] }
  | { type: 'notice-delayed'; channel: string; why: string }
  | { type: 'notice-lost'; channel: string; count: number; why: string }
  | { type: 'forge-unreachable'; forge: string; why: string }
  | { type: 'delivery-found'; repository: string; branch: string; after: string }
  | { type: 'request-refused'; request: string; problem: Problem }
  | { type: 'instance-lost'; unit: UnitName; instance: string; what: string }
  | { type: 'instance-replaced'; unit: UnitName; instance: string; durationMs: number }
  | { type: 'service-scaled'; unit: UnitName; service: string; from: number; to: number; why: 'asked' | 'cpu' | 'requests' }
  | { type: 'instance-left'; unit: UnitName; instance: string; cut?: number }
  // jobs
  | {
      type: 'job-accepted';
      run: RunId;
      job: string;
      commit: CommitId | 'uncommitted';
      reason: RunReason;
      request?: string;
      push?: RunPush;
    }
  | { type: 'job-started'; run: RunId; job: string; commit: CommitId | 'uncommitted' }
  | { type: 'job-step-started'; run: RunId; job: string; step: string; container: string }
  | {
      type: 'job-step-ended';
      run: RunId;
      job: string;
      step: string;
      outcome: StepOutcome;
      container?: string;
      exitCode?: number;
      durationMs?: number;
      problem?: Problem;
    }
  | JobEnded
  | { type: 'effect-failed'; step: string; problem: Problem };

export type RecordedEvent = ChangelessEvent & { at: string };

/** Where events go. Never throws, never waits. */
export type Report = (event: ChangelessEvent) => void;
