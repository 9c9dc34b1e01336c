import path from 'node:path';
import { byCodeUnit } from '../canonical-json.ts';
import type { Repository, TreeEntry } from '../architecture/repository.ts';
import { readDockerIgnore } from './docker-ignore.ts';
import { packTar, type TarItem } from './tar.ts';

/** A component's files: a tree of a repository, with `dockerfile` (its path, and the text that takes its place). */
export type ContextRequest = { repository: Repository; tree: string; dockerfile: { path: string; text: string } };

/** How many objects are read ahead of the packing. */
const readAhead = 32;

/** Submodules of a tree: they name a commit of another repository, whose files this one does not have. */
export const submodulesOf = async ({ repository, tree }: Pick<ContextRequest, 'repository' | 'tree'>): Promise<string[]> =>
  (await repository.list(tree, { recursive: true })).filter(({ kind }) => kind === 'commit').map((entry) => entry.path);

/**
 * The tree as a tar whose bytes depend on the tree alone: sorted, owned by root, one time. Symbolic links and executable
 * files stay what they are; what `.dockerignore` names is left out. The stream fails when an object cannot be read.
 */
export const packContext = (request: ContextRequest): AsyncIterable<Uint8Array> => packTar(itemsOf(request));

async function* itemsOf(request: ContextRequest): AsyncGenerator<TarItem> {
  const { repository, tree, dockerfile } = request;
  const all = (await repository.list(tree, { recursive: true })).filter(({ kind }) => kind === 'blob');
  const isLeftOut = await ignoreRules(request, all);
  const entries = all.filter((entry) => entry.path === dockerfile.path || !isLeftOut(entry.path));
  const places: Place[] = [...foldersOf(entries), ...entries].toSorted((a, b) => byCodeUnit(a.path, b.path));
  for (let from = 0; from < places.length; from += readAhead) {
    yield* await Promise.all(places.slice(from, from + readAhead).map(async (place) => await itemOf(request, place)));
  }
}

type Place = TreeEntry | { path: string; kind: 'folder' };

/** The folders above the entries: left implicit they would get the time of the build. */
function foldersOf(entries: readonly TreeEntry[]): Place[] {
  const folders = new Set<string>();
  for (const entry of entries) {
    for (let above = path.posix.dirname(entry.path); above !== '.' && !folders.has(above); above = path.posix.dirname(above))
      folders.add(above);
  }
  return [...folders].map((folder) => ({ path: folder, kind: 'folder' }));
}

async function itemOf({ repository, dockerfile }: ContextRequest, place: Place): Promise<TarItem> {
  if (place.kind === 'folder') return { path: place.path, kind: 'folder', contents: new Uint8Array() };
  const isDockerfile = place.path === dockerfile.path;
  const contents = isDockerfile ? new TextEncoder().encode(dockerfile.text) : await repository.read(place.object);
  // What takes the place of the Dockerfile is a file in any case.
  return {
    path: place.path,
    kind: place.mode === '120000' && !isDockerfile ? 'link' : 'file',
    isExecutable: place.mode === '100755',
    contents,
  };
}

async function ignoreRules({ repository, dockerfile }: ContextRequest, entries: readonly TreeEntry[]): Promise<(path: string) => boolean> {
  const names = [`${dockerfile.path}.dockerignore`, '.dockerignore'];
  const found = names.map((name) => entries.find((entry) => entry.path === name)).find((entry) => entry !== undefined);
  return found === undefined ? () => false : readDockerIgnore(new TextDecoder().decode(await repository.read(found.object)));
}
