import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Policy } from '../../src/policy.ts';
import { skip } from '../../src/datapath/haproxy-fixture.ts';
import { STRICT_DEFAULTS, STRICT_LINES } from '../../src/datapath/strict-config.ts';
import { h2Cases, type H2Case } from './h2-cases.ts';
import { h2Request, isAnswered } from './h2-frames.ts';
import { RecordingOrigin } from './recording-origin.ts';
import type { Tokens } from './smuggling-request.ts';
import { readStrictly } from './strict-request.ts';
import { certify, host, TlsChain } from './tls-chain.ts';

let certified: Awaited<ReturnType<typeof certify>>;
before(async () => {
  certified = await certify();
});

const tokens: Tokens = { host, first: '/first', hidden: '/admin', next: '/next' };

/** What a service was sent of each case that it should not have been sent, behind a rule that denies what is hidden. */
async function found(change: (config: string) => string = (config) => config): Promise<string[]> {
  const origin = await RecordingOrigin.start(readStrictly);
  try {
    const policy: Policy = { access: [{ action: 'deny', match: { path: [{ under: tokens.hidden }] } }] };
    const chain = await TlsChain.start(origin, certified, { policy, change });
    try {
      const findings: string[] = [];
      for (const each of h2Cases) findings.push(...(await findingsOf(chain, origin, each)));
      assert.ok(origin.targets.length > 5, 'what means one thing gets through');
      return findings;
    } finally {
      await chain.stop();
    }
  } finally {
    await origin.stop();
  }
}

async function findingsOf(chain: TlsChain, origin: RecordingOrigin, each: H2Case): Promise<string[]> {
  const [requests, violations] = [origin.requests.length, origin.violations.length];
  await ask(chain, each);
  const sent = origin.requests.slice(requests);
  const wrong = sent.filter((request) => !/^[A-Z]+ \/(?:first)? HTTP\/1\.1\r\n[^]*^host: shop\.localhost\r$/m.test(request));
  return [
    ...origin.violations.slice(violations).map(({ what }) => `${each.name}: ${what}`),
    ...(sent.length > 1 ? [`${each.name}: ${sent.length} requests`] : wrong.map((request) => `${each.name}: ${request}`)),
  ];
}

/** Resolves when the one request, or its connection, has come to an end. */
async function ask(chain: TlsChain, { fields, body }: H2Case): Promise<void> {
  const socket = await chain.secure({ protocols: ['h2'] });
  if (typeof socket === 'string') throw new Error(socket);
  let said = Buffer.alloc(0);
  const over = Promise.withResolvers<void>();
  socket.on('data', (more: Buffer) => {
    said = Buffer.concat([said, more]);
    if (isAnswered(said)) over.resolve();
  });
  socket.on('close', () => over.resolve()).on('error', () => over.resolve());
  socket.write(h2Request(fields(tokens), body?.(tokens)));
  await over.promise;
  socket.destroy();
}

test('no request of HTTP/2 becomes another one, or two', { skip, timeout: 60_000 }, async () => {
  assert.deepEqual(await found(), []);
});

test('without the lines against it, some do', { skip, timeout: 60_000 }, async () => {
  const lines = new Set([...STRICT_DEFAULTS, ...STRICT_LINES]);
  const findings = await found((config) =>
    config
      .split('\n')
      .filter((line) => !lines.has(line.trim()))
      .join('\n'),
  );
  const names = [
    'a coding under a name with an underscore',
    '"\\f" before a value',
    '"\x85" in :path',
    'another scheme',
    'a user in the authority',
  ];
  for (const name of names)
    assert.ok(
      findings.some((finding) => finding.startsWith(`${name}: `)),
      `${name}, of ${findings.join('\n')}`,
    );
});
