import type { CommitId, ImageId, ReleaseId, RunId } from '../digest.ts';
import type { Result } from '../result.ts';
import type { Limits, LogLine, LogOptions, SecretDelivery, SecretValues } from './container-parts.ts';

/** A step of a run, by its key. */
export type JobStepName = { run: RunId; step: string };

/**
 * A container that a step runs in, made from its image alone. Where the image has `/work` it finds a fresh volume of its own, filled
 * from there; `/tmp` is memory. It reaches the world, but no other container, not the host, and no link-local address.
 * `token`: of whoever makes it, written on it. `place`: the image of what holds its network; it has `sh`, `du` and `perl`.
 */
export type JobStepSpec = JobStepName & {
  job: string;
  token: number;
  image: ImageId;
  place: ImageId;
  /** Name → absolute path. Shared by all steps that name them; they outlive the run. */
  caches: Readonly<Record<string, string>>;
  secrets: readonly SecretDelivery[];
  limits: Limits;
  /** What it may have written below `/work`, looked at every few seconds. */
  diskBytes: number;
  origin: { environment: string; release: ReleaseId; commit: CommitId | 'uncommitted' };
  /**
   * The controller's own, which fetches, builds and runs: it gets what the controller has, the engine and the host's network, and a volume
   * at `builderFolder` that is no cache of any job; with `remote` what was pushed to gateways, to read.
   */
  builder?: { remote: boolean };
};

/** Where a builder keeps what it has fetched. */
export const builderFolder = '/cache';

/** What a step that has ended left below `/work` for one that follows. */
export type BroughtArtifacts = { from: string; paths: readonly string[] };

/** `created`: it has never run. `exceeded`: the limit that ended it, or is to end it. */
export type ObservedJobStep = JobStepName & {
  job: string;
  token: number;
  container: string;
  state: 'created' | 'running' | 'exited';
  exitCode?: number;
  startedAt?: string;
  endedAt?: string;
  exceeded?: 'memory' | 'disk';
};

/** Where a step runs, or has run: while there is a network that it had, with its address there. */
export type StepPlace = { container: string; address?: string; host: { name: string; address: string } };

/**
 * Steps of jobs: no part of a release, and so of no observation. A container runs at most once, whoever asks: what has started is
 * never started again, and what has not is only ever started by its id, so that one that was made anew in the meantime is not.
 * Every verb may be repeated.
 */
export interface JobSteps {
  /**
   * Makes the container of a step, with the artifacts in its folder, and gives its id. One that has run stays, and is given; one that
   * was made and never started is made anew. ARTIFACT_MISSING when a step left less than it said.
   */
  prepare(architecture: string, spec: JobStepSpec, brought: readonly BroughtArtifacts[]): Promise<Result<string>>;
  /** Starts that very container, unless it has started before. `values`: of all its secrets. */
  start(architecture: string, prepared: { container: string; spec: JobStepSpec; values?: SecretValues }): Promise<Result<void>>;
  /** From then on nobody can start a container that was prepared before. Whether it has not run until then, and so never will. */
  forbid(architecture: string, name: JobStepName): Promise<Result<boolean>>;
  /** Undefined when there is no container of it. */
  where(architecture: string, name: JobStepName): Promise<Result<StepPlace | undefined>>;
  list(architecture: string): Promise<Result<readonly ObservedJobStep[]>>;
  signal(architecture: string, name: JobStepName, signal: 'SIGTERM' | 'SIGKILL'): Promise<Result<void>>;
  /** Ends it at once and removes it with its folder. */
  remove(architecture: string, name: JobStepName): Promise<Result<void>>;
  /** Removes all steps, what they stood on, and the caches when that is asked for. */
  clear(architecture: string, options: { caches: boolean }): Promise<Result<void>>;
  /** What it prints; nothing when it is gone. */
  logs(architecture: string, name: JobStepName, options: LogOptions): AsyncIterable<LogLine>;
}
