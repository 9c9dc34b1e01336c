import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../secret.ts';
import { redact } from './redact.ts';

test('no line of a secret is in what is told, wherever it stands', () => {
  const secrets = [
    new Secret('hunter2\n'),
    new Secret('-----BEGIN KEY-----\nMIIEvQ+/$&\n-----END KEY-----\n'),
    new Secret('hunter2-longer'),
  ];
  const lines = ['login with hunter2, hunter2!', 'MIIEvQ+/$&', 'x=hunter2-longer', 'nothing of it'];
  assert.deepEqual(redact(lines, secrets), ['login with [secret], [secret]!', '[secret]', 'x=[secret]', 'nothing of it']);
});

test('what is too short to be one takes no words away', () => {
  assert.deepEqual(redact(['a b 1'], [new Secret('a\n1\n\n')]), ['a b 1']);
});
