import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import type { KeyPath } from './key-path.ts';
import { keyLocator } from './locate.ts';

// The place of «…» is where the key must be found.
function marked(files: Record<string, string>): { files: Map<string, string>; place: string } {
  let place = '';
  const clean = Object.entries(files).map(([file, text]): [string, string] => {
    const lines = text.split('\n');
    const line = lines.findIndex((candidate) => candidate.includes('«'));
    if (line >= 0) place = `${file}:${line + 1}:${(lines[line] ?? '').indexOf('«') + 1}`;
    return [file, text.replaceAll(/[«»]/g, '')];
  });
  return { files: new Map(clean), place };
}

const builders = "import { app, architecture, service } from 'changeless';\n";

const cases: [name: string, files: Record<string, string>, path: KeyPath, at?: 'key'][] = [
  ['in a plain object', { 'a.ts': 'export default {\n  name: «"x"» };' }, ['name']],
  ['its key', { 'a.ts': 'export default {\n  «name»: "x" };' }, ['name'], 'key'],
  [
    'through builder calls',
    { 'a.ts': `${builders}export default architecture({ apps: { a: app({ services: {\n w: service({ port: «1» }) } }) } });` },
    ['apps', 'a', 'services', 'w', 'port'],
  ],
  [
    'through the package as a namespace',
    { 'a.ts': "import * as c from 'changeless';\nexport default c.architecture({ name: «1» });" },
    ['name'],
  ],
  ['in a list', { 'a.ts': 'export default { hosts: ["x",\n «"y"»] };' }, ['hosts', 1]],
  ['in a constant', { 'a.ts': 'const w: { port: number } = { port: «1» };\nexport default { w };' }, ['w', 'port']],
  ['in a constant exported as default by name', { 'a.ts': 'const whole = { name: «1» };\nexport { whole as default };' }, ['name']],
  [
    'in another file',
    { 'a.ts': "import { w } from './b/w.ts';\nexport default { w };", 'b/w.ts': 'export const w = { port: «1» };' },
    ['w', 'port'],
  ],
  [
    "in another file's default export",
    { 'a.ts': "import w from './w.ts';\nexport default { x: w };", 'w.ts': 'export default { port: «1» };' },
    ['x', 'port'],
  ],
  [
    're-exported under another name',
    {
      'a.ts': "import { x } from './b.ts';\nexport default { x };",
      'b.ts': "export { w as x } from './c.ts';",
      'c.ts': 'const w = { port: «1» };\nexport { w };',
    },
    ['x', 'port'],
  ],
  ['in a namespace import, by member', { 'a.ts': 'const all = { w: { port: «1» } };\nexport default { x: all.w };' }, ['x', 'port']],
  ['in a spread', { 'a.ts': 'const base = { port: «1» };\nexport default { w: { ...base, build: "x" } };' }, ['w', 'port']],
  [
    'where a later key overrides a spread',
    { 'a.ts': 'const base = { port: 1 };\nexport default { w: { ...base, port: «2» } };' },
    ['w', 'port'],
  ],
  ['with a quoted key', { 'a.ts': 'export default { files: { "/etc/x": «1» } };' }, ['files', '/etc/x']],
  ['behind satisfies and as const', { 'a.ts': 'export default ({ port: «1» } as const) satisfies object;' }, ['port']],
  [
    'in JSON',
    { 'a.ts': "import w from './w.json' with { type: 'json' };\nexport default { w };", 'w.json': '{ "port": «1» }' },
    ['w', 'port'],
  ],
  [
    'in JSON of several lines',
    { 'a.ts': "import w from './w.json' with { type: 'json' };\nexport default { w };", 'w.json': '{\n  "port": «1»\n}' },
    ['w', 'port'],
  ],
  ['missing, at what should have it', { 'a.ts': `${builders}export default { apps: «{ a: 1 }» };` }, ['apps', 'b', 'c']],
  [
    'computed by a helper, at the call',
    { 'a.ts': 'const make = (x: object) => x;\nexport default { w: «make({ port: 1 })» };' },
    ['w', 'port'],
  ],
  ['mapped, at the map', { 'a.ts': 'export default { apps: «Object.fromEntries([])» };' }, ['apps', 'a']],
  [
    'in a circle, at its beginning',
    { 'a.ts': 'const a: object = { ...b };\nconst b: object = { ...a };\nexport default { x: «a» };' },
    ['x', 'port'],
  ],
];

for (const [name, sources, path, at] of cases) {
  test(`a key is found ${name}`, () => {
    const { files, place } = marked(sources);
    const found = keyLocator(files, 'a.ts')(path, at ?? 'value');
    assert.equal(`${found?.file}:${found?.line}:${found?.column}`, place);
    assert.equal(found?.text, files.get(found?.file ?? '')?.split('\n')[(found?.line ?? 0) - 1]);
  });
}

test('a file without default export is named as a whole, one that cannot be parsed not at all', () => {
  const locate = (text: string) => keyLocator(new Map([['a.ts', text]]), 'a.ts')(['x'], 'value');
  assert.equal(locate('export const a = 1;')?.line, 1);
  assert.equal(locate('export default {'), undefined);
  assert.equal(keyLocator(new Map(), 'a.ts')(['x'], 'value'), undefined);
});

test('looking for any key in any text never throws', () => {
  const word = fc.constantFrom(
    'export default ',
    'const a = ',
    'import a from "./a.ts";',
    '{',
    '}',
    '...a',
    'a',
    ':',
    ',',
    '[',
    ']',
    '(',
    ')',
    'a.a',
    'app(',
    '\n',
    ';',
    '1',
    'export { a }',
  );
  const text = fc.oneof(
    fc.array(word, { maxLength: 20 }).map((words) => words.join(' ')),
    fc.string(),
  );
  const path = fc.array(fc.oneof(fc.constantFrom('a', 'constructor', '__proto__'), fc.nat(3)), { maxLength: 4 });
  fc.assert(
    fc.property(text, path, (source, keys) => void keyLocator(new Map([['a.ts', source]]), 'a.ts')(keys, 'value')),
    { numRuns: 500 },
  );
});
