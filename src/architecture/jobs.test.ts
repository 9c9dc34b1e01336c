import assert from 'node:assert/strict';
import test from 'node:test';
import { withJob } from './job-mistakes-fixture.ts';
import { keyLocator } from './locate.ts';
import { architectureModel } from './model-schema.ts';
import { validateArchitecture } from './validate.ts';

const nowhere = (): undefined => undefined;

test('the least that can be said of a job is one by hand, with every default', async () => {
  const validated = await validateArchitecture(withJob({}), nowhere);
  assert(validated.ok);
  assert.deepEqual(validated.value.jobs, {
    test: {
      on: {},
      parameters: {},
      steps: [
        [
          {
            name: 'unit',
            agent: 'node',
            command: ['npm', 'test'],
            settings: {},
            caches: {},
            artifacts: [],
            limits: { memoryBytes: 1_073_741_824, processes: 512, cpus: 1 },
            limitMs: 3_600_000,
          },
        ],
      ],
      limitMs: 3_600_000,
    },
  });
  assert(architectureModel.safeParse(validated.value).success);
});

test('all that can be said of a job is kept as it is meant', async () => {
  const step = {
    name: 'unit',
    agent: 'java-${jdk}',
    run: 'mvn verify',
    settings: { DEBUG: true },
    secrets: { token: 'npm-token' },
    caches: { maven: '/home/user/.m2', modules: '/work/.modules' },
    artifacts: ['./target', 'report.xml'],
    limits: { memory: '2g', processes: 64, cpus: 0.5 },
    limitMs: 5,
  };
  const job = {
    on: { push: { branches: 'main', paths: ['catalog/**'] }, schedule: '0 3 * * *', after: 'build' },
    parameters: { suite: 'all', retries: 3 },
    matrix: { jdk: [17, '21'] },
    steps: [
      step,
      [
        { name: 'a', agent: 'node', command: ['true'] },
        { name: 'b', agent: 'node', command: ['true'] },
      ],
    ],
    limitMs: 60_000,
  };
  const build = { on: { push: true, schedule: ['0 3 * * *', '0 4 * * *'] }, steps: [{ name: 'a', agent: 'node', run: 'make' }] };
  const secrets = { secrets: { token: { version: 1 } } };
  const validated = await validateArchitecture({ ...withJob(job, { build }), ...secrets }, nowhere);
  assert(validated.ok, JSON.stringify(validated));
  const { test: kept, build: before } = validated.value.jobs ?? {};
  assert.deepEqual(kept?.on, { push: { branches: ['main'], paths: ['catalog/**'] }, schedule: ['0 3 * * *'], after: ['build'] });
  assert.deepEqual(before?.on, { push: {}, schedule: ['0 3 * * *', '0 4 * * *'] });
  assert.deepEqual([kept?.parameters, kept?.matrix, kept?.limitMs], [{ suite: 'all', retries: '3' }, { jdk: ['17', '21'] }, 60_000]);
  assert.deepEqual(kept?.steps[0], [
    {
      name: 'unit',
      agent: 'java-${jdk}',
      command: ['sh', '-c', 'mvn verify'],
      settings: { DEBUG: 'true' },
      secrets: { token: 'npm-token' },
      caches: { maven: '/home/user/.m2', modules: '/work/.modules' },
      artifacts: ['target', 'report.xml'],
      limits: { memoryBytes: 2_147_483_648, processes: 64, cpus: 0.5 },
      limitMs: 5,
    },
  ]);
  assert.deepEqual(
    kept?.steps[1]?.map(({ name, limitMs }) => [name, limitMs]),
    [
      ['a', 60_000],
      ['b', 60_000],
    ],
  );
  assert(architectureModel.safeParse(validated.value).success);
});

test('an architecture without jobs says nothing of them', async () => {
  for (const jobs of [undefined, {}]) {
    const validated = await validateArchitecture({ name: 'shop', jobs }, nowhere);
    assert(validated.ok && !('jobs' in validated.value));
  }
});

test('a mistake in a step of a group is placed where it is written, through job() and step()', async () => {
  const file = 'architecture.ts';
  const source = [
    "import { architecture, job, step } from 'changeless';",
    'export default architecture({',
    "  name: 'shop',",
    '  jobs: {',
    '    test: job({ steps: [',
    "      step({ name: 'a', agent: 'node', run: 'true' }),",
    "      [step({ name: 'b', agent: 'nod', run: 'true' })],",
    '    ] }),',
    '  },',
    '});',
  ].join('\n');
  const step = (name: string, agent: string) => ({ name, agent, run: 'true' });
  const value = withJob({ steps: [step('a', 'node'), [step('b', 'nod')]] });
  const validated = await validateArchitecture(value, keyLocator(new Map([[file, source]]), file));
  assert(!validated.ok);
  assert.deepEqual(
    validated.problem.findings?.map(({ key, place }) => [key, place?.line, place?.column]),
    [['jobs.test.steps[1][0].agent', 7, 33]],
  );
});
