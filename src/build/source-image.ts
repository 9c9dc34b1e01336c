import { workFolder } from '../architecture/job-model.ts';
import type { Repository } from '../architecture/repository.ts';
import { digestOf, type ImageId } from '../digest.ts';
import type { AssembleRequest, FileOwner, Images } from '../engine/image.ts';
import { labels } from '../engine/labels.ts';
import { done, failed, type Result } from '../result.ts';
import { sourceTag } from './image-names.ts';
import { userOfImage } from './image-user.ts';
import { treeItems } from './tree-items.ts';

/** Moves when the same agent and tree make another layer. */
const format = 1;

/** An agent's image, and the tree that is to be in it. */
export type SourceRequest = { architecture: string; agent: string; image: ImageId; tree: string };

/** `owner`: of the tree, and who its containers run as. `environment`: the agent's variables. */
export type SourceImage = { id: ImageId; owner: FileOwner; environment: readonly string[] };

/**
 * An agent's image with a commit's tree in `workFolder`, which belongs to the agent's user. All steps of a commit with that agent share
 * it; its id follows from agent and tree alone, and one that is there already is not made again. AGENT_UNFIT as `userOfImage` says.
 */
export async function sourceImage(
  { images, repository }: { images: Images; repository: Repository },
  request: SourceRequest,
): Promise<Result<SourceImage>> {
  const tag = sourceTag(request.architecture, request.agent, digestOf({ format, image: request.image, tree: request.tree }));
  const [agent, present] = await Promise.all([images.inspect(request.image), images.inspect(tag)]);
  if (agent === undefined) return failed(missingAgent(request.agent));
  const owner = await userOfImage(images, agent);
  if (!owner.ok) return owner;
  const source = { owner: owner.value, environment: agent.config.environment };
  if (present) return done({ id: present.id, ...source });
  const files = await treeItems(repository, request.tree, { folder: workFolder, owner: owner.value });
  const [id] = await images.assemble([assembled(request, { files, owner: owner.value, tag })]);
  if (id === undefined) throw new Error(`${tag} was not assembled`);
  return done({ id, ...source });
}

type Parts = Pick<AssembleRequest, 'files' | 'tag'> & { owner: FileOwner };

const assembled = ({ architecture, image }: SourceRequest, { files, owner, tag }: Parts): AssembleRequest => ({
  base: image,
  files,
  change: {
    user: `${owner.user}:${owner.group}`,
    workingFolder: workFolder,
    labels: { [labels.architecture]: architecture, [labels.role]: 'source' },
  },
  tag,
});

const missingAgent = (agent: string) => ({
  code: 'AGENT_UNFIT' as const,
  what: `the image of agent ${agent} is not on the engine`,
  safe: 'nothing was run',
  next: 'changeless build    makes it again',
});
