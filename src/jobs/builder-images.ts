import { canonicalJson } from '../canonical-json.ts';
import { repositorySecret, taskPath, type BuilderTask } from '../builder-task.ts';
import type { ImageId } from '../digest.ts';
import type { Images } from '../engine/image.ts';
import { builderFolder } from '../engine/job-steps.ts';
import { labels } from '../engine/labels.ts';
import { jobStepTag } from '../engine/step-image-tag.ts';
import type { JobRun, PlannedStep } from '../job-run.ts';
import type { Problem } from '../problem.ts';
import type { ResolvedArchitecture } from '../release/resolve-environment.ts';
import { done, failed, type Result } from '../result.ts';
import type { StepImages } from './step-images.ts';

/** `builder`: that of the release in charge, where it has one. */
export type BuilderContext = { images: Images; architecture: ResolvedArchitecture; builder: ImageId | undefined };

/** The images of steps, of which a builder's are made here: from the builder, and what it is to do. The same again gives the same. */
export const withBuilder = (others: StepImages, context: BuilderContext): StepImages => ({
  ...others,
  of: (run, step) => (step.builder ? builderImage(context, run, step) : others.of(run, step)),
});

async function builderImage({ images, architecture, builder }: BuilderContext, run: JobRun, step: PlannedStep): Promise<Result<ImageId>> {
  const task = taskOf(architecture, run, step);
  if (task === undefined || builder === undefined) return failed(nobodyFetches(run));
  const [id] = await images.assemble([
    {
      base: builder,
      files: [{ path: taskPath, contents: canonicalJson(task) }],
      change: {
        environment: { HOME: builderFolder, XDG_CACHE_HOME: `${builderFolder}/xdg` },
        labels: {
          [labels.architecture]: architecture.name,
          [labels.role]: 'step-image',
          [labels.job]: run.job,
          [labels.run]: run.id,
          [labels.step]: step.key,
          [labels.source]: builder,
        },
      },
      tag: jobStepTag(architecture.name, run.id, step.key),
    },
  ]);
  if (id === undefined) throw new Error('fewer images than were asked for');
  return done(id);
}

/** Undefined where there is nothing to fetch from any more: another release may be in charge than accepted the run. */
export function taskOf({ name, deliver }: ResolvedArchitecture, run: JobRun, step: PlannedStep): BuilderTask | undefined {
  const { commit, plan, push, environment } = run;
  if (deliver === undefined || commit === 'uncommitted') return undefined;
  const { repository, folder } = deliver;
  const secret = step.secrets.some(({ file }) => file === repositorySecret) && { secret: repositorySecret };
  const address = !step.remote && repository !== undefined && { repository };
  const origin = { ...address, folder, branch: push?.branch ?? deliver.branch, ...secret };
  const task = { architecture: name, commit, origin };
  if (step.builder === 'deliver') return { ...task, do: 'deliver', environment };
  const { prepare } = plan;
  return prepare && { ...task, do: 'prepare', run: run.id, job: run.job, parameters: run.parameters, prepare };
}

const nobodyFetches = ({ id, commit }: JobRun): Problem => ({
  code: 'PUSH_NOT_TAKEN',
  what: `nothing can fetch commit ${commit.slice(0, 12)} for run ${id}`,
  why: 'the release that is live says no longer where it is delivered from',
  safe: 'what is live serves on',
  next: 'write deliver in architecture.ts, and changeless up',
});
