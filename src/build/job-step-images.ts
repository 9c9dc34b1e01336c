import path from 'node:path';
import { workFolder } from '../architecture/job-model.ts';
import type { Repository } from '../architecture/repository.ts';
import type { CommitId, ImageId } from '../digest.ts';
import type { AssembleRequest, Images, LayerItem } from '../engine/image.ts';
import { labels } from '../engine/labels.ts';
import type { StepToBuild } from '../job-run.ts';
import { done, failed, type Result } from '../result.ts';
import { jobStepTag } from '../engine/step-image-tag.ts';
import { sourceImage, type SourceImage } from './source-image.ts';

/**
 * What the images of a run's steps are made from. `tree`: the commit's; `branch`: that the run is about, where it is about one.
 * `agents`: agent → its image.
 */
export type RunToBuild = {
  architecture: string;
  run: string;
  job: string;
  commit: CommitId | 'uncommitted';
  tree: string;
  branch?: string;
  parameters: Readonly<Record<string, string>>;
  steps: readonly StepToBuild[];
  agents: Readonly<Record<string, ImageId>>;
};

/**
 * An image for each step of a run, by key, under `jobStepTag`: a container needs nothing else to run it. Asked again, it gives the same.
 * AGENT_UNFIT where a step's agent cannot be used.
 */
export async function jobStepImages(
  context: { images: Images; repository: Repository },
  run: RunToBuild,
): Promise<Result<Record<string, ImageId>>> {
  for (;;) {
    const sources = await sourcesOf(context, run);
    if (!sources.ok) return sources;
    try {
      return done(await stepsOn(context.images, run, sources.value));
    } catch (error) {
      // Another run of the commit ended meanwhile, and took the source with it before a step here said that it needs it.
      const there = await Promise.all([...sources.value.values()].map(({ id }) => context.images.inspect(id)));
      if (there.every((source) => source !== undefined)) throw error;
    }
  }
}

type Sources = ReadonlyMap<string, SourceImage>;

async function sourcesOf(context: { images: Images; repository: Repository }, run: RunToBuild): Promise<Result<Sources>> {
  const sources = new Map<string, SourceImage>();
  for (const agent of new Set(run.steps.map(({ step }) => step.agent))) {
    const image = run.agents[agent];
    if (image === undefined) return failed(noAgent(run.job, agent));
    const source = await sourceImage(context, { architecture: run.architecture, agent, image, tree: run.tree });
    if (!source.ok) return source;
    sources.set(agent, source.value);
  }
  return done(sources);
}

async function stepsOn(images: Images, run: RunToBuild, sources: Sources): Promise<Record<string, ImageId>> {
  const ids = await images.assemble(run.steps.map((step) => jobStepRequest(run, step, sourceOf(sources, step))));
  return Object.fromEntries(run.steps.map(({ key }, index): [string, ImageId] => [key, idAt(ids, index)]));
}

function sourceOf(sources: Sources, { key, step }: StepToBuild): SourceImage {
  const source = sources.get(step.agent);
  if (source === undefined) throw new Error(`no source for ${key}`);
  return source;
}

function idAt(ids: readonly ImageId[], index: number): ImageId {
  const id = ids[index];
  if (id === undefined) throw new Error('fewer images than were asked for');
  return id;
}

/** The micro layer that makes a step of a source: its command, its variables, and folders for its caches that its user may write. */
export function jobStepRequest(run: RunToBuild, { key, step }: StepToBuild, source: SourceImage): AssembleRequest {
  const [program = '', ...words] = step.command;
  return {
    base: source.id,
    files: cacheFolders(step, source),
    change: {
      entrypoint: [program],
      command: words,
      workingFolder: workFolder,
      environment: { ...home(source), ...run.parameters, ...step.settings, ...ownVariables(run, step) },
      labels: {
        [labels.architecture]: run.architecture,
        [labels.role]: 'step-image',
        [labels.job]: run.job,
        [labels.run]: run.run,
        [labels.step]: key,
        [labels.source]: source.id,
      },
    },
    tag: jobStepTag(run.architecture, run.run, key),
  };
}

const ownVariables = ({ job, run, commit, branch }: RunToBuild, step: StepToBuild['step']): Readonly<Record<string, string>> => ({
  CHANGELESS_JOB: job,
  CHANGELESS_RUN: run,
  CHANGELESS_STEP: step.name,
  CHANGELESS_COMMIT: commit,
  ...(branch !== undefined && { CHANGELESS_BRANCH: branch }),
});

/** The user's own home is on the read-only root, where tools that want to keep something there fail; `/tmp` is memory. */
const home = ({ environment }: SourceImage): Readonly<Record<string, string>> =>
  environment.some((variable) => variable.startsWith('HOME=')) ? {} : { HOME: '/tmp' };

/**
 * An empty volume takes owner and mode from the folder it is mounted on. Folders above it stay root's, but not those in the tree's own,
 * which are the user's.
 */
function cacheFolders({ caches }: StepToBuild['step'], { owner }: SourceImage): LayerItem[] {
  const folders = Object.values(caches).flatMap((cache) => [cache, ...above(cache).filter((folder) => isWork(folder))]);
  return [...new Set(folders)].map((folder) => ({ path: folder, folder: true, owner }));
}

const isWork = (folder: string): boolean => folder === workFolder || folder.startsWith(`${workFolder}/`);

const above = (folder: string): string[] => (folder === '/' ? [] : [path.posix.dirname(folder), ...above(path.posix.dirname(folder))]);

const noAgent = (job: string, agent: string) => ({
  code: 'AGENT_UNFIT' as const,
  what: `job ${job} wants agent ${agent}, of which the release has no image`,
  safe: 'nothing was run',
  next: 'changeless build    makes it',
});
