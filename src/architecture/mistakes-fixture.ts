import { channelMistakes } from './channel-mistakes-fixture.ts';
import { jobMistakes } from './job-mistakes-fixture.ts';
import { notJsonKey } from './not-json.ts';

export const service = { build: 'catalog/api', port: 3000 };
const store = { build: 'sessions', port: 6379, data: '/data' };

export const migrate = { command: ['migrate'] };

/** An architecture of one service, with something of it written otherwise. */
export const withService = (change: object): object => ({
  name: 'shop',
  apps: { catalog: { services: { api: { ...service, ...change } } } },
});

/** What may be written wrong, and what is said of it. */
const api = 'apps.catalog.services.api';
export const mistakes: [name: string, value: unknown, expected: string[]][] = [
  ['nothing at all', undefined, [': expected an object, found nothing']],
  [
    'a function',
    { [notJsonKey]: 'a function' },
    [': expected plain data, found a function', ': expected an object, found nothing'].slice(0, 1),
  ],
  [
    'a name in capitals',
    { name: 'Shop' },
    ["name: expected a name of lower-case letters, digits and hyphens that starts with a letter, at most 40 characters, found 'Shop'"],
  ],
  ['a port in words', withService({ port: 'eighty' }), [`${api}.port: expected a whole number from 1 to 65535, found 'eighty'`]],
  ['a port out of range', withService({ port: 65536 }), [`${api}.port: expected a whole number from 1 to 65535, found 65536`]],
  [
    'a range that ends before it begins',
    withService({ replicas: { min: 3, max: 2 } }),
    [`${api}.replicas.max: expected at least min, found 2`],
  ],
  [
    'a metric without a target',
    withService({ replicas: { min: 1, max: 2, metric: 'cpu' } }),
    [`${api}.replicas.metric: expected a target beside it, found 'cpu'`],
  ],
  [
    'a target without a metric',
    withService({ replicas: { min: 1, max: 2, target: 4 } }),
    [`${api}.replicas.target: expected a metric beside it, found 4`],
  ],
  [
    'an unknown metric',
    withService({ replicas: { min: 1, max: 2, metric: 'load', target: 4 } }),
    [`${api}.replicas.metric: expected one of cpu, requests, found 'load'`],
  ],
  [
    'a range of a service on the port where instances are said to leave',
    withService({ port: 10_101, replicas: { min: 1, max: 2 } }),
    [`${api}.replicas: an instance that leaves is said to on port 10101, which is the service's; expected another port`],
  ],
  [
    'requests counted where none arrive, in the architecture and in an environment',
    {
      name: 'shop',
      apps: {
        catalog: {
          services: {
            api: { ...service, entry: true },
            more: { ...service, replicas: { min: 1, max: 2, metric: 'requests', target: 4 } },
          },
        },
      },
      environments: { big: { apps: { catalog: { services: { more: { replicas: { min: 1, max: 9, metric: 'requests', target: 4 } } } } } } },
    },
    [
      'apps.catalog.services.more.replicas.metric: only requests to the entry of an app are counted; expected cpu, found requests',
      'environments.big.apps.catalog.services.more.replicas.metric: only requests to the entry of an app are counted; expected cpu, found requests',
    ],
  ],
  [
    'a missing port',
    { name: 's', apps: { a: { services: { w: { build: 'x' } } } } },
    ['apps.a.services.w.port: expected a whole number from 1 to 65535, found nothing'],
  ],
  [
    'an alarm without a limit',
    withService({ alarms: { hot: { metric: 'cpu' } } }),
    [`${api}.alarms.hot: expected above or below, one of the two, found an object`],
  ],
  [
    'an alarm on a metric of something else',
    withService({ alarms: { slow: { metric: 'latency-p99', above: 1 } } }),
    [`${api}.alarms.slow.metric: expected one of cpu, memory, restarts, found 'latency-p99'`],
  ],
  [
    'a step without a command',
    withService({ steps: { before: { migrate: {} } } }),
    [`${api}.steps.before.migrate.command: expected a list: the program and its arguments, found nothing`],
  ],
  [
    'a step that may take no time',
    withService({ steps: { after: { warm: { ...migrate, limitMs: 0 } } } }),
    [`${api}.steps.after.warm.limitMs: expected a whole number from 1 to 86400000, found 0`],
  ],
  [
    'two steps of one name',
    withService({ steps: { before: { migrate }, after: { migrate } } }),
    [
      `${api}.steps.after.migrate: expected a name that no other step of the service has, found migrate, which is at ${api}.steps.before.migrate`,
    ],
  ],
  ['an unknown key', withService({ prot: 1 }), [`${api}.prot: unknown key; did you mean port?`]],
  [
    'an unknown key that is like no other',
    { name: 's', zzz: 1 },
    [
      'zzz: unknown key; expected one of name, core, apps, stores, agents, jobs, environments, channels, gateway, deliver, secrets, rollout',
    ],
  ],
  [
    'a folder that leads out',
    withService({ build: '../x' }),
    [`${api}.build: expected a folder relative to architecture.ts, such as 'catalog/api', without .., found '../x'`],
  ],
  [
    'a build of the wrong kind',
    withService({ build: 3 }),
    [`${api}.build: expected a folder relative to architecture.ts, such as 'catalog/api', without .. or an object, found 3`],
  ],
  [
    'an unknown key in a build',
    withService({ build: { folder: 'x', dockerfil: 'y' } }),
    [`${api}.build.dockerfil: unknown key; did you mean dockerfile?`],
  ],
  [
    'a repository that runs a program',
    withService({ build: { folder: 'x', repository: 'ext::sh' } }),
    [
      `${api}.build.repository: expected the address of a git repository (https://…, ssh://…, user@host:path, file:///… or an absolute path), found 'ext::sh'`,
    ],
  ],
  [
    'a reserved setting',
    withService({ settings: { CHANGELESS_X: '1' } }),
    [`${api}.settings.CHANGELESS_X: expected the name of an environment variable, not starting with CHANGELESS_, found 'CHANGELESS_X'`],
  ],
  [
    'a setting that is an object',
    withService({ settings: { A: {} } }),
    [`${api}.settings.A: expected text or a number or true or false, found an object`],
  ],
  [
    'a health path without its slash',
    withService({ health: { path: 'x' } }),
    [`${api}.health.path: expected a path that starts with /, found 'x'`],
  ],
  ['a health of another kind', withService({ health: 'http' }), [`${api}.health: expected 'tcp' or an object, found 'http'`]],
  [
    'a size in other units',
    withService({ limits: { memory: '256mb' } }),
    [`${api}.limits.memory: expected a size such as '256m', found '256mb'`],
  ],
  [
    'a function among settings',
    withService({ settings: { A: { [notJsonKey]: 'a function' } } }),
    [`${api}.settings.A: expected plain data, found a function`],
  ],
  [
    'a reserved app',
    { name: 's', apps: { core: { services: { w: service } } } },
    ['apps.core: the name core is reserved for a part that every architecture has; expected another'],
  ],
  [
    'a reserved service',
    { name: 's', apps: { a: { services: { path: service } } } },
    ['apps.a.services.path: the name path is reserved for a part that every architecture has; expected another'],
  ],
  ['an app without services', { name: 's', apps: { a: { services: {} } } }, ['apps.a.services: expected at least one service, found none']],
  [
    'two services, no entry',
    { name: 's', apps: { a: { services: { v: service, w: service } } } },
    ['apps.a.services: expected entry: true in one of v, w, found it in none'],
  ],
  [
    'two entries',
    { name: 's', apps: { a: { services: { v: { ...service, entry: true }, w: { ...service, entry: true } } } } },
    ['apps.a.services.w.entry: expected one entry in an app, found another at apps.a.services.v.entry'],
  ],
  [
    'the only service is no entry',
    withService({ entry: false }),
    [`${api}.entry: expected true in the only service of an app, found false`],
  ],
  [
    'a store that is not there',
    { ...withService({ stores: ['sesions'] }), stores: { sessions: store } },
    [`${api}.stores[0]: expected a store (sessions), found sesions (did you mean sessions?)`],
  ],
  [
    'a store with the name of an app',
    { ...withService({}), stores: { catalog: store } },
    ['stores.catalog: a store and an app (apps.catalog) have one name; expected a name of its own'],
  ],
  [
    'data kept in memory',
    { name: 's', stores: { d: { ...store, writable: ['/data'] } } },
    ['stores.d.writable: /data is where the kept volume is mounted; memory there would lose the data'],
  ],
  [
    'a range of addresses that is none',
    { name: 's', core: { sources: { deny: ['10.0.0.0/33'] } } },
    ["core.sources.deny[0]: expected an IP address or a range of them, such as '192.0.2.0/24', found '10.0.0.0/33'"],
  ],
  [
    'a port published twice',
    { name: 's', core: { publish: [80, '127.0.0.1:80'] } },
    ['core.publish[1]: expected each port once, found 127.0.0.1:80 again, which is at core.publish[0]'],
  ],
  [
    'a port published for clients and for metrics',
    { name: 's', core: { publish: [80, 81], metrics: '127.0.0.1:81' } },
    ['core.metrics: expected each port once, found 127.0.0.1:81 again, which is at core.publish[1]'],
  ],
  [
    'an environment of an app that is not there',
    { ...withService({}), environments: { p: { apps: { catalgo: {} } } } },
    ['environments.p.apps.catalgo: expected a name in apps (catalog), found catalgo (did you mean catalog?)'],
  ],
  [
    'an environment of a service that is not there',
    { ...withService({}), environments: { p: { apps: { catalog: { services: { web: {} } } } } } },
    ['environments.p.apps.catalog.services.web: expected a name in apps.catalog.services (api), found web'],
  ],
  [
    'a secret that is not declared, in a list and in a map',
    {
      ...withService({ secrets: ['pasword'] }),
      secrets: { password: { version: 1 } },
      stores: { d: { ...store, secrets: { key: 'file' } } },
    },
    [
      `${api}.secrets[0]: expected a name in secrets (password), found pasword (did you mean password?)`,
      'stores.d.secrets.key: expected a name in secrets (password), found key',
    ],
  ],
  [
    'two secrets in one file',
    { ...withService({ secrets: { one: 'file', two: 'file' } }), secrets: { one: { version: 1 }, two: { version: 1 } } },
    [`${api}.secrets.two: expected a file of its own, found file, which is at ${api}.secrets.one`],
  ],
  [
    'files where secrets are',
    { ...withService({ secrets: ['one'], files: { '/run/secrets/x': '' }, writable: ['/run/secrets'] }), secrets: { one: { version: 1 } } },
    [
      `${api}.files["/run/secrets/x"]: expected a path outside /run/secrets, where its secrets are, found /run/secrets/x`,
      `${api}.writable[0]: expected a path outside /run/secrets, where its secrets are, found /run/secrets`,
    ],
  ],
  [
    'a value where a version is to be',
    { ...withService({}), secrets: { password: { version: 0 }, 'pass word': { version: 1 } } },
    [
      'secrets.password.version: expected a whole number from 1 to 1000000, found 0',
      'secrets["pass word"]: expected a name of letters, digits, - and _ that starts with a letter, at most 64 characters, found \'pass word\'',
    ],
  ],
  [
    'an environment of a secret that is not there',
    { ...withService({}), environments: { p: { secrets: { key: { version: 1 } } } } },
    ['environments.p.secrets.key: expected a name in secrets (there is none), found key'],
  ],
  [
    'a gateway without webhooks, and with secrets that are not there',
    { name: 's', gateway: { webhooks: {} } },
    ['gateway: expected at least one webhook, git, or api: true, found none of them'],
  ],
  [
    'a gateway that takes and tells nothing',
    { name: 's', gateway: { api: false } },
    ['gateway: expected at least one webhook, git, or api: true, found none of them'],
  ],
  [
    'webhooks whose secrets are not there, and whose names and repositories are none',
    {
      name: 's',
      secrets: { hook: { version: 1 } },
      gateway: {
        host: 'Deliver',
        replicas: 0,
        webhooks: {
          github: { secret: 'hok' },
          '../x': { secret: 'hook' },
          forge: { secret: 'hook', repository: 'ext::sh' },
          git: { secret: 'hook' },
        },
        git: { secret: 'push' },
      },
    },
    [
      "gateway.host: expected a host name in lower case, found 'Deliver'",
      'gateway.replicas: expected a whole number from 1 to 100, found 0',
      'gateway.webhooks["../x"]: expected a name of letters, digits, - and _ that starts with a letter, at most 64 characters, found \'../x\'',
      "gateway.webhooks.forge.repository: expected the name of a repository, 'owner/name', found 'ext::sh'",
      'gateway.webhooks.github.secret: expected a name in secrets (hook), found hok (did you mean hook?)',
      'gateway.git.secret: expected a name in secrets (hook), found push',
      'gateway.webhooks.git: expected another name of a webhook than git, which is what the git remote’s pushes are called',
    ],
  ],
  [
    'a gateway whose host an app has, and one that only an environment has',
    {
      ...withService({}),
      secrets: { hook: { version: 1 } },
      gateway: { host: 'catalog.localhost', webhooks: { github: { secret: 'hook' } } },
    },
    ['gateway.host: expected a host name that no other app has, found catalog.localhost, which app catalog has at apps.catalog'],
  ],
  [
    'a gateway that only an environment has',
    { ...withService({}), environments: { p: { gateway: { host: 'deliver.example.com' } } } },
    ['environments.p.gateway: expected gateway in the architecture too, found none'],
  ],
  [
    'a repository that git would run, or whose password everybody could read',
    {
      name: 's',
      deliver: { repository: 'ext::sh -c id', branch: '-x', folder: '../up', secret: 'key' },
      environments: { p: { deliver: { branch: 'a..b' }, schedules: 'yes' } },
    },
    [
      "environments.p.deliver.branch: expected the name of a branch, found 'a..b'",
      "environments.p.schedules: expected true or false, found 'yes'",
      "deliver.repository: expected the address of a git repository without user and password: https://…, ssh://…, user@host:path, or http:// of this machine, found 'ext::sh -c id'",
      "deliver.branch: expected the name of a branch, found '-x'",
      "deliver.folder: expected a folder of the repository, relative and without .., found '../up'",
      'deliver.secret: expected a name in secrets (there is none), found key',
    ],
  ],
  [
    'a branch of no repository',
    { name: 's', deliver: { branch: 'main' } },
    ['deliver: expected the repository that is delivered, found none'],
  ],
  [
    'an environment that follows a branch of no repository',
    { ...withService({}), environments: { p: { deliver: { branch: 'production' } } } },
    ['environments.p.deliver: expected deliver in the architecture too, found none'],
  ],
  [
    'an environment of a store that is not there',
    { name: 's', environments: { p: { stores: { d: {} } } } },
    ['environments.p.stores.d: expected a name in stores (there is none), found d'],
  ],
  ...jobMistakes,
  ...channelMistakes,
];
