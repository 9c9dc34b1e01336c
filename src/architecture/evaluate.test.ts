import assert from 'node:assert/strict';
import { chmod, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { evaluateArchitecture } from './evaluate.ts';
import type { Evaluator } from './evaluation.ts';
import { processEvaluator } from './process-evaluator.ts';
import { temporaryFolder, testRepository, type TestRepository, type Tree } from './test-repository.ts';
import type { Problem } from '../problem.ts';

const small = "import { architecture } from 'changeless';\nexport default architecture({ name: 'small' });\n";

type Answer = Awaited<ReturnType<typeof evaluateArchitecture>>;

/** A repository whose commits are evaluated with one cache; counts how often the evaluator ran. */
async function testEvaluation() {
  const world = await testRepository();
  const cache = await temporaryFolder();
  let runs = 0;
  const counting: Evaluator = (program) => {
    runs += 1;
    return processEvaluator(program);
  };
  return {
    world,
    runs: () => runs,
    cacheFolder: cache.folder,
    evaluate: (folder = '', evaluator: Evaluator = counting): Promise<Answer> =>
      evaluateHead(world, { folder, evaluator, cacheFolder: cache.folder }),
    [Symbol.asyncDispose]: async () => {
      await cache[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
    },
  };
}

async function evaluateHead(
  { repository }: TestRepository,
  request: { folder: string; evaluator: Evaluator; cacheFolder: string },
): Promise<Answer> {
  const head = await repository.resolve('HEAD');
  assert(head.ok);
  return evaluateArchitecture({ ...request, repository, commit: head.value });
}

async function problemOf(tree: Tree, folder = ''): Promise<Problem> {
  await using evaluation = await testEvaluation();
  await evaluation.world.commit(tree);
  const answer = await evaluation.evaluate(folder);
  assert(!answer.ok, 'it was evaluated');
  return answer.problem;
}

const firstPlace = ({ findings }: Problem): string => {
  const place = findings?.[0]?.place;
  return `${place?.file}:${place?.line}:${place?.column} ${place?.text?.trim()}`;
};

test('an architecture is evaluated from the commit with what it imports, wherever its folder is', async () => {
  await using evaluation = await testEvaluation();
  const tree = {
    'demo/architecture.ts': `import { architecture } from 'changeless';\nimport { catalog } from './catalog/app.ts';\nimport extra from './extra.json' with { type: 'json' };\nexport default architecture({ name: extra.name, apps: { catalog } });\n`,
    'demo/catalog/app.ts': `import { app, service } from 'changeless';\nconsole.log('seen by nobody');\nexport const catalog = app({ services: { api: service({ build: 'catalog/api', port: 80 }) } });\n`,
    'demo/extra.json': '{ "name": "streaming" }',
    'demo/catalog/unused.ts': 'export const no: number = 1;',
  };
  await evaluation.world.commit(tree);
  await evaluation.world.write({ 'demo/architecture.ts': 'the working folder is not read' });
  const answer = await evaluation.evaluate('demo/');
  assert(answer.ok);
  assert.equal(answer.value.architecture.name, 'streaming');
  assert.deepEqual(
    answer.value.files.map((file) => file.path),
    ['demo/architecture.ts', 'demo/catalog/app.ts', 'demo/extra.json'],
  );
  assert.equal(answer.value.cached, false);
});

test('a later commit that leaves what was read as it was is answered without starting anything', async () => {
  await using evaluation = await testEvaluation();
  const tree = { 'architecture.ts': `import './b.ts';\n${small}`, 'b.ts': 'export {};' };
  await evaluation.world.commit(tree);
  const first = await evaluation.evaluate();
  await evaluation.world.commit({ 'api/server.js': 'changed', 'other.ts': 'export {};' });
  const second = await evaluation.evaluate();
  assert(first.ok && second.ok);
  assert.deepEqual({ ...second.value, cached: false }, first.value);
  assert.deepEqual([second.value.cached, evaluation.runs()], [true, 1]);
  await evaluation.world.commit({ 'b.ts': 'export {}; // other' });
  assert((await evaluation.evaluate()).ok);
  assert.equal(evaluation.runs(), 2);
  await evaluation.world.commit(tree);
  assert((await evaluation.evaluate()).ok);
  assert.equal(evaluation.runs(), 2, 'going back is cached too');
});

test('an evaluation that looked for a file in vain is done again when the file appears', async () => {
  await using evaluation = await testEvaluation();
  await evaluation.world.commit({
    'architecture.ts': "let name = 'without';\ntry { name = (await import('./name.ts')).name } catch {}\nexport default { name };\n",
  });
  const without = await evaluation.evaluate();
  await evaluation.world.commit({ 'name.ts': "export const name = 'with';" });
  const withFile = await evaluation.evaluate();
  assert(without.ok && withFile.ok);
  assert.deepEqual([without.value.architecture.name, withFile.value.architecture.name], ['without', 'with']);
});

test('a module that computes what it imports gets it', async () => {
  await using evaluation = await testEvaluation();
  await evaluation.world.commit({
    'architecture.ts':
      "const parts = await Promise.all(['x', 'y'].map((part) => import(`./parts/${part}.ts`)));\nexport default { name: parts.map((part) => part.name).join('-') };\n",
    'parts/x.ts': "export const name = 'x';",
    'parts/y.ts': "export const name = 'y';",
  });
  const answer = await evaluation.evaluate();
  assert(answer.ok);
  assert.equal(answer.value.architecture.name, 'x-y');
});

test('a cache that is damaged or cannot be written costs time, nothing else', async () => {
  await using evaluation = await testEvaluation();
  await evaluation.world.commit({ 'architecture.ts': small });
  assert((await evaluation.evaluate()).ok);
  const folder = path.join(evaluation.cacheFolder, 'evaluations');
  const [file = ''] = await readdir(folder);
  await writeFile(path.join(folder, file), '{"version":1,"vari');
  await chmod(folder, 0o500);
  const again = await evaluation.evaluate();
  await chmod(folder, 0o700);
  assert(again.ok && !again.value.cached);
});

test('two evaluations of one commit in different folders give the same value', async () => {
  await using first = await testEvaluation();
  await using second = await testEvaluation();
  const tree = {
    'architecture.ts':
      "export default { name: 'x', apps: { a: { services: { w: { build: 'w', port: 1, settings: { AT: import.meta.url, E: String(Object.keys(import.meta)) } } } } } };",
  };
  await first.world.commit(tree);
  await second.world.commit(tree);
  const [one, two] = await Promise.all([first.evaluate(), second.evaluate()]);
  assert(one.ok && two.ok);
  assert.deepEqual(one.value, two.value);
});

test('a commit without architecture.ts is told where there is one', async () => {
  const problem = await problemOf({ 'demo/architecture.ts': small });
  assert.equal(problem.code, 'NO_ARCHITECTURE');
  assert.match(problem.why ?? '', /it is in demo/);
  assert.match(problem.next ?? '', /changeless -C .*demo/);
  assert.match((await problemOf({ x: '' }, 'gone')).next ?? '', /changeless init/);
});

const broken: [name: string, tree: Tree, code: Problem['code'], place: string, what: RegExp][] = [
  [
    'a syntax error of TypeScript',
    { 'd/architecture.ts': 'const a = 1;\nexport default { a: = 2 };' },
    'ARCHITECTURE_SYNTAX',
    'd/architecture.ts:2:21 export default { a: = 2 };',
    /Expression expected|Unexpected token/,
  ],
  [
    'a syntax error of JavaScript',
    { 'd/architecture.ts': "import './b.js';\nexport default 1;", 'd/b.js': 'const a = 1;\nconst a = 2;' },
    'ARCHITECTURE_SYNTAX',
    'd/b.js:2:7 const a = 2;',
    /already been declared/,
  ],
  [
    'an enum',
    { 'd/architecture.ts': 'export default 1;\n  enum A { B }' },
    'ARCHITECTURE_SYNTAX',
    'd/architecture.ts:2:3 enum A { B }',
    /enum/,
  ],
  [
    'an import of a name that is not there',
    { 'd/architecture.ts': "import {\n  nope } from './b.ts';\nexport default nope;", 'd/b.ts': 'export {};' },
    'ARCHITECTURE_SYNTAX',
    "d/architecture.ts:2:3 nope } from './b.ts';",
    /nope/,
  ],
  [
    'JSON that is none',
    { 'd/architecture.ts': "import b from './b.json' with { type: 'json' };\nexport default b;", 'd/b.json': '{\n  oops\n}' },
    'ARCHITECTURE_SYNTAX',
    'd/b.json:2:3 oops',
    /JSON/,
  ],
  [
    'a throw',
    {
      'd/architecture.ts': "import { make } from './b.ts';\nexport default make();",
      'd/b.ts': "export const make = () => {\n  throw new Error('no such region');\n};",
    },
    'ARCHITECTURE_THREW',
    "d/b.ts:2:9 throw new Error('no such region');",
    /no such region/,
  ],
  [
    'a throw of what is no error',
    { 'd/architecture.ts': 'throw 5;' },
    'ARCHITECTURE_THREW',
    'd/architecture.ts:1:1 throw 5;',
    /it threw 5/,
  ],
  [
    'a wait that never ends',
    { 'd/architecture.ts': 'await new Promise(() => {});' },
    'ARCHITECTURE_THREW',
    'd/architecture.ts:1:1 await new Promise(() => {});',
    /never happens/,
  ],
  [
    'the clock',
    { 'd/architecture.ts': 'export default {\n  name: `x${Date.now()}` };' },
    'ARCHITECTURE_THREW',
    'd/architecture.ts:2:18 name: `x${Date.now()}` };',
    /the commit and nothing else: Date\.now is not offered/,
  ],
  [
    'an import of Node',
    { 'd/architecture.ts': "import fs from 'node:fs';\nexport default fs;" },
    'ARCHITECTURE_THREW',
    "d/architecture.ts:1:16 import fs from 'node:fs';",
    /only relative files and 'changeless'/,
  ],
  [
    'an import of a package',
    { 'd/architecture.ts': "import x from 'lodash';\nexport default x;" },
    'ARCHITECTURE_THREW',
    "d/architecture.ts:1:15 import x from 'lodash';",
    /lodash/,
  ],
  [
    'an import from above the folder',
    { 'd/architecture.ts': "import x from '../x.ts';\nexport default x;", 'x.ts': '' },
    'ARCHITECTURE_THREW',
    "d/architecture.ts:1:15 import x from '../x.ts';",
    /outside the architecture's folder/,
  ],
  [
    'an import of a file that is not committed',
    { 'd/architecture.ts': "import x from './gone.ts';\nexport default x;" },
    'ARCHITECTURE_THREW',
    "d/architecture.ts:1:15 import x from './gone.ts';",
    /the commit has no file gone\.ts/,
  ],
  [
    'an import without its ending',
    { 'd/architecture.ts': "import x from './x';\nexport default x;", 'd/x.ts': '' },
    'ARCHITECTURE_THREW',
    "d/architecture.ts:1:15 import x from './x';",
    /ending included/,
  ],
  [
    'no default export',
    { 'd/architecture.ts': 'export const a = 1;' },
    'ARCHITECTURE_INVALID',
    'd/architecture.ts:1:1 export const a = 1;',
    /expected a default export/,
  ],
];

for (const [name, tree, code, place, what] of broken) {
  test(`a failed evaluation names file, line and column: ${name}`, async () => {
    const problem = await problemOf(tree, 'd');
    assert.equal(problem.code, code);
    assert.equal(firstPlace(problem), place);
    assert.match(problem.findings?.[0]?.what ?? '', what);
    assert.match(problem.next ?? '', /commit, and run the command again/);
  });
}

test('several validation errors are told at once with file, line and key, also in an imported file', async () => {
  const problem = await problemOf({
    'architecture.ts':
      "import { architecture } from 'changeless';\nimport { catalog } from './catalog.ts';\nexport default architecture({\n  name: 'Shop',\n  apps: { catalog },\n} as never);",
    'catalog.ts':
      "import { app, service } from 'changeless';\nexport const catalog = app({ services: {\n  api: service({ build: 'api', port: 0 }),\n  web: service({ build: '../web', port: () => 1 } as never),\n} });",
  });
  assert.equal(problem.code, 'ARCHITECTURE_INVALID');
  const told = (problem.findings ?? []).map(({ place, key }) => `${place?.file}:${place?.line} ${key}`).toSorted();
  assert.deepEqual(told, [
    'architecture.ts:4 name',
    'catalog.ts:2 apps.catalog.services',
    'catalog.ts:3 apps.catalog.services.api.port',
    'catalog.ts:4 apps.catalog.services.web.build',
    'catalog.ts:4 apps.catalog.services.web.port',
  ]);
});

const refused = [
  'Date()',
  'new Date()',
  'Date.now()',
  'new (new Date(0).constructor)()',
  'Math.random()',
  'process.env',
  'process.env.HOME',
  'globalThis.process.env',
  'fetch("http://x")',
  'setTimeout(() => {}, 1)',
  'setInterval',
  'performance.now()',
  'crypto.randomUUID()',
  'new WebSocket("ws://x")',
  'navigator.hardwareConcurrency',
  'Intl.DateTimeFormat()',
  '"a".localeCompare("b")',
  '(1).toLocaleString()',
  'new Date(0).toLocaleDateString()',
  'eval("1")',
  'new Function("return 1")()',
  'new WeakRef({}).deref()',
  'Buffer.allocUnsafe(8)',
  'require("fs")',
  'await import("node:fs")',
  'await import("fs")',
  'await import("file:///etc/hosts")',
  'await import("https://x/y.js")',
  'await import("data:text/javascript,1")',
  'await import("changeless/x")',
].filter((expression) => expression !== 'setInterval');

test('evaluation sees neither clock nor chance, environment, network, timers nor files', async () => {
  const attempts = refused.map(
    (expression) =>
      `try { got[${JSON.stringify(expression)}] = ['gave', typeof (${expression})] } catch (error) { got[${JSON.stringify(expression)}] = error.message }`,
  );
  const answer = await processEvaluator({
    entry: 'a.js',
    files: [{ path: 'a.js', contents: `const got = {};\n${attempts.join('\n')}\nexport default got;` }],
  });
  assert(answer.ok && answer.value.ok);
  const got = answer.value.value as Record<string, unknown>;
  for (const expression of refused) assert.match(String(got[expression]), /is not offered|refused|not defined|disallowed/, expression);
});

test('what only computes works, and prints nothing into the answer', async () => {
  const contents =
    "console.log('x'); console.error({ y: 1 }); console.table([1]);\nexport default [new Date(0).toISOString(), new Date('2026-01-02').getFullYear(), new URL('http://a/b').host, structuredClone({ a: 1 }), btoa('a'), [2, 1].sort(), Math.max(1, 2)];";
  const answer = await processEvaluator({ entry: 'a.mts', files: [{ path: 'a.mts', contents }] });
  assert(answer.ok && answer.value.ok);
  assert.deepEqual(answer.value.value, ['1970-01-01T00:00:00.000Z', 2026, 'a', { a: 1 }, 'YQ==', [1, 2], 2]);
});

test('what is no data arrives as what it was', async () => {
  const contents =
    'const o = {}; o.self = o;\nexport default { f: () => 1, n: NaN, d: new Date(0), m: new Map(), p: Promise.resolve(), s: Symbol(), b: 1n, o, u: undefined, l: [undefined] };';
  const answer = await processEvaluator({ entry: 'a.js', files: [{ path: 'a.js', contents }] });
  assert(answer.ok && answer.value.ok);
  const kinds = Object.entries(answer.value.value as object).map(
    ([key, value]) => `${key} ${JSON.stringify(value).replaceAll(/.*not-json":"|"}+\]?$/g, '')}`,
  );
  assert.deepEqual(kinds, [
    'f a function',
    'n NaN',
    'd a Date',
    'm a Map',
    'p a Promise',
    's a symbol',
    'b a bigint',
    'o a reference to an object that holds it',
    'l undefined',
  ]);
});
