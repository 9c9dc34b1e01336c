import type { ImageId, RunId } from '../digest.ts';
import { jobStepTag } from '../engine/step-image-tag.ts';
import type { Images } from '../engine/image.ts';
import { jobImagesToForget } from '../engine/job-images.ts';
import { labels } from '../engine/labels.ts';
import { type JobRun, type PlannedStep, stepWords } from '../job-run.ts';
import { done, failed, type Result } from '../result.ts';

/** Where the image of a step is found. Whoever asks for the run makes it, or the builder; the controller needs no repository. */
export type StepImages = {
  of(run: JobRun, step: PlannedStep): Promise<Result<ImageId>>;
  /** Those of a run that has ended, with the sources that were its own alone. May be repeated. */
  forget(run: RunId): Promise<void>;
};

/** By the tags that follow from run and step. */
export const taggedStepImages = (images: Images, architecture: string): StepImages => ({
  async of({ id: run }, { key: step }) {
    const found = await images.inspect(jobStepTag(architecture, run, step));
    if (found) return done(found.id);
    return failed({
      code: 'STEP_IMAGE_MISSING',
      what: `there is no image for step ${stepWords(step)} of run ${run}`,
      why: 'whoever asks for a run makes the images of its steps first',
      next: 'changeless job run    makes them',
    });
  },
  async forget(run) {
    const all = await images.list({ labels: { [labels.architecture]: architecture } });
    for (const { tags } of jobImagesToForget(all, new Set([run]))) for (const tag of tags) await images.remove(tag);
  },
});
