import type { ImageId } from '../digest.ts';
import type { Engine } from '../engine/engine.ts';
import type { Report } from '../events.ts';
import type { AcceptedRun, JobRun, RunSecret } from '../job-run.ts';
import type { JobRuns, OwnedRun } from '../ledger/job-runs.ts';
import type { Result } from '../result.ts';
import type { Secret } from '../secret.ts';
import type { AfterRun } from './runs-of-push.ts';
import type { StepImages } from './step-images.ts';

/** What of an engine jobs need. */
export type JobEngine = Pick<Engine, 'jobs' | 'requests' | 'takeRequest'>;

/** What a run is carried out with. `place`: the image of what holds a step's network. */
export type RunHands = {
  engine: JobEngine;
  runs: JobRuns;
  architecture: string;
  place: ImageId;
  images: StepImages;
  /** What comes after a run that ends so. */
  followersOf: (ended: AfterRun) => readonly AcceptedRun[];
  openSecret: (secret: RunSecret) => Promise<Result<Secret>>;
  report: Report;
  /** Whether the run's end is among what was told. */
  isTold: (run: JobRun) => Promise<boolean>;
  /** Resolves when all that was reported is on record. */
  flush: () => Promise<void>;
  now: () => number;
};

/** A run in the hands of its owner. `tries`: how often a step could not be started. */
export type CarriedRun = { hands: RunHands; owned: OwnedRun; run: JobRun; tries: Map<string, number> };
