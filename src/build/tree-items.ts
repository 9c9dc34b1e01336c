import path from 'node:path';
import { mapBounded } from '../bounded.ts';
import type { Repository, TreeEntry } from '../architecture/repository.ts';
import type { FileOwner, LayerItem } from '../engine/image.ts';

/** How many objects are read at a time. */
const readAhead = 64;

/**
 * A commit's tree below a folder of an image, as a clone has it: with its links and what is executable, all of one owner. A submodule is
 * an empty folder, for its files are another repository's. All of it is in memory.
 */
export async function treeItems(
  repository: Repository,
  tree: string,
  { folder, owner }: { folder: string; owner: FileOwner },
): Promise<LayerItem[]> {
  const entries = await repository.list(tree, { recursive: true, folders: true });
  const items = await mapBounded(entries, readAhead, async (entry) => ({ ...(await itemOf(repository, folder, entry)), owner }));
  return [{ path: folder, folder: true, owner }, ...items];
}

async function itemOf(repository: Repository, folder: string, { path: own, kind, mode, object }: TreeEntry): Promise<LayerItem> {
  const place = path.posix.join(folder, own);
  if (kind !== 'blob') return { path: place, folder: true };
  const contents = await repository.read(object);
  if (mode === '120000') return { path: place, target: new TextDecoder().decode(contents) };
  return { path: place, contents, mode: mode === '100755' ? 0o755 : 0o644 };
}
