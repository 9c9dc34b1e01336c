import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDockerIgnore } from './docker-ignore.ts';

const cases: readonly [rules: string, path: string, isLeftOut: boolean][] = [
  ['', 'a', false],
  ['# a\n\n', 'a', false],
  ['a', 'a', true],
  ['/a/', 'a/b/c', true],
  ['a', 'b/a', false],
  ['*.md', 'x.md', true],
  ['*.md', 'docs/x.md', false],
  ['**/*.md', 'docs/deep/x.md', true],
  ['**/*.md', 'x.md', true],
  ['docs/**', 'docs/a/b', true],
  ['a?c', 'abc', true],
  ['a?c', 'a/c', false],
  ['[ab]', 'b', true],
  ['[^ab]', 'b', false],
  ['*\n!keep', 'keep', false],
  ['*\n!keep', 'drop', true],
  ['docs\n!docs/keep.md', 'docs/keep.md', false],
  ['!keep\n*', 'keep', true],
  ['.', 'a', true],
  ['a.b', 'axb', false],
  ['node_modules\r\n', 'node_modules/x', true],
];

for (const [rules, path, isLeftOut] of cases) {
  test(`${JSON.stringify(rules)} ${isLeftOut ? 'leaves out' : 'keeps'} ${path}`, () =>
    assert.equal(readDockerIgnore(rules)(path), isLeftOut));
}
