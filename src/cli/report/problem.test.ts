import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printable, renderProblem } from './problem.ts';

test('a problem is told in the house form, its evidence last', () => {
  const text = renderProblem({
    code: 'ROLLOUT_UNHEALTHY',
    what: 'catalog never became healthy in release 3f9c1a2',
    why: 'GET /healthz on api-1 answered 502 for 30 s (29 tries); its last lines are below',
    safe: 'release 81be0c4 still serves all traffic',
    next: 'changeless logs catalog --release 3f9c1a2\nor raise health.timeout in architecture.ts:14',
    lines: ['listening', 'no providers'],
  });
  assert.equal(
    text,
    [
      'error ROLLOUT_UNHEALTHY  catalog never became healthy in release 3f9c1a2',
      '  why   GET /healthz on api-1 answered 502 for 30 s (29 tries); its last lines are below',
      '  safe  release 81be0c4 still serves all traffic',
      '  next  changeless logs catalog --release 3f9c1a2',
      '        or raise health.timeout in architecture.ts:14',
      '',
      '    | listening',
      '    | no providers',
      '',
    ].join('\n'),
  );
});

test('each mistake in a file is shown with its place, its key and the offending text', () => {
  const text = renderProblem({
    code: 'ARCHITECTURE_INVALID',
    what: 'architecture.ts has 2 mistakes',
    findings: [
      {
        place: { file: 'architecture.ts', line: 14, column: 5, text: '    port: "eighty",' },
        key: 'apps.catalog.services.api.port',
        what: 'expected a number from 1 to 65535, found "eighty"',
      },
      { key: 'name', what: 'is missing' },
    ],
  });
  assert.match(text, /architecture\.ts:14:5 {2}apps\.catalog\.services\.api\.port: expected a number/);
  assert.match(text, /\n {10}port: "eighty",\n {10}\^\n/);
  assert.match(text, /- name: is missing/);
});

test('text of others cannot move the cursor or colour the terminal', () => {
  assert.equal(printable('\u001b[2J\u001b[31mred\u001b[0m\u0007\tend\r'), 'red  end');
});
