import { agent, app, architecture, job, service, step } from 'changeless';

/** One Dockerfile, an agent for each version of the SDK, side by side. */
const android = (sdk: number) =>
  agent({
    build: {
      folder: 'agents/android',
      args: { SDK: sdk },
      tests: [{ command: ['aapt', 'version'] }, { command: ['apksigner', '--version'] }],
    },
  });

export default architecture({
  name: 'pipeline',
  apps: {
    greeter: app({
      services: { web: service({ build: 'greeter', port: 8080, health: { path: '/healthz' } }) },
    }),
  },
  agents: {
    node: agent({ build: 'agents/node' }),
    java: agent({
      build: {
        folder: 'agents/java',
        tests: [{ command: ['java', '-version'] }, { command: ['mvn', '--version'] }, { command: ['gradle', '--version'] }],
      },
    }),
    browser: agent({ build: { folder: 'agents/browser', tests: { command: ['node', '/usr/local/lib/session.mjs'] } } }),
    'android-30': android(30),
    'android-33': android(33),
  },
  jobs: {
    test: job({
      on: { push: { paths: ['greeter/**', 'architecture.ts'] } },
      parameters: { suite: '.' },
      steps: [
        step({ name: 'page', agent: 'node', run: 'cd greeter && node render.mjs > page.html', artifacts: ['greeter/page.html'] }),
        [
          step({ name: 'unit', agent: 'node', run: 'cd greeter && node --test --test-name-pattern="$suite"' }),
          step({ name: 'browser', agent: 'browser', command: ['node', 'greeter/checks/browser.mjs'], limits: { memory: '2g' } }),
        ],
      ],
      limitMs: 600_000,
    }),
    library: job({
      on: { push: { paths: ['library/**'] } },
      steps: [
        [
          step({
            name: 'maven',
            agent: 'java',
            run: 'cd library && mvn --batch-mode "-Dmaven.repo.local=$MAVEN_REPOSITORY" --offline package && java -cp target/classes greeting.Check',
            artifacts: ['library/target/greeting.jar'],
          }),
          step({
            name: 'gradle',
            agent: 'java',
            run: 'cd library && gradle --no-daemon --offline build && java -cp build/classes/java/main greeting.Check',
          }),
        ],
      ],
    }),
    android: job({
      on: { schedule: '0 3 * * *', after: 'library' },
      matrix: { sdk: [30, 33] },
      steps: [step({ name: 'package', agent: 'android-${sdk}', run: 'sh android/package.sh', artifacts: ['android/greeter.apk'] })],
    }),
  },
});
