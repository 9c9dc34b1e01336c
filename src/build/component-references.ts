import path from 'node:path';
import { canonicalJson } from '../canonical-json.ts';
import { done, failed, type Result } from '../result.ts';
import type { KeysRequest } from './build-context.ts';
import { componentsOf, type NamedComponent } from './component-names.ts';
import { imageReferences } from './dockerfile.ts';
import type { CodedFinding } from './findings.ts';
import { ReferenceCache, type FoundReference } from './reference-cache.ts';
import { sourceTrees, type SourceTree, type SourceTrees } from './source-trees.ts';

/** A component, its folder, its Dockerfile's path in its repository, and the outside images that names. */
export type ReadComponent = { named: NamedComponent; tree: SourceTree; file: string; references: readonly FoundReference[] };

/**
 * Every component's folder and what its Dockerfile names; what is missing, per component. One listing of the commit's
 * folders serves all of them; a Dockerfile is read only when its folder is new.
 */
export async function readComponents(request: KeysRequest): Promise<Result<Result<ReadComponent, CodedFinding>[]>> {
  const components = componentsOf(request.evaluated.architecture);
  const [found, cache] = await Promise.all([
    sourceTrees(request, components),
    ReferenceCache.open(request.cacheFolder, request.evaluated.architecture.name),
  ]);
  if (!found.ok) return found;
  const read = await readAll(request, { components, found: found.value, cache });
  await cache.save();
  return done(read);
}

type All = { components: readonly NamedComponent[]; found: SourceTrees; cache: ReferenceCache };

async function readAll(request: KeysRequest, { components, found, cache }: All): Promise<Result<ReadComponent, CodedFinding>[]> {
  try {
    return await Promise.all(components.map(async (named) => await readOne(request, { named, tree: found.trees.get(named.name), cache })));
  } finally {
    await found.close();
  }
}

type One = { named: NamedComponent; tree: SourceTree | undefined; cache: ReferenceCache };

async function readOne(request: KeysRequest, { named, tree, cache }: One): Promise<Result<ReadComponent, CodedFinding>> {
  const { source } = named;
  if (tree === undefined) return failed(missing(named, `the commit has no folder ${JSON.stringify(source.folder)}`));
  const file = path.posix.join(tree.folder, source.dockerfile);
  const references = await referencesOf(request, { named, tree, cache });
  return references === undefined
    ? failed(missing(named, `the commit has no file ${JSON.stringify(file)}`))
    : done({ named, tree, file, references });
}

/** Undefined when there is no such Dockerfile. */
async function referencesOf(
  { platform }: KeysRequest,
  { named: { source }, tree, cache }: One & { tree: SourceTree },
): Promise<readonly FoundReference[] | undefined> {
  const key = [tree.object, source.dockerfile, platform, canonicalJson(source.arguments)].join(' ');
  const known = cache.get(key);
  if (known !== undefined) return known;
  const found = await tree.repository.find(tree.object, source.dockerfile);
  if (found?.kind !== 'blob') return undefined;
  const text = new TextDecoder().decode(await tree.repository.read(found.object));
  const references = imageReferences(text, { arguments: source.arguments, platform });
  const kept = references.map(({ name, line, column }) => ({ name, line, column }));
  cache.set(key, kept);
  return kept;
}

const missing = ({ name, place }: NamedComponent, what: string): CodedFinding => ({
  code: 'DOCKERFILE_MISSING',
  finding: { key: place, what: `${name}: ${what}` },
});
