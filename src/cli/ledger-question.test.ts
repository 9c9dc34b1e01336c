import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ledgerQuestions } from '../ledger-questions.ts';
import { questionIn } from './ledger-question.ts';

describe('a question to the ledger', () => {
  for (const [words, question] of [
    [[], undefined],
    [['log'], { about: 'log', limit: 100 }],
    [['events', '--limit', '7', '--release', 'abc'], { about: 'events', limit: 7, release: 'abc' }],
    [['deliveries', '--limit', '3'], { about: 'deliveries', limit: 3 }],
    [['tokens'], { about: 'tokens' }],
    [['runs', '--limit', '20'], { about: 'runs', limit: 20 }],
    [['runs', 'test-1', '--limit', '1'], { about: 'runs', limit: 1, run: 'test-1' }],
    [['kept', 'test-1', '/unit'], { about: 'kept', run: 'test-1', step: '/unit' }],
    [['kept', 'test-1', 'system=a b,suite=c/unit'], { about: 'kept', run: 'test-1', step: 'system=a b,suite=c/unit' }],
  ] as const)
    it(`is read from ${JSON.stringify(words)}`, () => assert.deepEqual(questionIn(words), { ok: true, value: question }));

  it('is told by release images as one they answer', () => {
    for (const name of ledgerQuestions) {
      const question = questionIn(name === 'kept' ? [name, 'test-1', '/unit'] : [name]);
      assert.ok(question.ok && question.value, name);
    }
  });

  for (const words of [['what'], ['kept', 'test-1'], ['kept'], ['runs', '../x'], ['kept', '../x', '/unit']])
    it(`is refused when it is ${JSON.stringify(words)}: a controller would begin instead`, () => {
      const question = questionIn(words);
      assert.equal(!question.ok && question.problem.code, 'USAGE');
    });
});
