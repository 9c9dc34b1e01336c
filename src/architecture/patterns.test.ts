import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import * as fc from 'fast-check';
import { fitsPattern, isBranchPattern, isPathPattern } from './patterns.ts';

const cases: [pattern: string, fits: string[], others: string[]][] = [
  ['main', ['main'], ['Main', 'main2', 'x/main', 'main/x', '']],
  ['release/*', ['release/1', 'release/.x'], ['release', 'release/1/2', 'releases/1']],
  ['release/**', ['release/1', 'release/1/2'], ['release', 'releases/1']],
  ['**', ['main', 'a/b/c'], []],
  ['*', ['main'], ['a/b']],
  ['**/*.md', ['a.md', 'docs/a.md', 'docs/x/.md'], ['a.mdx', 'a.md/b']],
  ['catalog/**/test', ['catalog/test', 'catalog/a/test', 'catalog/a/b/test'], ['catalog/testx', 'test', 'catalog/test/a']],
  ['a*b*c', ['abc', 'a1b2c', 'abbcc'], ['ab', 'acb', 'abcx']],
  ['a*a', ['aa', 'aba'], ['a']],
  ['a.b', ['a.b'], ['axb']],
];

for (const [pattern, fits, others] of cases) {
  test(`${pattern} fits ${fits.join(', ')}, and not ${others.join(', ')}`, () => {
    for (const name of fits) assert.equal(fitsPattern(name, pattern), true, name);
    for (const name of others) assert.equal(fitsPattern(name, pattern), false, name);
  });
}

test('what branches and paths may be called is told from what they may not', () => {
  const bad = ['', '/', '/a', 'a/', 'a//b', 'a***', 'x**', 'a\u0007'];
  for (const pattern of [...bad, 'a b', 'a~1', 'a^', 'a:b', 'a?', 'a[b]', 'a..b', '@', 'a@{1}', '-a', '.a', 'a/.b', 'a.lock', 'a.', 'a\\b'])
    assert.equal(isBranchPattern(pattern), false, pattern);
  for (const pattern of [...bad, '.', 'a/../b', './a', 'a\\b']) assert.equal(isPathPattern(pattern), false, pattern);
  for (const pattern of ['main', 'feature/*', '**/hotfix-*', 'ü', '$(id)']) assert.equal(isBranchPattern(pattern), true, pattern);
  for (const pattern of ['a b', '.github/**', '**/*.ts', 'a?[x]']) assert.equal(isPathPattern(pattern), true, pattern);
});

const segment = fc.string({ unit: fc.constantFrom('a', 'b', '.', '-'), minLength: 1, maxLength: 4 }).filter((text) => !/^\.+$/.test(text));

test('a pattern fits what a shell would say it fits', () => {
  const part = fc.oneof(segment, fc.constantFrom('*', '**', 'a*', '*b', 'a*b*'));
  const names = fc.array(segment, { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(names, fc.array(part, { minLength: 1, maxLength: 4 }), (name, parts) => {
      // Node's `**` at the end fits nothing, too, and its stars do not fit names that begin with a dot.
      fc.pre(!name.some((each) => each.startsWith('.')) && parts.at(-1) !== '**');
      assert.equal(fitsPattern(name.join('/'), parts.join('/')), path.matchesGlob(name.join('/'), parts.join('/')));
    }),
    { numRuns: 2000 },
  );
});

test('every name fits itself, and all names below a folder fit what is below it', () => {
  fc.assert(
    fc.property(fc.array(segment, { minLength: 2, maxLength: 5 }), (segments) => {
      const name = segments.join('/');
      assert(fitsPattern(name, name));
      assert(fitsPattern(name, `${segments[0]}/**`));
      assert(!fitsPattern(segments[0] ?? '', `${segments[0]}/**`));
    }),
  );
});

test('a pattern that makes others try every combination is answered at once', () => {
  // Otherwise this would not come to an end.
  assert.equal(fitsPattern(`${'a/'.repeat(400)}b`, `${'**/a/'.repeat(150)}c`), false);
  assert.equal(fitsPattern('a'.repeat(20_000), `${'a*'.repeat(400)}b`), false);
});
