import type { Expression, Node, ObjectExpression, Program, Property, SpreadElement } from 'acorn';
import path from 'node:path';
import type { KeyPath } from './key-path.ts';
import { parseModule, sourcePlace } from './parse-module.ts';
import type { KeyLocator } from './validate.ts';

/** Path → contents of the evaluated files, as problems name them. */
export type SourceFiles = ReadonlyMap<string, string>;

type Module = { file: string; contents: string; program: Program };
/** A part of the syntax and the module it is in. */
type Spot = { module: Module; node: Node };
type Found = { value: Spot; key?: Spot };

// Enough for any chain a person writes; it ends circular ones (`const a = b; const b = a`).
const LONGEST_CHAIN = 40;

/**
 * Finds keys of the exported architecture in the source: through builder calls, spreads, constants of the module and
 * those imported from other files. What is computed (a helper's result, a map) is placed at the nearest part above it
 * that is written down. Never throws; undefined only when the entry cannot be parsed.
 */
export function keyLocator(files: SourceFiles, entry: string): KeyLocator {
  const modules = new Map<string, Module | undefined>();
  const load = (file: string): Module | undefined => {
    if (!modules.has(file)) modules.set(file, loadModule(files, file));
    return modules.get(file);
  };
  return (keyPath, at) => {
    const module = load(entry);
    const root = module && exported(module, 'default', { load, left: LONGEST_CHAIN });
    const found = root && descend({ value: root }, keyPath, load);
    if (found === undefined) return module && sourcePlace(entry, module.contents, { line: 1, column: 1 });
    return placeOf(at === 'key' && found.whole ? (found.key ?? found.value) : found.value);
  };
}

function loadModule(files: SourceFiles, file: string): Module | undefined {
  const contents = files.get(file);
  if (contents === undefined) return undefined;
  // JSON is an expression of JavaScript.
  const parsed = parseModule(file, file.endsWith('.json') ? `export default ${contents}` : contents);
  return parsed.ok ? { file, contents, program: parsed.program } : undefined;
}

function placeOf({ module, node }: Spot) {
  const start = node.loc?.start ?? { line: 1, column: 0 };
  const shifted = module.file.endsWith('.json') && start.line === 1 ? 'export default '.length : 0;
  return sourcePlace(module.file, module.contents, { line: start.line, column: Math.max(0, start.column - shifted) + 1 });
}

type Search = { load: (file: string) => Module | undefined; left: number };

function descend(from: Found, keyPath: KeyPath, load: Search['load']): Found & { whole: boolean } {
  let here = from;
  for (const part of keyPath) {
    const below = step(here.value, part, { load, left: LONGEST_CHAIN });
    if (below === undefined) return { ...here, whole: false };
    here = below;
  }
  return { ...here, whole: true };
}

/** From a value to one of its members. */
function step(spot: Spot, part: string | number, search: Search): Found | undefined {
  const written = follow(spot, search);
  if (written === undefined) return undefined;
  const { module, node } = written;
  if (isA(node, 'ArrayExpression')) {
    const before = node.elements.slice(0, Number(part) + 1);
    const element = before.some((item) => item?.type === 'SpreadElement') ? undefined : node.elements[Number(part)];
    return element ? { value: { module, node: element } } : undefined;
  }
  return isA(node, 'ObjectExpression') ? memberOf(module, node, { ...search, part: String(part) }) : undefined;
}

// The last one wins, as it does when the object is made.
function memberOf(module: Module, object: ObjectExpression, search: Search & { part: string }): Found | undefined {
  if (search.left <= 0) return undefined;
  for (const property of object.properties.toReversed()) {
    const found = property.type === 'Property' ? ownMember(module, property, search.part) : spreadMember(module, property, search);
    if (found !== undefined) return found;
  }
  return undefined;
}

function ownMember(module: Module, property: Property, part: string): Found | undefined {
  if (propertyName(property) !== part) return undefined;
  return { value: { module, node: property.value }, key: { module, node: property.key } };
}

const spreadMember = (module: Module, spread: SpreadElement, search: Search & { part: string }): Found | undefined =>
  step({ module, node: spread.argument }, search.part, { load: search.load, left: search.left - 1 });

function propertyName(property: Property): string | undefined {
  if (!property.computed && property.key.type === 'Identifier') return property.key.name;
  return property.key.type === 'Literal' ? String(property.key.value) : undefined;
}

/** To the object or list that an expression stands for, as far as it is written down. */
function follow(spot: Spot, { load, left }: Search): Spot | undefined {
  if (left <= 0) return undefined;
  const search = { load, left: left - 1 };
  const { module, node } = spot;
  if (isA(node, 'CallExpression')) {
    const [argument] = node.arguments;
    return argument && isBuilder(module, node.callee) ? follow({ module, node: argument }, search) : undefined;
  }
  if (isA(node, 'Identifier')) return followed(declaration(module, node.name, search), search);
  if (isA(node, 'MemberExpression')) return followed(memberValue(module, node, search), search);
  return spot;
}

const followed = (spot: Spot | undefined, search: Search): Spot | undefined => spot && follow(spot, search);

function memberValue(module: Module, node: Node & { type: 'MemberExpression' }, search: Search): Spot | undefined {
  const { object, property, computed } = node as Extract<Expression, { type: 'MemberExpression' }>;
  const part = !computed && property.type === 'Identifier' ? property.name : property.type === 'Literal' ? property.value : undefined;
  return typeof part === 'string' || typeof part === 'number' ? step({ module, node: object }, part, search)?.value : undefined;
}

// A helper of the user's own may do anything with its argument; only the package's functions give it back.
function isBuilder(module: Module, callee: Node): boolean {
  if (isA(callee, 'MemberExpression')) return isBuilder(module, callee.object);
  if (!isA(callee, 'Identifier')) return false;
  return imports(module).some(({ source, local }) => source === 'changeless' && local === callee.name);
}

/** What a name stands for at the top of a module. */
function declaration(module: Module, name: string, search: Search): Spot | undefined {
  for (const statement of module.program.body) {
    const declared = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
    if (declared?.type !== 'VariableDeclaration' || declared.kind !== 'const') continue;
    const found = declared.declarations.find(({ id }) => id.type === 'Identifier' && id.name === name);
    if (found?.init) return { module, node: found.init };
  }
  const imported = imports(module).find(({ local }) => local === name);
  return imported && fromModule(module, imported, search);
}

function fromModule(module: Module, from: { source: string; name: string }, search: Search): Spot | undefined {
  if (!from.source.startsWith('.') || search.left <= 0) return undefined;
  const target = search.load(path.posix.join(path.posix.dirname(module.file), from.source));
  return target && exported(target, from.name, { ...search, left: search.left - 1 });
}

function exported(module: Module, name: string, search: Search): Spot | undefined {
  for (const statement of module.program.body) {
    if (statement.type === 'ExportDefaultDeclaration' && name === 'default') return { module, node: statement.declaration };
    if (statement.type !== 'ExportNamedDeclaration') continue;
    const specifier = statement.specifiers.find((item) => moduleName(item.exported) === name);
    if (specifier === undefined) continue;
    const local = moduleName(specifier.local);
    return statement.source
      ? fromModule(module, { source: String(statement.source.value), name: local }, search)
      : declaration(module, local, search);
  }
  return name === 'default' ? undefined : declaration(module, name, search);
}

function imports(module: Module): { source: string; local: string; name: string }[] {
  return module.program.body.flatMap((statement) => {
    if (statement.type !== 'ImportDeclaration') return [];
    const source = String(statement.source.value);
    return statement.specifiers.map((item) => ({
      source,
      local: item.local.name,
      name: item.type === 'ImportSpecifier' ? moduleName(item.imported) : 'default',
    }));
  });
}

const moduleName = (node: { type: 'Identifier'; name: string } | { type: 'Literal'; value?: unknown }): string =>
  node.type === 'Identifier' ? node.name : String(node.value);

const isA = <Type extends Expression['type']>(node: Node, type: Type): node is Extract<Expression, { type: Type }> => node.type === type;
