import path from 'node:path';
import type { Repository } from '../architecture/repository.ts';
import type { CommitId } from '../digest.ts';
import { done, failed, type Result } from '../result.ts';
import type { KeysRequest } from './build-context.ts';
import type { NamedComponent } from './component-names.ts';
import { findingsProblem, type CodedFinding } from './findings.ts';
import { openForeign } from './foreign-repository.ts';

/** Another repository, at its pinned commit. */
export type Foreign = { address: string; commit: CommitId };

/** Where a component's files are: git's hash of the folder, and who has the objects. */
export type SourceTree = { object: string; folder: string; repository: Repository; foreign?: Foreign };

/** `trees`: of every component that has its folder, by name. `close` the repositories that were opened for them. */
export type SourceTrees = { trees: ReadonlyMap<string, SourceTree>; close: () => Promise<void> };

/** Finds the folders of all components: one listing for those of the commit, one look-up each for those from elsewhere. */
export async function sourceTrees(request: KeysRequest, components: readonly NamedComponent[]): Promise<Result<SourceTrees>> {
  const pinned = pinnedRepositories(request, components);
  if (!pinned.ok) return pinned;
  const [own, foreign] = await Promise.all([
    ownTrees(request, components),
    Promise.all(pinned.value.map(async (pin) => await openAt(request, pin))),
  ]);
  const opened = foreign.flatMap((result) => (result.ok ? [result.value] : []));
  const close = async (): Promise<void> => {
    await Promise.all(opened.map(async ({ repository }) => await repository.close()));
  };
  const bad = foreign.find((result) => !result.ok);
  if (bad !== undefined && !bad.ok) {
    await close();
    return bad;
  }
  const theirs = await Promise.all(opened.map(async (each) => await foreignTrees(each, components)));
  return done({ trees: new Map([...own, ...theirs.flat()]), close });
}

type NamedTree = [component: string, tree: SourceTree];

/** One listing of all folders of the commit, whose top is the empty path. */
async function ownTrees(
  { repository, evaluated: { commit, folder: top } }: KeysRequest,
  components: readonly NamedComponent[],
): Promise<NamedTree[]> {
  const entries = await repository.list(commit.tree, { recursive: true, foldersOnly: true });
  const objects = new Map([['', commit.tree], ...entries.map((entry): [string, string] => [entry.path, entry.object])]);
  return components.flatMap(({ name, source }): NamedTree[] => {
    const folder = below(top, source.folder);
    const object = objects.get(folder);
    return source.repository !== undefined || object === undefined ? [] : [[name, { object, folder, repository }]];
  });
}

async function foreignTrees({ repository, tree, foreign }: Opened, components: readonly NamedComponent[]): Promise<NamedTree[]> {
  const theirs = components.filter(({ source }) => source.repository === foreign.address);
  const found = await Promise.all(
    theirs.map(async ({ name, source }): Promise<NamedTree[]> => {
      const folder = below('', source.folder);
      const object = folder === '' ? { object: tree, kind: 'tree' } : await repository.find(tree, folder);
      return object?.kind === 'tree' ? [[name, { object: object.object, folder, repository, foreign }]] : [];
    }),
  );
  return found.flat();
}

/** A path as git spells it: no `.` and no slash at its ends. */
function below(top: string, folder: string): string {
  const joined = path.posix.join(top, folder);
  return joined === '.' ? '' : joined.replace(/\/$/, '');
}

function pinnedRepositories({ evaluated: { lock } }: KeysRequest, components: readonly NamedComponent[]): Result<Foreign[]> {
  const findings: CodedFinding[] = [];
  const pins = new Map<string, CommitId>();
  for (const {
    source: { repository: address },
    place,
  } of components) {
    if (address === undefined) continue;
    const pin = Object.hasOwn(lock.repositories, address) ? lock.repositories[address] : undefined;
    if (pin !== undefined) pins.set(address, pin.commit);
    else
      findings.push({
        code: 'REPOSITORY_UNPINNED',
        finding: { key: `${place}.repository`, what: `${address} is not pinned by architecture.lock` },
      });
  }
  if (findings.length > 0) return failed(findingsProblem(findings));
  return done([...pins].map(([address, commit]) => ({ address, commit })));
}

type Opened = { repository: Repository; tree: string; foreign: Foreign };

async function openAt({ cacheFolder }: KeysRequest, foreign: Foreign): Promise<Result<Opened>> {
  const repository = await openForeign(foreign, cacheFolder);
  if (!repository.ok) return repository;
  const resolved = await repository.value.resolve(foreign.commit);
  if (resolved.ok) return done({ repository: repository.value, tree: resolved.value.tree, foreign });
  await repository.value.close();
  return resolved;
}
