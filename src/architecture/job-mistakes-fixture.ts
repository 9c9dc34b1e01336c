const step = { name: 'unit', agent: 'node', command: ['npm', 'test'] };

/** An architecture of agents and one job, with something of the job written otherwise. */
export const withJob = (change: object, more: object = {}): object => ({
  name: 'shop',
  agents: { node: { build: 'agents/node' }, 'java-17': { build: 'agents/java' }, 'java-21': { build: 'agents/java' } },
  jobs: { test: { steps: [step], ...change }, ...more },
});

const withStep = (change: object, job: object = {}): object => withJob({ ...job, steps: [{ ...step, ...change }] });

const after = (...jobs: string[]): object => ({ on: { after: jobs }, steps: [step] });

const cron = "a cron expression of five fields that some time fits, such as '0 3 * * *'";
const unit = 'jobs.test.steps[0]';

/** What may be written wrong of jobs, and what is said of it. */
export const jobMistakes: [name: string, value: unknown, expected: string[]][] = [
  ['a job without steps', withJob({ steps: [] }), ['jobs.test.steps: expected at least one step, found an empty list']],
  ['a job that says no steps', withJob({ steps: undefined }), ['jobs.test.steps: expected a list of steps, found nothing']],
  ['a group without steps', withJob({ steps: [[]] }), [`${unit}: expected at least one step, found an empty list`]],
  ['a step without a command', withStep({ command: undefined }), [`${unit}: expected command or run, one of the two, found an object`]],
  ['a step with two', withStep({ run: 'npm test' }), [`${unit}: expected command or run, one of the two, found an object`]],
  ['an unknown key of a step', withStep({ comand: ['x'] }), [`${unit}.comand: unknown key; did you mean command?`]],
  [
    'an unknown agent, in a step and in a group',
    withJob({ steps: [{ ...step, agent: 'nod' }, [{ ...step, name: 'other', agent: 'rust' }]] }),
    [
      'jobs.test.steps[0].agent: expected an agent (node, java-17, java-21), found nod (did you mean node?)',
      'jobs.test.steps[1][0].agent: expected an agent (node, java-17, java-21), found rust',
    ],
  ],
  [
    'an agent that is there for some values of the matrix alone',
    withStep({ agent: 'java-${jdk}' }, { matrix: { jdk: [17, '21', 25], os: ['a', 'b'] } }),
    [`${unit}.agent: expected an agent (node, java-17, java-21), found java-25 (did you mean java-21?)`],
  ],
  [
    'values that are nothing one could spell',
    withStep({ agent: 'java-${jdk}' }, { matrix: { jdk: [{ toString: 'x' }, null] } }),
    [0, 1].map(
      (index) =>
        `jobs.test.matrix.jdk[${index}]: expected a value of letters, digits, dots, - and _ or a number, found ${index === 0 ? 'an object' : 'null'}`,
    ),
  ],
  [
    'an axis that the matrix has not',
    withStep(
      { run: 'echo ${jkd} $HOME $${HOME}', command: undefined, settings: { JDK: '${jdk}', X: '${os}' } },
      { matrix: { jdk: ['17'] } },
    ),
    [
      `${unit}.run: expected an axis of the matrix (jdk), found jkd (did you mean jdk?); what stays as it is, is written $\${jkd}`,
      `${unit}.settings.X: expected an axis of the matrix (jdk), found os; what stays as it is, is written $\${os}`,
    ],
  ],
  [
    'an axis of an agent, where there is no matrix',
    withStep({ agent: 'java-${jdk}' }),
    [`${unit}.agent: expected an axis of the matrix (there is none), found jdk`],
  ],
  [
    'a matrix of nothing, of a value twice, of no values',
    withJob({ matrix: { jdk: [], os: ['a', 'a'], arch: ['a b'] } }),
    [
      'jobs.test.matrix.jdk: expected at least one value, found an empty list',
      'jobs.test.matrix.os: expected each value once, found a list',
      "jobs.test.matrix.arch[0]: expected a value of letters, digits, dots, - and _, found 'a b'",
    ],
  ],
  [
    'a matrix of very many',
    withJob({ matrix: { a: [...Array.from({ length: 11 }).keys()], b: [...Array.from({ length: 10 }).keys()] } }),
    ['jobs.test.matrix: expected at most 100 combinations, found an object'],
  ],
  [
    'an axis that is named as a parameter',
    withJob({ parameters: { jdk: '17' }, matrix: { jdk: ['17'] } }),
    ['jobs.test.matrix.jdk: expected a name that no parameter has, found jdk, which is at jobs.test.parameters.jdk'],
  ],
  [
    'two steps of one name',
    withJob({ steps: [step, [{ ...step, agent: 'java-17' }]] }),
    ['jobs.test.steps[1][0].name: expected a name that no other step of the job has, found unit, which is at jobs.test.steps[0].name'],
  ],
  ['a cron expression that is none', withJob({ on: { schedule: 'daily' } }), [`jobs.test.on.schedule: expected ${cron}, found 'daily'`]],
  [
    'cron expressions that no time fits, with seconds, of names, and of when they are asked',
    withJob({ on: { schedule: ['0 0 31 2 *', '0 0 3 * * *', '@daily', '? 0 * * *', '0 3 * * *'] } }),
    [
      `jobs.test.on.schedule[0]: expected ${cron}, found '0 0 31 2 *'`,
      `jobs.test.on.schedule[1]: expected ${cron}, found '0 0 3 * * *'`,
      `jobs.test.on.schedule[2]: expected ${cron}, found '@daily'`,
      `jobs.test.on.schedule[3]: expected ${cron}, found '? 0 * * *'`,
    ],
  ],
  [
    'a job after one that is not there',
    withJob({ on: { after: 'buidl' } }, { build: { steps: [step] } }),
    ['jobs.test.on.after: expected a job (test, build, deliver), found buidl (did you mean build?)'],
  ],
  [
    'jobs that wait for each other',
    withJob({}, { a: after('c'), b: after('test', 'a'), c: after('b'), d: after('a') }),
    ['jobs.b.on.after[1]: expected jobs that do not wait for each other, found a after c after b after a'],
  ],
  [
    'a job that waits for itself',
    withJob({ on: { after: 'test' } }),
    ['jobs.test.on.after: expected jobs that do not wait for each other, found test after test'],
  ],
  [
    'patterns of branches that no branch fits',
    withJob({ on: { push: { branches: ['/main', 'a..b', 'a***', 'x y', '', '-x', 'release/*'] } } }),
    ['/main', 'a..b', 'a***', 'x y', '', '-x'].map(
      (pattern, index) =>
        `jobs.test.on.push.branches[${index}]: expected a pattern of branches such as 'main' or 'release/*', found '${pattern}'`,
    ),
  ],
  [
    'patterns of paths that lead out',
    withJob({ on: { push: { paths: ['../x', 'catalog/', 'catalog/**'] } } }),
    ['../x', 'catalog/'].map(
      (pattern, index) =>
        `jobs.test.on.push.paths[${index}]: expected a pattern of paths such as 'catalog/**', without .., found '${pattern}'`,
    ),
  ],
  [
    'artifacts that lie elsewhere',
    withStep({ artifacts: ['/etc', '../x', 'dist/../..', '.', 'dist'] }),
    ['/etc', '../x', 'dist/../..', '.'].map(
      (path, index) => `${unit}.artifacts[${index}]: expected a path in /work, relative and without .., found '${path}'`,
    ),
  ],
  [
    'caches that are relative, hide the tree or one another',
    withStep({ caches: { a: 'x', b: '/work', c: '/cache', d: '/cache/npm', e: '/cached' } }),
    [
      `${unit}.caches.a: expected an absolute path, outside /changeless, found 'x'`,
      `${unit}.caches.b: expected a path that does not hide /work, found /work`,
      `${unit}.caches.d: expected a path apart from those of other caches, found /cache/npm beside /cache, which is at ${unit}.caches.c`,
    ],
  ],
  [
    'parameters that are no variables, or are reserved',
    withJob({ parameters: { 'a-b': 1, CHANGELESS_JOB: 'x', suite: 'all' } }),
    ['a-b', 'CHANGELESS_JOB'].map(
      (name) =>
        `jobs.test.parameters.${name}: expected the name of an environment variable, not starting with CHANGELESS_, found '${name}'`,
    ),
  ],
  [
    'a setting that hides a parameter',
    withStep({ settings: { suite: 'x' } }, { parameters: { suite: 'all' } }),
    [`${unit}.settings.suite: expected a name that no parameter has, found suite, which is at jobs.test.parameters.suite`],
  ],
  [
    'a secret that is not declared',
    withStep({ secrets: ['token'] }),
    [`${unit}.secrets[0]: expected a name in secrets (there is none), found token`],
  ],
  [
    'a job with the name of what pushes run',
    withJob({}, { deliver: { steps: [step] } }),
    ['jobs.deliver: the name deliver is reserved for what runs a pushed release; expected another'],
  ],
  ['a step that may take no time', withStep({ limitMs: 0 }), [`${unit}.limitMs: expected a whole number from 1 to 86400000, found 0`]],
];
