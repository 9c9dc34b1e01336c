import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Every TypeScript file of a tree, as `folder/file.ts`, and the files of the tree it imports, types included. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>;

const STATEMENT = /^[ \t]*(?:import|export)\b[^;'"`]*?\bfrom\s*['"](\.[^'"]+)['"]|^[ \t]*import\s*['"](\.[^'"]+)['"]/gm;
const DYNAMIC = /\bimport\(\s*['"](\.[^'"]+)['"]\s*\)/g;

/** Reads the whole tree below `root`. Imports that lead out of it, or to packages, are left out. */
export function readImportGraph(root: string): ImportGraph {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  return new Map(files.toSorted().map((file) => [file, importsOf(root, file)]));
}

/** A shortest chain of imports from a file back to itself, or undefined where there is none. */
export function findCycle(graph: ImportGraph): readonly string[] | undefined {
  for (const start of graph.keys()) {
    const chain = shortestChain(graph, start, (file) => file === start);
    if (chain) return chain;
  }
  return undefined;
}

/** The shortest chain of at least one import from `start` to a file that `isGoal`, both ends included. */
export function shortestChain(graph: ImportGraph, start: string, isGoal: (file: string) => boolean): readonly string[] | undefined {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (const file of queue) {
    for (const next of graph.get(file) ?? []) {
      if (isGoal(next)) return [...chainTo(cameFrom, { start, file }), next];
      if (next === start || cameFrom.has(next)) continue;
      cameFrom.set(next, file);
      queue.push(next);
    }
  }
  return undefined;
}

function chainTo(cameFrom: ReadonlyMap<string, string>, { start, file }: { start: string; file: string }): string[] {
  const chain = [file];
  for (let at = file; at !== start;) {
    at = cameFrom.get(at) ?? start;
    chain.unshift(at);
  }
  return chain;
}

function importsOf(root: string, file: string): readonly string[] {
  const text = readFileSync(path.join(root, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\//g, '');
  const statements = [...text.matchAll(STATEMENT)].map((match) => match[1] ?? match[2]);
  const dynamic = [...text.matchAll(DYNAMIC)].map((match) => match[1]);
  const targets = [...statements, ...dynamic].filter((target) => target !== undefined);
  const inside = targets.map((target) => path.posix.join(path.posix.dirname(file), target)).filter((target) => !target.startsWith('..'));
  return [...new Set(inside)];
}
