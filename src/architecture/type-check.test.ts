import assert from 'node:assert/strict';
import test from 'node:test';
import { temporaryFolder } from './test-repository.ts';
import { checkTypes } from './type-check.ts';

const good =
  "import { app, architecture, service } from 'changeless';\nimport { port } from './port.ts';\nimport j from './j.json' with { type: 'json' };\nconsole.log(new URL('http://x').host);\nexport default architecture({ name: j.name, apps: { a: app({ services: { w: service({ build: 'w', port, limits: { memory: '256m' }, health: 'tcp' }) } }) } });\n";
const files = (architecture: string) => [
  { path: 'demo/architecture.ts', contents: architecture },
  { path: 'demo/port.ts', contents: 'export const port: number = 80;\n' },
  { path: 'demo/j.json', contents: '{ "name": "x" }' },
];

test('types that fit pass, and are not looked at again', async () => {
  await using cache = await temporaryFolder();
  const first = await checkTypes(files(good), { cacheFolder: cache.folder });
  const second = await checkTypes(files(good), { cacheFolder: cache.folder });
  assert(first.ok && second.ok, JSON.stringify(first));
  assert.deepEqual([first.value.cached, second.value.cached], [false, true]);
});

test('every type error is told with file, line, column and text, and told again the next time', async () => {
  await using cache = await temporaryFolder();
  const bad = files(good.replace("build: 'w'", 'build: 7').replace("'http://x'", 'process.env.X'));
  for (const _ of [1, 2]) {
    const checked = await checkTypes(bad, { cacheFolder: cache.folder });
    assert(!checked.ok);
    assert.equal(checked.problem.code, 'ARCHITECTURE_TYPES');
    const told = (checked.problem.findings ?? []).map(
      ({ place, what }) => `${place?.file}:${place?.line}:${place?.column} ${/TS\d+/.exec(what)?.[0]}`,
    );
    assert.deepEqual(told, ['demo/architecture.ts:4:21 TS2591', 'demo/architecture.ts:5:87 TS2322']);
    assert.match(checked.problem.findings?.[1]?.place?.text ?? '', /build: 7/);
  }
});

test('an unknown key is a type error where it is written', async () => {
  await using cache = await temporaryFolder();
  const checked = await checkTypes(files(good.replace("health: 'tcp'", "helth: 'tcp'")), { cacheFolder: cache.folder });
  assert(!checked.ok);
  assert.match(checked.problem.findings?.[0]?.what ?? '', /helth.*did you mean.*health/is);
});
