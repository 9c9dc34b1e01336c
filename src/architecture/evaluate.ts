import path from 'node:path';
import { type CachedEvaluation, cachedEvaluation, type EvaluatedFolder, keepEvaluation } from './evaluation-cache.ts';
import type { EvaluationOutput, Evaluator } from './evaluation.ts';
import type { Architecture } from './model.ts';
import { type CommittedModule, modulesLimitBytes, modulesOfCommit, totalBytes } from './modules-of-commit.ts';
import type { Commit, Repository } from './repository.ts';
import { invalidArchitecture, type KeyLocator, validateArchitecture } from './validate.ts';
import { done, failed, type Result } from '../result.ts';

/** The file an architecture is written in. */
export const architectureFile = 'architecture.ts';

export type EvaluationRequest = {
  repository: Repository;
  commit: Commit;
  /** The architecture's folder, relative to the repository's top; '' is the top. */
  folder: string;
  evaluator: Evaluator;
  cacheFolder: string;
};

export type Evaluated = {
  architecture: Architecture;
  /** The modules that were read, relative to the repository's top. */
  files: readonly { path: string; object: string }[];
  cached: boolean;
};

/**
 * The architecture of a commit. When an earlier evaluation read the same git objects, that one is given and nothing is
 * started; otherwise the evaluator runs and its answer is validated. All problems name file, line and column.
 */
export async function evaluateArchitecture(request: EvaluationRequest): Promise<Result<Evaluated>> {
  const { repository, commit } = request;
  const folder = tidyFolder(request.folder);
  const tree = await repository.find(commit.tree, folder);
  const entry = tree?.kind === 'tree' ? await repository.find(tree.object, architectureFile) : undefined;
  if (tree === undefined || entry?.kind !== 'blob') return failed(await noArchitecture(request, folder));
  const place: EvaluatedFolder = { repository, tree: tree.object, folder, entry: architectureFile, cacheFolder: request.cacheFolder };
  const earlier = await cachedEvaluation(place);
  if (earlier !== undefined) return done({ ...evaluated(earlier, folder), cached: true });
  const fresh = await evaluate(place, request.evaluator);
  if (!fresh.ok) return fresh;
  await keepEvaluation(place, fresh.value);
  return done({ ...evaluated(fresh.value, folder), cached: false });
}

async function evaluate(place: EvaluatedFolder, evaluator: Evaluator): Promise<Result<CachedEvaluation>> {
  const modules = await modulesOfCommit(place.repository, place.tree, place.entry);
  if (totalBytes(modules) > modulesLimitBytes) return failed(tooLarge(place));
  const answer = await evaluator({ files: modules.map(({ path: file, contents }) => ({ path: file, contents })), entry: place.entry });
  if (!answer.ok) return answer;
  const source = { files: sourcesOf(modules, place.folder), folder: place.folder, entry: path.posix.join(place.folder, place.entry) };
  // Loaded here: a cached evaluation does not need the parser.
  const [{ evaluationProblem }, { keyLocator }] = await Promise.all([import('./evaluation-problem.ts'), import('./locate.ts')]);
  if (!answer.value.ok) return failed(evaluationProblem(answer.value, source));
  const validated = await validateArchitecture(answer.value.value, keyLocator(source.files, source.entry));
  return validated.ok ? done(toCached(place, answer.value, { modules, architecture: validated.value })) : validated;
}

/** Where keys of a commit's architecture are written. Reads and parses what an evaluation may have read. */
export async function locatorOfCommit({
  repository,
  commit,
  folder: written,
}: Omit<EvaluationRequest, 'evaluator' | 'cacheFolder'>): Promise<KeyLocator> {
  const folder = tidyFolder(written);
  const tree = await repository.find(commit.tree, folder);
  const [modules, { keyLocator }] = await Promise.all([
    tree ? modulesOfCommit(repository, tree.object, architectureFile) : [],
    import('./locate.ts'),
  ]);
  return keyLocator(sourcesOf(modules, folder), path.posix.join(folder, architectureFile));
}

const sourcesOf = (modules: readonly CommittedModule[], folder: string): Map<string, string> =>
  new Map(modules.map(({ path: file, contents }) => [path.posix.join(folder, file), contents]));

function toCached(
  { tree }: EvaluatedFolder,
  output: Extract<EvaluationOutput, { ok: true }>,
  from: { modules: readonly CommittedModule[]; architecture: Architecture },
): CachedEvaluation {
  const objects = new Map(from.modules.map((module) => [module.path, module.object]));
  const files = output.loaded.flatMap((file) => {
    const object = objects.get(file);
    return object === undefined ? [] : [{ path: file, object }];
  });
  return { tree, files, missing: output.missing, architecture: from.architecture };
}

const evaluated = ({ architecture, files }: CachedEvaluation, folder: string) => ({
  architecture,
  files: files.map((file) => ({ path: path.posix.join(folder, file.path), object: file.object })),
});

const tidyFolder = (folder: string): string => path.posix.normalize(folder).replace(/^\.?\/?$|\/$/g, '');

const tooLarge = ({ folder, entry }: EvaluatedFolder) =>
  invalidArchitecture([
    {
      place: { file: path.posix.join(folder, entry), line: 1 },
      what: `expected less than ${modulesLimitBytes / 1024 ** 2} MiB of modules, found more`,
    },
  ]);

async function noArchitecture({ repository, commit }: EvaluationRequest, folder: string) {
  const all = await repository.list(commit.tree, { recursive: true });
  const others = all.map((entry) => entry.path).filter((file) => path.posix.basename(file) === architectureFile);
  const other = others[0] === undefined ? undefined : path.posix.dirname(others[0]);
  const where = folder === '' ? repository.top : path.join(repository.top, folder);
  return {
    code: 'NO_ARCHITECTURE' as const,
    what: `${where} holds no ${architectureFile} in commit ${commit.id.slice(0, 12)}`,
    why:
      others.length === 0
        ? 'no folder of the commit holds one; a file that is not committed does not count'
        : `it is in ${others
            .slice(0, 5)
            .map((file) => path.posix.dirname(file))
            .join(', ')}`,
    safe: 'nothing was changed',
    next:
      other === undefined
        ? 'changeless init   makes one; or commit the one you have'
        : `changeless -C ${path.join(repository.top, other)}   and the command`,
  };
}
