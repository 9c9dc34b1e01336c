import assert from 'node:assert/strict';
import { once } from 'node:events';
import { before, test } from 'node:test';
import { array, assert as assertProperty, asyncProperty, constantFrom, tuple } from 'fast-check';
import type { Policy } from '../../src/policy.ts';
import { skip } from '../../src/datapath/haproxy-fixture.ts';
import { denials, fragments, innocents, mayBeDenied } from './denial-cases.ts';
import { RecordingOrigin } from './recording-origin.ts';
import { readStrictly } from './strict-request.ts';
import { certify, host, TlsChain } from './tls-chain.ts';

const denying: Policy = { access: [{ action: 'deny', match: { path: [{ under: '/admin' }] } }] };

let certified: Awaited<ReturnType<typeof certify>>;
before(async () => {
  certified = await certify();
});

type Through = { policy?: Policy; change?: (config: string) => string };

/** The targets that a service was sent, of those that were asked for through the core and an app's data path, and each one's answer. */
async function asked(targets: readonly string[], through: Through): Promise<{ sent: string[]; answers: Record<string, string> }> {
  const origin = await RecordingOrigin.start(readStrictly);
  try {
    const chain = await TlsChain.start(origin, certified, through);
    try {
      const answers: Record<string, string> = {};
      for (const target of targets) answers[target] = await statusOf(chain, target);
      assert.deepEqual(origin.violations, []);
      return { sent: origin.targets, answers };
    } finally {
      await chain.stop();
    }
  } finally {
    await origin.stop();
  }
}

async function statusOf(chain: TlsChain, target: string): Promise<string> {
  const socket = await chain.connect('core-8080');
  let text = '';
  socket.setEncoding('latin1').on('data', (more: string) => (text += more));
  const closed = once(
    socket.on('error', () => socket.destroy()),
    'close',
  );
  socket.end(Buffer.from(`GET ${target} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`, 'latin1'));
  await closed;
  return /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 'none';
}

test('what is denied is denied in every spelling that a service may take for it', { skip, timeout: 120_000 }, async () => {
  const { sent, answers } = await asked(denials, { policy: denying });
  assert.deepEqual(sent.filter(mayBeDenied), []);
  assert.deepEqual([...new Set(Object.values(answers))].toSorted(), ['400', '403']);
});

test('nor is it in any that is put together at random', { skip, timeout: 120_000 }, async () => {
  const word = constantFrom(...fragments);
  const targets = tuple(array(word, { maxLength: 4 }), constantFrom('admin', '%61dmin', 'ADMIN'), array(word, { maxLength: 3 })).map(
    ([before, admin, behind]) => `/${before.join('')}${admin}${behind.join('')}`,
  );
  await assertProperty(
    asyncProperty(array(targets, { minLength: 500, maxLength: 500 }), async (all) => {
      const { sent } = await asked([...new Set(all)], { policy: denying });
      assert.deepEqual(sent.filter(mayBeDenied), []);
    }),
    { numRuns: 2 },
  );
});

test('what nobody takes for it gets through as it was sent', { skip }, async () => {
  const { sent, answers } = await asked(innocents, { policy: denying });
  assert.deepEqual(sent, innocents);
  assert.deepEqual(answers, Object.fromEntries(innocents.map((target) => [target, '200'])));
});

test('without the rule the spellings that are found are those that were asked for', { skip, timeout: 120_000 }, async () => {
  const { sent } = await asked(denials, {});
  const found = sent.filter(mayBeDenied);
  assert.ok(found.length > 1_000, `${found.length} of ${sent.length}`);
  assert.deepEqual(innocents.filter(mayBeDenied), []);
});

/** A part of each line that makes paths unambiguous, and a target that gets past the rule without it. */
const mends: readonly (readonly [line: string, target: string])[] = [
  ['url,field(1,?) -m reg -i -- \\x25\\x282f', '/x/..%5cadmin'],
  ['url,field(1,?) -m reg -i -- \\x25\\x28\\x3f', '/%%361dmin'],
  ['url,field(1,?) -m reg -i -- \\x5b', '/x\\..\\admin'],
  ['acl ambiguous-path path,url_dec -m reg -i', '/%2561dmin'],
  ['acl ambiguous-path path,url_dec -m reg -- ', '/x/../admin'],
  ['var(txn.shorter) -m', '/admin%3fx=1'],
  ['var(txn.shorter) -m', '/admin%20/'],
  ['var(txn.shorter) -m', '/%20/admin'],
];

test('every line against other spellings makes the difference', { skip, timeout: 60_000 }, async () => {
  for (const [line, target] of mends) {
    const change = (config: string): string => {
      const lines = config.split('\n');
      const left = lines.filter((each) => !each.includes(line));
      assert.ok(!config.includes('frontend app') || left.length < lines.length, `${line} is there`);
      return left.join('\n');
    };
    const { sent } = await asked([target], { policy: denying, change });
    assert.ok(sent.some(mayBeDenied), `${target} gets past the rule without ${line}`);
  }
});
