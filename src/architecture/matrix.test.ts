import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import { axesIn, cellCount, cellsOf, filledIn } from './matrix.ts';

test('a matrix is every combination, in an order that that of its members does not change', () => {
  const cells = [
    { jdk: '17', os: 'a' },
    { jdk: '17', os: 'b' },
    { jdk: '21', os: 'a' },
    { jdk: '21', os: 'b' },
  ];
  assert.deepEqual(cellsOf({ jdk: ['17', '21'], os: ['a', 'b'] }), cells);
  assert.deepEqual(cellsOf({ os: ['a', 'b'], jdk: ['17', '21'] }), cells);
  assert.deepEqual(cellsOf(), [{}]);
});

test('there are as many cells as there are combinations, and none twice', () => {
  const values = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom('a', 'b', 'c'), values), (matrix) => {
      const cells = cellsOf(matrix);
      assert.equal(cells.length, cellCount(matrix));
      assert.equal(new Set(cells.map((cell) => JSON.stringify(cell))).size, cells.length);
    }),
  );
});

test('an axis is filled in wherever it is named, and what the shell is to see stays', () => {
  const cell = { jdk: '17', os: '${jdk}' };
  assert.equal(
    filledIn('java-${jdk} ${jdk} $jdk $${jdk} ${HOME:-x} ${os} ${none} $(id)', cell),
    'java-17 17 $jdk ${jdk} ${HOME:-x} ${jdk} ${none} $(id)',
  );
  assert.deepEqual(axesIn('java-${jdk} ${os} $${HOME} $x ${jdk}'), ['jdk', 'os', 'jdk']);
  assert.equal(filledIn('${constructor}', {}), '${constructor}');
});
