import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { imageReferences, pinDockerfile, type BuildValues } from './dockerfile.ts';

const plain: BuildValues = { arguments: {}, platform: 'linux/arm64' };

/** Every reference as `line:column name`. */
const found = (source: string, values: BuildValues = plain): string[] =>
  imageReferences(source, values).map(({ line, column, name }) => `${line}:${column} ${name}`);

const cases: readonly [what: string, source: string, references: readonly string[], values?: BuildValues][] = [
  ['a plain FROM', 'FROM debian', ['1:6 debian']],
  [
    'lower case, a tag, a port and a digest',
    `from example.com:5000/a/b:1@sha256:${'a'.repeat(64)} as x`,
    [`1:6 example.com:5000/a/b:1@sha256:${'a'.repeat(64)}`],
  ],
  ['a platform', 'FROM --platform=$BUILDPLATFORM debian AS build', ['1:32 debian']],
  ['a stage of its own', 'FROM debian AS Build\nFROM build\nCOPY --from=BUILD /a /b', ['1:6 debian']],
  ['a stage that comes later is an image', 'FROM build\nFROM debian AS build', ['1:6 build', '2:6 debian']],
  ['scratch', 'FROM scratch', []],
  ['a global argument with default', 'ARG V=12\nFROM debian:$V', ['2:6 debian:12']],
  ['a global argument the build gives', 'ARG V=12\nFROM debian:${V}', ['2:6 debian:13'], { ...plain, arguments: { V: '13' } }],
  ['a default of a default', 'ARG A=deb\nARG B=${A}ian\nFROM ${B:-x}:${C:-1}${B:++}', ['3:6 debian:1+']],
  ['an argument nobody gave a value', 'ARG V\nFROM $V', ['2:6 ']],
  ['an argument of a stage is not seen by FROM', 'FROM a AS x\nARG V=b\nFROM $V', ['1:6 a', '3:6 ']],
  ['the platform of the build', 'FROM debian-$TARGETARCH', ['1:6 debian-arm64']],
  ['a quoted name', 'ARG A="debian:12"\nFROM "$A"', ['2:6 debian:12']],
  ['COPY --from', 'FROM a\nCOPY --chown=1:1 --from=busybox:1 /a /b', ['1:6 a', '2:25 busybox:1']],
  ['COPY --from a stage by number', 'FROM a\nFROM b\nCOPY --from=0 /a /b', ['1:6 a', '2:6 b']],
  ['a file called --from', 'FROM a\nCOPY x --from=b', ['1:6 a']],
  ['a mount', 'FROM a\nRUN --mount=type=bind,from=tools:2,target=/t --mount=type=cache,target=/c make', ['1:6 a', '2:28 tools:2']],
  ['a mount of a stage', 'FROM a AS tools\nRUN --mount=from=tools,target=/t make', ['1:6 a']],
  ['continuation, comments and blank lines in it', 'FROM a\nCOPY \\\n  # not this\n\n  --from=b \\\n  /x /y', ['1:6 a', '5:10 b']],
  ['a heredoc', 'FROM a\nRUN <<EOF cat\nFROM b\nCOPY --from=c x y\nEOF\nCOPY --from=d x y', ['1:6 a', '6:13 d']],
  ['two heredocs, one indented by tabs', 'FROM a\nCOPY <<-"ONE" <<TWO /x/\nFROM b\n\tONE\nFROM c\nTWO\nFROM d', ['1:6 a', '7:6 d']],
  ['another escape character', '# escape=`\nFROM a AS x\nCOPY `\n  --from=b c:\\ d:\\', ['2:6 a', '4:10 b']],
  ['Windows line ends', 'FROM a\r\nCOPY --from=b \\\r\n x y\r\n', ['1:6 a', '2:13 b']],
  ['words that look like instructions', 'FROM a\nRUN echo FROM b\n# FROM c\nLABEL x="FROM d"', ['1:6 a']],
];

for (const [what, source, references, values] of cases)
  test(`finds ${references.length} in ${what}`, () => assert.deepEqual(found(source, values), references));

test('pinning replaces names, keeps every line, and takes the builder out', () => {
  const source = '# syntax=docker/dockerfile:1\n# escape=`\nARG V=1\nFROM a:$V AS x\nCOPY --from=b `\n  /x /y\nFROM x\n';
  const pinned = pinDockerfile(source, plain, { 'a:1': 'pin/a', b: 'pin/b' });
  assert.equal(pinned, '# escape=`\n#\nARG V=1\nFROM pin/a AS x\nCOPY --from=pin/b `\n  /x /y\nFROM x\n');
});

test('a name without a pin is a bug', () => assert.throws(() => pinDockerfile('FROM a', plain, {}), /no pin/));

const instruction = fc.oneof(
  fc.constantFrom(
    'FROM debian',
    'FROM node:24 AS one',
    'FROM one',
    'FROM scratch',
    'COPY --from=busybox a b',
    'COPY --from=one a b',
    'COPY --from=0 a b',
    'RUN --mount=from=tools,target=/t x',
    'RUN a \\\n  b',
    'RUN <<EOF\nFROM no\nEOF',
    '# FROM no',
    '',
    'ENV A=b',
  ),
);

test('what was pinned names nothing but pins, line by line where it was', () => {
  fc.assert(
    fc.property(fc.array(instruction), (lines) => {
      const source = lines.join('\n');
      const before = imageReferences(source, plain);
      const pinned = pinDockerfile(source, plain, Object.fromEntries(before.map(({ name }) => [name, `pin/${name}`])));
      const after = imageReferences(pinned, plain);
      assert.deepEqual(
        after.map(({ name, line }) => ({ name, line })),
        before.map(({ name, line }) => ({ name: `pin/${name}`, line })),
      );
      assert.equal(pinned.split('\n').length, source.split('\n').length);
    }),
  );
});

test('any text can be read', () => {
  fc.assert(fc.property(fc.string(), (text) => void imageReferences(`FROM a\n${text}`, plain)));
});
