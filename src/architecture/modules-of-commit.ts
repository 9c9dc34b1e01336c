import path from 'node:path';
import type { EvaluationFile } from './evaluation.ts';
import type { Repository } from './repository.ts';

/** A module as the commit has it. */
export type CommittedModule = EvaluationFile & { object: string };

/** More than this is not an architecture; what goes to the evaluator is bounded. */
export const modulesLimitBytes = 16 * 1024 * 1024;

export const isModule = (file: string): boolean => /\.(m?[jt]s|json)$/.test(file);

/**
 * The modules an evaluation can ask for: those that are named, directly or over others, by the entry. Names are taken from
 * the text, too many rather than too few; as soon as one computes what it imports, all modules of the folder are sent.
 * `tree` is the architecture's folder.
 */
export async function modulesOfCommit(repository: Repository, tree: string, entry: string): Promise<CommittedModule[]> {
  const modules = new Map<string, CommittedModule>();
  const tried = new Set<string>();
  for (let wanted = [entry]; wanted.length > 0;) {
    for (const file of wanted) tried.add(file);
    const found = await Promise.all(wanted.map((file) => readModule(repository, tree, file)));
    const added = found.filter((module) => module !== undefined);
    for (const module of added) modules.set(module.path, module);
    if (totalBytes(modules.values()) > modulesLimitBytes) break;
    if (added.some(({ contents }) => computesImports(contents))) return allModules(repository, tree);
    wanted = [...new Set(added.flatMap(importedFiles))].filter((file) => !tried.has(file));
  }
  return [...modules.values()];
}

export const totalBytes = (modules: Iterable<CommittedModule>): number =>
  [...modules].reduce((sum, { contents }) => sum + contents.length, 0);

async function readModule(repository: Repository, tree: string, file: string): Promise<CommittedModule | undefined> {
  const found = await repository.find(tree, file);
  if (found?.kind !== 'blob') return undefined;
  return { path: file, object: found.object, contents: Buffer.from(await repository.read(found.object)).toString('utf8') };
}

async function allModules(repository: Repository, tree: string): Promise<CommittedModule[]> {
  const entries = await repository.list(tree, { recursive: true });
  const files = entries.filter(({ path: file, kind, mode }) => kind === 'blob' && mode !== '120000' && isModule(file));
  const modules: CommittedModule[] = [];
  let bytes = 0;
  for (const { path: file, object } of files) {
    const contents = Buffer.from(await repository.read(object)).toString('utf8');
    modules.push({ path: file, object, contents });
    bytes += contents.length;
    if (bytes > modulesLimitBytes) break;
  }
  return modules;
}

// `import(` that is not followed by one plain string.
const computesImports = (contents: string): boolean => /\bimport\s*\((?!\s*(['"])[^'"\n]*\1\s*[,)])/.test(contents);

function importedFiles({ path: importer, contents }: CommittedModule): string[] {
  const specifiers = [...contents.matchAll(/(['"])(\.\.?\/[^'"\n]+)\1/g)].map((match) => match[2] ?? '');
  const files = specifiers.map((specifier) => path.posix.join(path.posix.dirname(importer), specifier));
  return files.filter((file) => isModule(file) && !file.startsWith('../'));
}
