import assert from 'node:assert/strict';
import test from 'node:test';
import * as expect from './expectations.ts';

const tables: [name: string, accepts: (value: string) => boolean, good: string[], bad: string[]][] = [
  ['name', expect.isName, ['a', 'catalog', 'a-1', 'a'.repeat(40)], ['', 'A', '1a', '-a', 'a-', 'a_b', 'a.b', 'ä', 'a'.repeat(41)]],
  [
    'host name',
    expect.isHostName,
    ['a.localhost', 'x', '1.example.com', 'a-b.c'],
    ['', 'A.b', 'a..b', '.a', 'a.', 'a b', '*.a', 'a:80', '-a.b'],
  ],
  ['setting', expect.isSettingName, ['A', '_a', 'URL_2'], ['', '2A', 'A-B', 'A=B', 'CHANGELESS_X']],
  [
    'relative path',
    expect.isRelativePath,
    ['a', 'a/b', './a', '.', '.git/x', 'a..b'],
    ['', '/a', '..', 'a/../b', 'a//b', 'a/', 'a/./b', 'a\\b', 'a\nb'],
  ],
  [
    'image path',
    expect.isImagePath,
    ['/a', '/etc/x.conf'],
    ['', '/', 'a', '/a/', '/a/../b', '//a', '/changeless', '/changeless/x', '/a:b'],
  ],
  ['size', expect.isSize, ['1k', '256m', '1.5g'], ['', '0m', '1', '1mb', '-1m', 'm', '1 m']],
  ['published', expect.isPublished, ['127.0.0.1:80', '[::1]:443'], ['80', 'localhost:80', '1.2.3.4:0', '1.2.3.4:65536', ':80']],
];

for (const [name, accepts, good, bad] of tables) {
  test(`what is a ${name}, and what is not`, () => {
    for (const value of good) assert(accepts(value), value);
    for (const value of bad) assert(!accepts(value), JSON.stringify(value));
  });
}

test('sizes are units of 1024', () => {
  assert.deepEqual(
    [expect.sizeBytes('1k'), expect.sizeBytes('256m'), expect.sizeBytes('1.5g'), expect.sizeBytes(7)],
    [1024, 268_435_456, 1_610_612_736, 7],
  );
});
