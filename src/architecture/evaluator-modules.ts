import { readFileSync } from 'node:fs';
import {
  registerHooks,
  stripTypeScriptTypes,
  type LoadFnOutput,
  type LoadHookContext,
  type ResolveFnOutput,
  type ResolveHookContext,
} from 'node:module';
import path from 'node:path';
import * as authoring from './authoring.ts';
import type { EvaluationPlace } from './evaluation.ts';

/** Something that evaluation does not offer was used. */
export class Refusal extends Error {
  readonly place: EvaluationPlace | undefined;

  constructor(message: string, place?: EvaluationPlace) {
    super(message);
    this.place = place;
  }
}

const SCHEME = 'architecture:///';
const AUTHORING = 'changeless:authoring';

/** The address a module of the commit is loaded by: the machine's own path of it is nobody's business, `import.meta` included. */
export const moduleUrl = (file: string): string => SCHEME + file.split('/').map(encodeURIComponent).join('/');

const fileOf = (url: string): string => decodeURIComponent(url.slice(SCHEME.length));

/** What was loaded, and how errors of it read. */
export type LoadedModules = {
  loaded: ReadonlySet<string>;
  missing: ReadonlySet<string>;
  /** The first place in a module of the commit that a stack trace names. */
  placeIn(stack: string): EvaluationPlace | undefined;
  /** A module that cannot be parsed or linked, in contrast to a SyntaxError that its code throws. */
  isSyntaxError(error: unknown): boolean;
  /** A message without the addresses modules are loaded by. */
  readable(message: string): string;
};

/** From here on, modules of the folder and the package `changeless` can be imported by them, and nothing else. */
export function installModuleHooks(folder: string): LoadedModules {
  const loaded = new Set<string>();
  const missing = new Set<string>();
  let unparsable: string | undefined;
  registerHooks({
    resolve: (specifier, context, next) =>
      isOurs(specifier, context) ? resolveModule(specifier, context, folder) : next(specifier, context),
    load: (url, context, next) => {
      if (url === AUTHORING) return { format: 'module', source: authoringSource(), shortCircuit: true };
      if (!url.startsWith(SCHEME)) return next(url, context);
      const file = fileOf(url);
      unparsable = file;
      const module = loadModule({ folder, file, missing, loaded }, context);
      unparsable = undefined;
      return module;
    },
  });
  return {
    loaded,
    missing,
    placeIn: (stack) => stackPlace(stack) ?? (unparsable === undefined ? undefined : { file: unparsable }),
    isSyntaxError: (error) =>
      error instanceof SyntaxError && (unparsable !== undefined || !/^\s+at .*architecture:\/\//m.test(error.stack ?? '')),
    readable: (message) => message.replaceAll(SCHEME, ''),
  };
}

function isOurs(specifier: string, context: ResolveHookContext): boolean {
  return specifier.startsWith(SCHEME) || (context.parentURL ?? '').startsWith(SCHEME);
}

function resolveModule(specifier: string, context: ResolveHookContext, folder: string): ResolveFnOutput {
  if (specifier === 'changeless') return { url: AUTHORING, format: 'module', shortCircuit: true };
  if (specifier.startsWith(SCHEME)) return { url: specifier, format: formatOf(fileOf(specifier)), shortCircuit: true };
  const parent = fileOf(context.parentURL ?? SCHEME);
  const refuse = (why: string): never => {
    throw new Refusal(`import of '${specifier}' refused: ${why}`, importPlace(folder, parent, specifier));
  };
  if (!/^\.\.?\//.test(specifier))
    return refuse("evaluation sees the commit and nothing else; only relative files and 'changeless' can be imported");
  const file = path.posix.join(path.posix.dirname(parent), specifier);
  if (file.startsWith('../')) return refuse("it lies outside the architecture's folder");
  if (!/\.(m?[jt]s|json)$/.test(file)) return refuse('an import names a .ts, .mts, .js, .mjs or .json file, ending included');
  return { url: moduleUrl(file), format: formatOf(file), shortCircuit: true };
}

const formatOf = (file: string): string => (file.endsWith('.json') ? 'json' : 'module');

type Loading = { folder: string; file: string; missing: Set<string>; loaded: Set<string> };

function loadModule({ folder, file, missing, loaded }: Loading, context: LoadHookContext): LoadFnOutput {
  const contents = readModule(folder, file);
  if (contents === undefined) {
    missing.add(file);
    throw new Refusal(`the commit has no file ${file}`, importerPlace(folder, file, loaded));
  }
  loaded.add(file);
  const source = /\.m?ts$/.test(file) ? stripTypeScriptTypes(contents) : contents;
  return { format: context.format ?? formatOf(file), source, shortCircuit: true };
}

function readModule(folder: string, file: string): string | undefined {
  try {
    return readFileSync(path.join(folder, file), 'utf8');
  } catch {
    return undefined;
  }
}

// One module that gives on what this program itself was built with, so that nothing else need be installed where it runs.
function authoringSource(): string {
  const key = 'changeless.authoring';
  Object.defineProperty(globalThis, Symbol.for(key), { value: authoring, configurable: true });
  const names = Object.keys(authoring);
  return `const authoring = globalThis[Symbol.for('${key}')];\n${names.map((name) => `export const ${name} = authoring.${name};`).join('\n')}`;
}

// A missing file is noticed when it is loaded, and then who asked for it is not told: the first that names it did.
function importerPlace(folder: string, file: string, loaded: ReadonlySet<string>): EvaluationPlace | undefined {
  for (const importer of loaded) {
    const relative = path.posix.relative(path.posix.dirname(importer), file);
    const place = importPlace(folder, importer, relative.startsWith('.') ? relative : `./${relative}`);
    if (place?.line !== undefined) return place;
  }
  return undefined;
}

function importPlace(folder: string, file: string, specifier: string): EvaluationPlace {
  const lines = (readModule(folder, file) ?? '').split('\n');
  for (const [index, text] of lines.entries()) {
    const found = [`'${specifier}'`, `"${specifier}"`].map((quoted) => text.indexOf(quoted)).find((column) => column >= 0);
    if (found !== undefined && !text.trimStart().startsWith('//')) return { file, line: index + 1, column: found + 1 };
  }
  return { file };
}

// `at name (architecture:///a.ts:3:5)`, or `architecture:///a.ts:3` alone above a module that could not be linked.
function stackPlace(stack: string): EvaluationPlace | undefined {
  const frame = /architecture:\/\/\/([^\s:()]+):(\d+):(\d+)/.exec(stack);
  if (frame !== null) return { file: decodeURIComponent(frame[1] ?? ''), line: Number(frame[2]), column: Number(frame[3]) };
  const head = /^architecture:\/\/\/([^\s:()]+):(\d+)\n.*\n(\s*)\^/.exec(stack);
  return head === null ? undefined : { file: decodeURIComponent(head[1] ?? ''), line: Number(head[2]), column: (head[3] ?? '').length + 1 };
}
