import { digestOf, type RunId } from '../digest.ts';

/** The name of the image that a step of a run is started from: it follows from both, so that nobody has to be told. */
export const stepImageTag = ({ architecture, run, step }: { architecture: string; run: RunId; step: string }): string =>
  `${stepImages(architecture)}:${digestOf({ run, step }).slice(0, 32)}`;

/** The repository of all images of steps. */
export const stepImages = (architecture: string): string => `changeless/${architecture}/job-step`;
