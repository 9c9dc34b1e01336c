import assert from 'node:assert/strict';
import { test } from 'node:test';
import { format, inspect } from 'node:util';
import { canonicalJson, type Json } from './canonical-json.ts';
import { Secret } from './secret.ts';

const value = 'hunter2-very-secret';
const secret = new Secret(value);

for (const [how, said] of [
  ['a sum', `a ${String(secret)} b`],
  ['JSON', JSON.stringify({ secret })],
  ['canonical JSON', canonicalJson({ secret: secret as unknown as Json })],
  ['inspect', inspect({ deep: [secret] }, { depth: 9, showHidden: true })],
  ['format', format('%s %o %O %j', secret, secret, secret, secret)],
  ['an error', inspect(new Error(`it is ${String(secret)}`, { cause: secret }))],
  ['its members', JSON.stringify([Object.entries(secret), Object.getOwnPropertyNames(secret)])],
] as const)
  void test(`a secret is not shown by ${how}`, () => assert.equal(said.includes('hunter2'), false, said));

void test('a secret is given to whoever asks for it by name', () => {
  assert.equal(secret.revealText(), value);
  assert.deepEqual(new Secret(new Uint8Array([0, 255])).reveal(), new Uint8Array([0, 255]));
});
