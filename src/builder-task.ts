import type { CommitId, RunId } from './digest.ts';
import type { RunPlan } from './job-run.ts';

/** Of which repository, and which branch of it; without one it is the gateway's own. `secret`: the file in which the builder gets it. */
export type BuilderOrigin = { repository?: string; branch: string; folder: string; secret?: string };

/** What a builder is told: to run the release of a commit, or to make the images of a run's steps. */
export type BuilderTask = { architecture: string; commit: CommitId; origin: BuilderOrigin } & (
  | { do: 'deliver'; environment: string }
  | {
      do: 'prepare';
      run: RunId;
      job: string;
      parameters: Readonly<Record<string, string>>;
      prepare: NonNullable<RunPlan['prepare']>;
    }
);

/** Where a builder finds its task: a file of its image. */
export const taskPath = '/changeless/task.json';

/** The file in which it gets what the repository is read with. */
export const repositorySecret = 'repository';
