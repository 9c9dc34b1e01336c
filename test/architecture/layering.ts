import { findCycle, shortestChain, type ImportGraph } from './import-graph.ts';
import { allowedImports, enclosed } from './layers.ts';

/** Everything in a tree that breaks the layering, one line each, with the chain of imports that shows it. */
export function layeringProblems(graph: ImportGraph): readonly string[] {
  const files = [...graph.keys()];
  const barrels = files.filter((file) => /(^|\/)index\.ts$/.test(file)).map((file) => `${file} is a barrel; import from the file itself`);
  const cycle = findCycle(graph);
  const cycles = cycle ? [`import cycle: ${cycle.join(' -> ')}`] : [];
  const upward = files.filter((file) => !isTest(file)).flatMap((file) => importProblems(graph, file));
  return [...barrels, ...cycles, ...upward];
}

function importProblems(graph: ImportGraph, file: string): readonly string[] {
  const problems = (graph.get(file) ?? []).map((target) => importProblem(file, target)).filter((problem) => problem !== undefined);
  return problems.map((problem) => `${problem}\n    ${chainFromEntry(graph, file)}`);
}

function importProblem(file: string, target: string): string | undefined {
  const [from, to] = [folderOf(file), folderOf(target)];
  if (isTest(target)) return `${file} -> ${target}: a test is imported`;
  const inner = Object.keys(enclosed).find((folder) => target.startsWith(`${folder}/`) && !file.startsWith(`${folder}/`));
  if (inner && !enclosed[inner]?.includes(from))
    return `${file} -> ${target}: only ${enclosed[inner]?.join(' and ')} may reach into ${inner}/`;
  if (to === '' || from === to) return undefined;
  if (from === '') return `${file} -> ${target}: the foundation imports no folder`;
  const allowed = allowedImports[from];
  if (!allowed) return `${file} -> ${target}: ${from}/ is missing in test/architecture/layers.ts`;
  if (allowed.includes(to)) return undefined;
  return `${file} -> ${target}: ${from}/ may import ${allowed.length === 0 ? 'only the foundation' : allowed.join(', ')}`;
}

// How the offending file is reached from the command line, so that the reader sees what drags the import in.
function chainFromEntry(graph: ImportGraph, file: string): string {
  const entry = 'cli/main.ts';
  const chain = file === entry ? [entry] : shortestChain(graph, entry, (at) => at === file);
  return chain ? `reached by ${chain.join(' -> ')}` : 'not reached from cli/main.ts';
}

function folderOf(file: string): string {
  return file.includes('/') ? file.slice(0, file.indexOf('/')) : '';
}

function isTest(file: string): boolean {
  return file.endsWith('.test.ts');
}
