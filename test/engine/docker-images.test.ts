import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { mergedEnvironment } from '../../src/engine/docker/assemble.ts';
import { copiesOf } from '../../src/engine/docker/once.ts';
import { treeTar } from '../../src/engine/docker/tar.ts';
import type { AssembleRequest, BuildProgress, BuildRequest, TreeFile } from '../../src/engine/image.ts';
import { makeDockerWorld, type DockerWorld } from './docker-world.ts';

describe('a tree of files', () => {
  it('has the same bytes in whatever order it is given', async () => {
    const files: TreeFile[] = [
      { path: '/b/c', contents: 'c' },
      { path: 'a', contents: new Uint8Array([1]), mode: 0o755 },
      { path: '/b-2', contents: '' },
    ];
    assert.deepEqual(await treeTar(files), await treeTar(files.toReversed()));
  });

  it('is copied into a read-only container by its deepest common folders', () => {
    const files = ['/etc/app/a', '/etc/app/deep/b', 'srv/x'].map((path) => ({ path, contents: '' }));
    const paths = (readOnly: boolean) =>
      [...copiesOf({ files, readOnly })].map(([folder, inside]) => [folder, inside.map(({ path }) => path)]);
    assert.deepEqual(paths(true), [
      ['/etc/app', ['a', 'deep/b']],
      ['/srv', ['x']],
    ]);
    assert.deepEqual(paths(false), [['/', ['/etc/app/a', '/etc/app/deep/b', 'srv/x']]]);
    assert.throws(() => copiesOf({ files: [{ path: '/x', contents: '' }], readOnly: true }), /\/x/);
  });
});

describe('variables of an assembled image', () => {
  it("keep the base's order, then come sorted", () => {
    assert.deepEqual(mergedEnvironment(['PATH=/bin', 'A=1', 'EMPTY='], { Z: 'z', A: '2', B: 'x=y' }), [
      'PATH=/bin',
      'A=2',
      'EMPTY=',
      'B=x=y',
      'Z=z',
    ]);
  });
});

describe('the images of Docker Engine', () => {
  let world: DockerWorld;
  before(async () => {
    world = await makeDockerWorld();
  });
  after(() => world.dispose());

  const request = (name: string): AssembleRequest => ({
    base: world.images.service,
    files: [
      { path: '/app/settings/one.json', contents: `{"for":"${name}"}` },
      {
        path: '/app/run',
        contents: '#!/bin/sh\necho "$GREETING"; cat /app/settings/one.json; stat -c "%a %u %Y" /app /app/run\n',
        mode: 0o755,
      },
    ],
    change: { environment: { GREETING: 'hello', ANOTHER: '1' }, labels: { b: '2', a: '1' }, entrypoint: ['/app/run'], command: [] },
    tag: `changeless-test/${name}:${world.architecture}`,
  });
  const reordered = ({ files, change, ...rest }: AssembleRequest): AssembleRequest => ({
    ...rest,
    files: files.toReversed(),
    change: { ...change, environment: { ANOTHER: '1', GREETING: 'hello' }, labels: { a: '1', b: '2' } },
  });

  it('have ids that follow from the request alone', async () => {
    const { images } = world.engine;
    const [first] = await images.assemble([request('same')]);
    assert.equal(await images.remove(request('same').tag), true);
    assert.equal(await images.inspect(request('same').tag), undefined);
    const [other, again] = await images.assemble([request('other'), reordered(request('same'))]);
    assert.equal(again, first);
    assert.notEqual(other, first);
  });

  it('have the files and variables that were asked for', async () => {
    const [image] = await world.engine.images.assemble([request('same')]);
    assert.ok(image);
    const ran = await world.engine.images.runOnce({ image, labels: {}, network: 'none', readOnly: true, limitMs: 30_000 });
    assert.deepEqual(ran, { exitCode: 0, timedOut: false, stdout: 'hello\n{"for":"same"}755 0 0\n755 0 0\n', stderr: '' });
    const detail = await world.engine.images.inspect(image);
    assert.equal(detail?.createdAt, '1970-01-01T00:00:00Z');
    assert.equal(detail?.labels['a'], '1');
  });

  it('have links, folders and owners as they were asked for, although nobody but root could make them', async () => {
    const owner = { user: 1000, group: 1001 };
    const [image] = await world.engine.images.assemble([
      {
        ...request('owned'),
        files: [
          { path: '/owned', folder: true, owner },
          {
            path: '/owned/run',
            contents: '#!/bin/sh\ncd /owned && stat -c "%n %a %u:%g %Y" . * deep/* && readlink link\n',
            mode: 0o755,
            owner,
          },
          { path: '/owned/deep', folder: true },
          { path: '/owned/deep/ü b', contents: '', owner },
          { path: '/owned/link', target: 'deep/ü b', owner },
        ],
        change: { entrypoint: ['/owned/run'], command: [] },
      },
    ]);
    assert.ok(image);
    const { stdout } = await world.engine.images.runOnce({ image, labels: {}, network: 'none', readOnly: true, limitMs: 30_000 });
    assert.equal(
      stdout,
      '. 755 1000:1001 0\ndeep 755 0:0 0\nlink 777 1000:1001 0\nrun 755 1000:1001 0\ndeep/ü b 644 1000:1001 0\ndeep/ü b\n',
    );
    assert.equal(await world.engine.images.remove(request('owned').tag), true);
  });

  it('are tagged although they are there already, and without files have no layer of their own', async () => {
    const bare = { ...request('bare'), files: [] };
    const [first, second] = await world.engine.images.assemble([bare, { ...bare, tag: `changeless-test/bare-too:${world.architecture}` }]);
    const [third] = await world.engine.images.assemble([{ ...bare, tag: `changeless-test/bare-again:${world.architecture}` }]);
    assert.deepEqual([second, third], [first, first]);
    const detail = await world.engine.images.inspect(`changeless-test/bare-again:${world.architecture}`);
    assert.equal(detail?.id, first);
    assert.deepEqual(detail?.layers, (await world.engine.images.inspect(world.images.service))?.layers);
  });

  const build = async (dockerfile: string, change: Partial<BuildRequest> = {}) => {
    const context = await treeTar([
      { path: 'Dockerfile', contents: dockerfile },
      { path: 'word', contents: 'built\n' },
    ]);
    const progress: BuildProgress[] = [];
    const tag = `changeless-test/built:${world.architecture}`;
    const outcome = await world.engine.images.build(
      { context, dockerfile: 'Dockerfile', arguments: {}, labels: {}, tag, ...change },
      (each) => progress.push(each),
    );
    return { outcome, progress };
  };

  it('are built by BuildKit, with arguments, labels and a target', async () => {
    const dockerfile = 'FROM debian:bookworm-slim AS wanted\nARG NAME\nENV NAME=$NAME\nCOPY word /word\nFROM scratch\nCOPY missing /\n';
    const { outcome, progress } = await build(dockerfile, { target: 'wanted', arguments: { NAME: 'argued' }, labels: { made: 'by us' } });
    assert.ok(outcome.ok, JSON.stringify(outcome));
    const detail = await world.engine.images.inspect(outcome.value);
    assert.equal(detail?.labels['made'], 'by us');
    assert.ok(detail?.config.environment.includes('NAME=argued'));
    assert.equal(Buffer.from((await world.engine.images.readFile(outcome.value, '/word')) ?? []).toString(), 'built\n');
    assert.ok(
      progress.some(({ step, state }) => step.includes('COPY word /word') && (state === 'done' || state === 'cached')),
      JSON.stringify(progress),
    );
  });

  it('say which step failed', async () => {
    const { outcome } = await build('FROM debian:bookworm-slim\nCOPY missing /\n');
    assert.ok(!outcome.ok);
    assert.match(outcome.problem.step, /COPY missing/);
    assert.equal(outcome.problem.noSpace, false);
  });

  it('give a file through links, and nothing for a folder or what is missing', async () => {
    const { images } = world.engine;
    const release = Buffer.from((await images.readFile('debian:bookworm-slim', '/etc/os-release')) ?? []).toString();
    assert.match(release, /ID=debian/);
    assert.equal(await images.readFile('debian:bookworm-slim', '/etc'), undefined);
    assert.equal(await images.readFile('debian:bookworm-slim', '/etc/nothing/here'), undefined);
  });

  it('leave nothing behind when something ran once', async () => {
    const files = [{ path: '/in/put', contents: 'x' }];
    const ran = await world.engine.images.runOnce({
      image: world.images.service,
      command: ['sh', '-c', 'touch /in/out /mine/out; touch /no; cat /in/put'],
      files,
      memory: ['/mine'],
      labels: { 'dev.changeless.architecture': world.architecture, 'dev.changeless.role': 'test' },
      network: 'none',
      readOnly: true,
      limitMs: 30_000,
    });
    assert.deepEqual([ran.stdout, ran.timedOut], ['x', false]);
    assert.match(ran.stderr, /Read-only file system/);
    const { instances, volumes } = await world.engine.observe(world.architecture).then((seen) => (seen.ok ? seen.value : assert.fail()));
    assert.deepEqual([instances, volumes], [[], []]);
  });
});
