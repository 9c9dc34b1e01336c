import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { BuildTrace } from '../../src/engine/docker/build-trace.ts';
import { fileDifferences } from '../../src/engine/docker/inspection.ts';
import { frames, timedLines } from '../../src/engine/docker/log-stream.ts';
import { unixTime } from '../../src/engine/docker/logs.ts';
import { nextPhase } from '../../src/engine/docker/paths.ts';
import { decodeMessage } from '../../src/engine/docker/protobuf.ts';
import { kindOf } from '../../src/engine/docker/watch.ts';
import type { LogLine, PathPhase } from '../../src/engine/engine.ts';
import type { BuildProgress } from '../../src/engine/image.ts';

/** What a Docker Engine 20.10 said of `RUN echo before; echo trouble >&2; exit 7`. */
const recordedTrace = [
  'CsMBCkdzaGEyNTY6ODBiMzA2NDc2OGNhN2JkYWJlZTc5ZDc5M2VhZThiNTc3MTQ4Nzk0ZjJmNmZiNzQ1ZjYyYmZlNzk3ODJhN2Q5ZBJHc2hhMjU2OjU2YmY1ZGNkMzhlZTJmNjBmNjQ2YjE1YjFiOTFlNDBiNWU4Mzc1YTQ1NzU3MmY4OTBlZGJjY2JkMTcxOTA4MTMaL1syLzJdIFJVTiBlY2hvIGJlZm9yZTsgZWNobyB0cm91YmxlID4mMjsgZXhpdCA3CooBCkdzaGEyNTY6NTZiZjVkY2QzOGVlMmY2MGY2NDZiMTViMWI5MWU0MGI1ZTgzNzVhNDU3NTcyZjg5MGVkYmNjYmQxNzE5MDgxMxoxWzEvMl0gRlJPTSBkb2NrZXIuaW8vbGlicmFyeS9kZWJpYW46Ym9va3dvcm0tc2xpbSoMCJb+iNgGENnBqucC',
  'CtEBCkdzaGEyNTY6ODBiMzA2NDc2OGNhN2JkYWJlZTc5ZDc5M2VhZThiNTc3MTQ4Nzk0ZjJmNmZiNzQ1ZjYyYmZlNzk3ODJhN2Q5ZBJHc2hhMjU2OjU2YmY1ZGNkMzhlZTJmNjBmNjQ2YjE1YjFiOTFlNDBiNWU4Mzc1YTQ1NzU3MmY4OTBlZGJjY2JkMTcxOTA4MTMaL1syLzJdIFJVTiBlY2hvIGJlZm9yZTsgZWNobyB0cm91YmxlID4mMjsgZXhpdCA3KgwIlv6I2AYQgbDf6wI=',
  'GmEKR3NoYTI1Njo4MGIzMDY0NzY4Y2E3YmRhYmVlNzlkNzkzZWFlOGI1NzcxNDg3OTRmMmY2ZmI3NDVmNjJiZmU3OTc4MmE3ZDlkEgsIl/6I2AYQpsaOOBgBIgdiZWZvcmUK',
  'GmIKR3NoYTI1Njo4MGIzMDY0NzY4Y2E3YmRhYmVlNzlkNzkzZWFlOGI1NzcxNDg3OTRmMmY2ZmI3NDVmNjJiZmU3OTc4MmE3ZDlkEgsIl/6I2AYQuPyfOBgCIgh0cm91YmxlCg==',
  'CrkCCkdzaGEyNTY6ODBiMzA2NDc2OGNhN2JkYWJlZTc5ZDc5M2VhZThiNTc3MTQ4Nzk0ZjJmNmZiNzQ1ZjYyYmZlNzk3ODJhN2Q5ZBJHc2hhMjU2OjU2YmY1ZGNkMzhlZTJmNjBmNjQ2YjE1YjFiOTFlNDBiNWU4Mzc1YTQ1NzU3MmY4OTBlZGJjY2JkMTcxOTA4MTMaL1syLzJdIFJVTiBlY2hvIGJlZm9yZTsgZWNobyB0cm91YmxlID4mMjsgZXhpdCA3KgwIlv6I2AYQgbDf6wIyDAiX/ojYBhDu0bv7ATpYZXhlY3V0b3IgZmFpbGVkIHJ1bm5pbmcgWy9iaW4vc2ggLWMgZWNobyBiZWZvcmU7IGVjaG8gdHJvdWJsZSA+JjI7IGV4aXQgN106IGV4aXQgY29kZTogNw==',
];

function frame(stream: 1 | 2, text: string): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
}

describe('a log stream', () => {
  it('becomes lines, however its chunks are cut', async () => {
    const whole = Buffer.concat([
      frame(1, 't1 one\n'),
      frame(2, 't2 two words\n'),
      frame(1, 't3 lo'),
      frame(2, 't4 \n'),
      frame(1, 't5 ng\n'),
      frame(1, 't6 unended'),
    ]);
    const expected: LogLine[] = [
      { at: 't1', stream: 'stdout', line: 'one' },
      { at: 't2', stream: 'stderr', line: 'two words' },
      { at: 't4', stream: 'stderr', line: '' },
      { at: 't3', stream: 'stdout', line: 'long' },
      { at: 't6', stream: 'stdout', line: 'unended' },
    ];
    for (let size = 1; size <= whole.length; size++) {
      const chunks = Array.from({ length: Math.ceil(whole.length / size) }, (_, index) => whole.subarray(index * size, (index + 1) * size));
      const lines: LogLine[] = [];
      for await (const line of timedLines(frames(Readable.from(chunks)))) lines.push(line);
      assert.deepEqual(lines, expected, `in chunks of ${size}`);
    }
  });

  it('is asked for since a time to the nanosecond', () => {
    assert.equal(unixTime('2026-01-02T03:04:05.678901234Z'), '1767323045.678901234');
    assert.equal(unixTime('2026-01-02T03:04:05Z'), '1767323045.000000000');
  });
});

describe("a build's trace", () => {
  it('names the failing step and its last lines', () => {
    const progress: BuildProgress[] = [];
    const trace = new BuildTrace((each) => progress.push(each));
    for (const line of recordedTrace) trace.take(Buffer.from(line, 'base64'));
    const step = '[2/2] RUN echo before; echo trouble >&2; exit 7';
    assert.deepEqual(trace.failure('exit code: 7'), { step, lines: ['before', 'trouble'], message: 'exit code: 7', noSpace: false });
    assert.deepEqual(
      progress.filter((each) => each.step === step).map(({ state, line }) => line ?? state),
      ['started', 'before', 'trouble', 'failed'],
    );
  });

  it('tells a full disk from other failures', () => {
    const trace = new BuildTrace(() => undefined);
    assert.equal(trace.failure('write /x: no space left on device').noSpace, true);
  });

  it('is refused when it is cut short', () => {
    assert.throws(() => decodeMessage(Buffer.from([0x0a, 0x05, 0x01])), RangeError);
    assert.throws(() => decodeMessage(Buffer.from([0x08, 0x80])), RangeError);
    assert.deepEqual(decodeMessage(Buffer.from([0x08, 0x96, 0x01])).get(1), [150]);
  });
});

const after = (lines: readonly string[], phase: PathPhase): PathPhase =>
  lines.reduce((before, line) => nextPhase(before, { line, at: '2026-01-01T00:00:00Z' }), phase);

describe("a path's phase", () => {
  const starting: PathPhase = { phase: 'starting' };
  const checking = '{"changeless":"checking","failing":[]}';
  const healthy = '{"changeless":"healthy"}';
  const serving = '{"changeless":"serving"}';
  const draining = '{"changeless":"draining","connections":3}';
  const cases: [lines: string[], phase: string][] = [
    [[], 'starting'],
    [['[NOTICE] haproxy says hello'], 'starting'],
    [[checking], 'checking'],
    [[checking, healthy], 'healthy'],
    [[healthy, checking], 'checking'],
    [[healthy, serving], 'serving'],
    [[serving, checking, healthy], 'serving'],
    [[serving, draining], 'draining'],
    [[serving, draining, serving], 'draining'],
  ];
  for (const [lines, phase] of cases) {
    it(`is ${phase} after ${lines.join(' ') || 'nothing'}`, () => assert.equal(after(lines, starting).phase, phase));
  }
});

describe('a path that serves', () => {
  const measured = (requests: number): string =>
    `{"changeless":"serving","measures":{"spanMs":1000,"requests":${requests},"servers":{"api-1":{"inFlight":2,"state":"up"}}}}`;

  it('says what went through it last, also when its log began later', () => {
    const last = after([measured(3), measured(5), '{"changeless":"serving"}', '[NOTICE] anything'], { phase: 'starting' });
    assert.ok(last.phase === 'serving');
    assert.equal(last.measures?.requests, 5);
    assert.deepEqual(last.measures?.servers, { 'api-1': { inFlight: 2, state: 'up' } });
    assert.equal(last.measures?.at, '2026-01-01T00:00:00Z');
  });

  it('says nothing more of it once it drains', () => {
    assert.deepEqual(after([measured(3), '{"changeless":"draining"}', measured(1)], { phase: 'starting' }), { phase: 'draining' });
  });
});

describe('a path that drains', () => {
  const lines = [
    '{"changeless":"draining","connections":3}',
    '{"changeless":"draining","connections":2}',
    '[WARNING]  (1) : Proxy app hard-stopped (1 remaining conns will be closed).',
  ];

  it('says what holds it, and in the end what it cut', () => {
    const last = after(lines, { phase: 'serving' });
    assert.deepEqual(last, { phase: 'draining', connections: 2, cut: 1 });
    assert.deepEqual(after(lines.slice(2), last), { phase: 'draining', connections: 2, cut: 2 });
  });
});

describe('an event of the engine', () => {
  const kinds = { died: ['die'], started: ['start'], removed: ['destroy'], changed: ['create', 'kill', 'stop', 'oom'] };
  const touched = [
    'exec_create: sh',
    'exec_start: sh',
    'exec_die',
    'attach',
    'archive-path',
    'extract-to-dir',
    'update',
    'rename',
    'pause',
    'unpause',
    'restart',
  ];
  for (const [kind, actions] of Object.entries({ ...kinds, touched })) {
    it(`is of kind ${kind} when it is ${actions.join(', ')}`, () => assert.deepEqual([...new Set(actions.map(kindOf))], [kind]));
  }
});

describe("a container's changed files", () => {
  it('are told, but not the folders Docker makes for mounts', () => {
    const mounted = [
      { Path: '/run', Kind: 0 },
      { Path: '/run/changeless', Kind: 1 },
      { Path: '/tmp/mine/x', Kind: 1 },
    ] as const;
    assert.deepEqual(fileDifferences(mounted, ['/run/changeless', '/tmp/mine']), []);
    const changed = [
      ...mounted,
      { Path: '/etc', Kind: 0 },
      { Path: '/etc/passwd', Kind: 0 },
      { Path: '/bin/sh', Kind: 2 },
      { Path: '/run/new', Kind: 1 },
    ] as const;
    assert.deepEqual(fileDifferences(changed, ['/run/changeless', '/tmp/mine']), [
      { kind: 'files', what: '/etc/passwd was changed, /bin/sh was deleted, /run/new was added' },
    ]);
  });
});
