import { digestOf } from '../digest.ts';

/** The image of a step of a run: whoever knows both finds it, and nobody has to be told. */
export const jobStepTag = (architecture: string, run: string, step: string): string =>
  `changeless/${architecture}/job-step:${digestOf([run, step]).slice(0, 16)}`;
