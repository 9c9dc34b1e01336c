import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { jobStepImages } from '../../src/build/job-step-images.ts';
import { testRepository, type TestRepository } from '../../src/architecture/test-repository.ts';
import type { CommitId } from '../../src/digest.ts';
import { engineName } from '../../src/engine/docker/names.ts';
import { labels } from '../../src/engine/labels.ts';
import { jobStepOf } from '../../src/release/release-fixture.ts';
import { type DockerWorld, makeDockerWorld } from './docker-world.ts';

describe('the image of a step, on Docker Engine', () => {
  let world: DockerWorld;
  let repository: TestRepository;
  before(async () => {
    world = await makeDockerWorld();
    repository = await testRepository();
    await repository.commit({ 'src/a.txt': 'a', 'run.sh': 'true\n' });
  });
  after(async () => {
    await repository[Symbol.asyncDispose]();
    const images = await world.engine.images.list({ labels: { [labels.architecture]: world.architecture } });
    for (const tag of images.flatMap(({ tags }) => tags)) await world.engine.images.remove(tag);
    await world.dispose();
    for (const { volume } of volumes()) await world.client.did({ method: 'DELETE', path: `/volumes/${volume}` }, 404);
  });

  const volumes = () =>
    Object.entries({ work: '/work', cache: '/cache/npm' }).map(([name, path]) => ({
      path,
      volume: engineName(world.architecture, name),
      writable: true,
    }));

  const script = [
    'id -u; pwd; cat src/a.txt; echo',
    'echo b > src/b.txt && rm run.sh && echo wrote',
    'stat -c "%u %n" . src src/a.txt /cache/npm',
    'touch /cache/npm/x && echo cached',
    'touch /etc/x 2>/dev/null || echo read-only',
    'echo "$CHANGELESS_JOB $CHANGELESS_COMMIT $suite $HOME"',
  ].join('; ');

  it('runs in the commit’s tree, which is its user’s to change, in fresh volumes filled from the image', async () => {
    const tree = (await repository.git('rev-parse', 'HEAD^{tree}')).trim();
    const [agent] = await world.engine.images.assemble([
      {
        base: world.images.service,
        files: [],
        change: { user: '1234', labels: { [labels.architecture]: world.architecture } },
        tag: `changeless/${world.architecture}/agent.node:1`,
      },
    ]);
    const step = jobStepOf({ command: ['sh', '-c', script], caches: { npm: '/cache/npm' } });
    const made = await jobStepImages(
      { images: world.engine.images, repository: repository.repository },
      {
        architecture: world.architecture,
        run: 'test-1',
        job: 'test',
        commit: 'abc' as CommitId,
        tree,
        parameters: { suite: 'all' },
        steps: [{ key: '/unit', step }],
        agents: { node: agent! },
      },
    );
    assert.ok(made.ok);
    const ran = await world.engine.images.runOnce({
      image: made.value['/unit']!,
      labels: { [labels.architecture]: world.architecture },
      network: 'none',
      volumes: volumes(),
      readOnly: true,
      limitMs: 30_000,
    });
    assert.deepEqual(ran, {
      exitCode: 0,
      timedOut: false,
      stderr: '',
      stdout: `${['1234', '/work', 'a', 'wrote', '1234 .', '1234 src', '1234 src/a.txt', '1234 /cache/npm', 'cached', 'read-only', 'test abc all /tmp'].join('\n')}\n`,
    });
  });
});
