import path from 'node:path';
import { fetchRepository } from '../architecture/fetch-repository.ts';
import type { Repository } from '../architecture/repository.ts';
import type { CommitId } from '../digest.ts';
import type { Result } from '../result.ts';

/** Where mirrors of other repositories are kept. */
export const mirrorsFolder = (cacheFolder: string): string => path.join(cacheFolder, 'repositories');

/** `address#reference`: a branch or tag to lock; what is built is the commit in the lock. */
export function splitAddress(source: string): { address: string; reference?: string } {
  const hash = source.lastIndexOf('#');
  return hash < 0 ? { address: source } : { address: source.slice(0, hash), reference: source.slice(hash + 1) };
}

/** A mirror of another repository that has the commit, fetched only when it does not yet. The caller closes it. */
export const openForeign = async (
  { address, commit }: { address: string; commit: CommitId },
  cacheFolder: string,
): Promise<Result<Repository>> => await fetchRepository(splitAddress(address).address, { cacheFolder: mirrorsFolder(cacheFolder), commit });

/** The repository a component's objects are in, for as long as `use` runs: `own`, or a mirror that is closed afterwards. */
export async function withRepository<Out>(
  { own, cacheFolder, foreign }: { own: Repository; cacheFolder: string; foreign: { address: string; commit: CommitId } | undefined },
  use: (repository: Repository) => Promise<Result<Out>>,
): Promise<Result<Out>> {
  if (foreign === undefined) return await use(own);
  const mirror = await openForeign(foreign, cacheFolder);
  if (!mirror.ok) return mirror;
  try {
    return await use(mirror.value);
  } finally {
    await mirror.value.close();
  }
}
