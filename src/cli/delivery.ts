import type { Architecture } from '../architecture/model.ts';
import type { Commit } from '../architecture/repository.ts';
import type { RunToBuild } from '../build/job-step-images.ts';
import type { PlannedRelease } from '../build/plan-release.ts';
import type { GoesOn } from '../build/set-aside.ts';
import type { ImageId } from '../digest.ts';
import type { Engine } from '../engine/engine.ts';
import type { Report } from '../events.ts';
import type { Problem } from '../problem.ts';
import type { Result } from '../result.ts';
import type { Locate } from '../secrets/read-secrets.ts';

/** Where an architecture is and what may be used: `folder` holds architecture.ts, absolute. */
export type Place = { folder: string; cacheFolder: string; engine: () => Promise<Result<Engine>>; signal: AbortSignal };

/** `revision`: any name git knows; with `worktree` the working folder is taken instead. */
export type SourceRequest = { place: Place; revision: string; worktree: boolean; report: Report };

/** A commit's architecture with all that planning and building need. `close` ends git's processes. */
export type Source = {
  engine: Engine;
  commit: Commit;
  architecture: Architecture;
  plan: () => Promise<Result<PlannedRelease>>;
  /**
   * Makes what is missing; type errors are found beside the build. Release images by environment. `goesOn`: which independent apps
   * the release may do without.
   */
  build: (planned: PlannedRelease, goesOn?: GoesOn) => Promise<Result<BuiltImages>>;
  /**
   * Makes the images of a run's steps from this commit, and of their agents and of `place`, which holds a step's network, what is missing.
   */
  steps: (planned: PlannedRelease, run: StepsToMake) => Promise<Result<{ place: ImageId }>>;
  /** The same problem, the keys of the architecture that it names with their places in the source. */
  place: (problem: Problem) => Promise<Problem>;
  /** Where something of the architecture is written. */
  locate: Locate;
  close: () => Promise<void>;
};

/** A run whose steps are to be made. */
export type StepsToMake = Pick<RunToBuild, 'architecture' | 'run' | 'job' | 'parameters' | 'steps'>;

export type BuiltImages = Readonly<Record<string, { id: ImageId; tag: string }>>;

/** What `lock` wrote: the file, and what of it is new or moved, as sentences. */
export type Locked = { file: string; changes: readonly string[] };

/** Evaluating, planning and building, as the commands use them; loaded only by those that do. */
export interface Delivery {
  evaluate(request: SourceRequest): Promise<Result<Source>>;
  /** Paths that differ from HEAD, and HEAD itself. */
  changes(place: Place): Promise<Result<{ changed: readonly string[]; head: Commit }>>;
  lock(place: Place, options: { update: boolean; report: Report }): Promise<Result<Locked>>;
}
