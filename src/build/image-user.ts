import type { FileOwner, ImageDetail, Images } from '../engine/image.ts';
import { done, failed, type Result } from '../result.ts';
import { isRoot } from './configured-images.ts';

/** Who runs where an image names nobody, or root. */
export const nobody: FileOwner = { user: 65_534, group: 65_534 };

/**
 * The numbers of the user that containers of an image are to run as, who may be called by names of the image's own; `nobody` in place of
 * root. AGENT_UNFIT where the image does not know the name.
 */
export async function userOfImage(images: Images, image: ImageDetail): Promise<Result<FileOwner>> {
  const named = image.config.user;
  if (isRoot(named)) return done(nobody);
  const [user = '', group] = named.split(':');
  const users = await linesOf(images, image, '/etc/passwd');
  const entry = users.find(([name, , number]) => name === user || number === user);
  const groupEntry = group === undefined ? undefined : (await linesOf(images, image, '/etc/group')).find(([name]) => name === group);
  const numbers = { user: Number(entry?.[2] ?? user), group: Number(groupEntry?.[2] ?? group ?? entry?.[3] ?? 0) };
  return Number.isInteger(numbers.user) && Number.isInteger(numbers.group) ? done(numbers) : failed(unknownUser(named));
}

const linesOf = async (images: Images, { id }: ImageDetail, path: string): Promise<string[][]> =>
  new TextDecoder()
    .decode(await images.readFile(id, path))
    .split('\n')
    .map((line) => line.split(':'));

const unknownUser = (named: string) => ({
  code: 'AGENT_UNFIT' as const,
  what: `the agent's image runs as ${named}, whom it does not know`,
  why: 'its /etc/passwd or /etc/group has no such name',
  safe: 'nothing was run',
  next: "add the user in the agent's Dockerfile, or name one by number",
});
