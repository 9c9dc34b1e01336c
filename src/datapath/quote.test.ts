import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { type AppPath, renderAppPath } from './app-path.ts';
import { quote, quoteFormat } from './quote.ts';
import type { Policy } from '../policy.ts';

const MEANINGFUL = ["'", '"', '\\', '#', '$', '%', '{', '}', '[', ']', '(', ')', ' ', '\n', '\r', '\t', ',', ';', '-', 'x'];
const texts = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }).filter((text) => !text.includes('\0') && text.isWellFormed());
const awkward = fc.oneof(texts, fc.string({ unit: fc.constantFrom(...MEANINGFUL), minLength: 1, maxLength: 12 }));

const read = (word: string): string =>
  Buffer.from(
    word.replaceAll(/\\x([0-9a-f]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16))),
    'latin1',
  ).toString('utf8');

test('a quoted text is one word that means nothing to the proxy and stands for the text', () => {
  fc.assert(
    fc.property(awkward, (text) => {
      assert.match(quote(text), /^([A-Za-z0-9_./:=@-]|\\x[0-9a-f]{2})+$/);
      assert.equal(read(quote(text)), text);
      assert.equal(read(quoteFormat(text)).replaceAll('%%', '%'), text);
    }),
  );
});

test('no text is an empty word, and NUL is a bug that throws', () => {
  assert.equal(quote(''), "''");
  assert.throws(() => quote('a\0b'), /^Error: datapath: /);
});

/** All text that a policy may hold, wherever it may stand. */
const policyOf = (text: string): Policy => ({
  routes: [{ host: text, path: `/${text}`, service: 'web', headers: { response: { set: { a: text }, add: { a: text }, remove: [] } } }],
  redirects: [{ host: text, path: `/${text}`, exact: false, to: `/${text}`, status: 308, keepQuery: true }],
  access: [{ action: 'allow', match: { path: [{ matches: text }, { exact: text }], method: [text], source: [text] } }],
  compression: { types: [text] },
  maintenance: { body: text, contentType: text, retryAfterSeconds: 1, except: [text] },
  patches: { a: [{ query: { a: { exact: text }, b: { contains: text } }, header: { a: { matches: text } } }] },
});

const pathOf = (text: string): AppPath => ({
  app: 'shop',
  generation: 'g1',
  colour: 'blue',
  entry: 'web',
  services: [{ name: 'web', port: 80, replicas: 1, health: { kind: 'tcp' } }],
  drainLimitMs: 1000,
  policy: policyOf(text),
});

const wordsInLines = (config: string): number[] => config.split('\n').map((line) => line.trim().split(' ').length);

test('whatever text a policy holds, the configuration has the same lines, and each line as many words', () => {
  const expected = wordsInLines(renderAppPath(pathOf('x')).proxy);
  fc.assert(
    fc.property(awkward, (text) => {
      const { proxy } = renderAppPath(pathOf(text));
      assert.deepEqual(wordsInLines(proxy), expected);
      assert.match(proxy, /^[\n -~]*$/);
    }),
  );
});

test('a name that could add to an expression is a bug that throws', () => {
  const named = (policy: Policy) => () => renderAppPath({ ...pathOf('x'), policy });
  for (const name of ['a)', 'a b', 'a\n', 'a,b', '']) {
    assert.throws(named({ patches: { patch: [{ header: { [name]: { present: true } } }] } }), /^Error: datapath: /);
    assert.throws(named({ headers: { request: { set: { [name]: 'x' }, add: {}, remove: [] } } }), /^Error: datapath: /);
    assert.throws(named({ patches: { [name]: [{ path: [{ exact: '/' }] }] } }), /^Error: datapath: /);
    assert.throws(named({ rateLimits: { [name]: { requests: 1, periodMs: 1, burst: 1 } } }), /^Error: datapath: /);
  }
});
