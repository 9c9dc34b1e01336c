import type { CommandDefinition, OptionDefinition } from './definition.ts';

const leaveWrites = {
  flags: '--leave-writes',
  description: 'go to an older data generation of a store, without what was written since',
};

const identity: OptionDefinition = {
  flags: '--identity <file>',
  description: "the keys to secrets (default: CHANGELESS_IDENTITY, else the user's folder of keys)",
};

const server: OptionDefinition = {
  flags: '--server <address>',
  description: 'ask the API of that gateway instead of the engine, with the token of CHANGELESS_TOKEN or of login',
};

const worktree: OptionDefinition = {
  flags: '--worktree',
  description: 'the working folder as it is, instead of a commit; runs in local only',
};
const commit = { name: '[commit]', description: 'any name git knows a commit by (default: HEAD)' };

/** Every command there is, in the order of --help. The reference page is made from this. */
export const commands: readonly CommandDefinition[] = [
  {
    name: 'init',
    summary: 'start a new architecture that runs',
    details:
      'Writes an example, its lock and what an editor needs into a new folder, and commits it. Makes a git repository unless the folder is in one.',
    arguments: [{ name: '[folder]', description: 'a folder that is empty or does not exist (default: the current one)' }],
    options: [{ flags: '--template <name>', description: 'the example to start from (default: hello)' }],
    examples: [{ command: 'changeless init shop --template streaming', does: 'two apps and a store, in ./shop' }],
    load: () => import('./commands/init.ts'),
  },
  {
    name: 'lock',
    summary: 'pin what comes from outside',
    details:
      'Writes architecture.lock: each external image a Dockerfile names with its digest, each other repository with its commit. Keeps the pins it has, unless --update is given. Commit the file.',
    arguments: [],
    options: [{ flags: '--update', description: 'move every pin to what is there now' }],
    examples: [{ command: 'changeless lock --update', does: 'pins what is new, and moves what changed' }],
    load: () => import('./commands/lock.ts'),
  },
  {
    name: 'plan',
    summary: 'what up would build and replace, and why',
    details: 'Compares a commit with what is live. Changes nothing, neither on the engine nor in the folder.',
    arguments: [commit],
    options: [worktree],
    examples: [{ command: 'changeless plan', does: 'what HEAD would change' }],
    load: () => import('./commands/plan.ts'),
  },
  {
    name: 'build',
    summary: 'make the images of a release, tested',
    details: 'Builds the components whose inputs changed, runs their tests, and seals the release image. Starts nothing.',
    arguments: [commit],
    options: [worktree],
    examples: [{ command: 'changeless build v1.4', does: 'the release of tag v1.4' }],
    load: () => import('./commands/build.ts'),
  },
  {
    name: 'up',
    summary: 'build what is missing, run the release, watch until it is live',
    details:
      'The live release serves every request until all that is to be replaced is healthy; then it is switched, drained and removed. What did not change keeps its very containers. Run again, it changes nothing. A release that failed here, or that was rolled back, is not deployed again unless it is asked for with --release-anyway.',
    arguments: [{ name: '[commit or release]', description: 'a commit (default: HEAD), or a release that was built before' }],
    options: [
      worktree,
      { flags: '--detach', description: 'return when the rollout has started' },
      { flags: '--hold', description: 'stop when all is healthy, to look at it; up again lets it live, drop takes it away' },
      { flags: '--wait', description: 'where another rollout runs, come next; the latest that waits wins' },
      { flags: '--release-anyway', description: 'also a release that failed here, or that was rolled back' },
      leaveWrites,
      identity,
    ],
    examples: [{ command: 'changeless up', does: 'HEAD becomes live' }],
    load: () => import('./commands/up.ts'),
  },
  {
    name: 'drop',
    summary: 'take away what up --hold prepared',
    details: 'The release that is held for a look is removed, with all that was started for it. What serves serves on.',
    arguments: [],
    options: [],
    examples: [{ command: 'changeless drop', does: 'as if it had never been held' }],
    load: () => import('./commands/drop.ts'),
  },
  {
    name: 'status',
    summary: 'what is live, and where to reach it',
    details:
      'Release, commit, apps, stores, the core and the controller as the engine has them now, with drift, and with what goes through the apps: of the last second requests, errors and latencies; all retries and refusals since the data path serves. With --server what the ledger knows: release, commit, the rollout under way, and addresses.',
    arguments: [],
    options: [server, { flags: '--routes', description: 'also what goes through each route of a policy; as JSON it is always there' }],
    examples: [{ command: 'changeless status --json', does: 'the same for programs' }],
    load: () => import('./commands/status.ts'),
  },
  {
    name: 'log',
    summary: 'what was rolled out, newest first',
    details: 'The history kept in the ledger on the engine: every rollout with its release, commit and outcome.',
    arguments: [],
    options: [server, { flags: '--limit <number>', description: 'how many rollouts (default: 20)' }],
    examples: [{ command: 'changeless log --limit 5', does: 'the last five rollouts' }],
    load: () => import('./commands/log.ts'),
  },
  {
    name: 'deliveries',
    summary: 'what the gateway took, newest first',
    details:
      'Webhooks that were answered with 2xx and that the controller has entered into the ledger: once each, however often they came.',
    arguments: [],
    options: [server, { flags: '--limit <number>', description: 'how many deliveries (default: 20)' }],
    examples: [{ command: 'changeless deliveries --limit 5', does: 'the last five' }],
    load: () => import('./commands/deliveries.ts'),
  },
  {
    name: 'show',
    summary: 'one release, and the command that runs it by hand',
    details: 'What a release holds. The printed command brings the architecture back on an engine that has nothing but the images.',
    arguments: [{ name: '<release>', description: 'the first characters of its id, a commit, or `live`' }],
    options: [],
    examples: [{ command: 'changeless show live', does: 'the release that serves now' }],
    load: () => import('./commands/show.ts'),
  },
  {
    name: 'diff',
    summary: 'two releases in words',
    details: 'Images, settings, routes, limits: what differs between two releases on the engine.',
    arguments: [
      { name: '<a>', description: 'a release, or `live`' },
      { name: '<b>', description: 'another release' },
    ],
    options: [],
    examples: [{ command: 'changeless diff 81be0c4 live', does: 'what changed since 81be0c4' }],
    load: () => import('./commands/diff.ts'),
  },
  {
    name: 'rollback',
    summary: 'run the previous release, or an earlier one',
    details: 'Runs a release image that is on the engine: nothing is evaluated or built. The same gates apply as going forward.',
    arguments: [{ name: '[release]', description: 'the first characters of its id (default: what was live before)' }],
    options: [{ flags: '--detach', description: 'return when the rollout has started' }, leaveWrites, identity],
    examples: [{ command: 'changeless rollback', does: 'back to what was live before' }],
    load: () => import('./commands/rollback.ts'),
  },
  {
    name: 'scale',
    summary: 'have more or fewer instances of a service, within its range',
    details:
      'Instances are added and removed, never changed. One that goes first finishes the requests it has, up to the drain limit of its app. Asks the controller in charge and waits until it is so. A service with a metric goes on from there as the metric asks.',
    arguments: [
      { name: '<service>', description: 'an app and its service, `catalog.api`' },
      { name: '<count>', description: 'how many; architecture.ts says from `min` to `max`' },
    ],
    options: [],
    examples: [{ command: 'changeless scale catalog.api 5', does: 'five instances of api in catalog' }],
    load: () => import('./commands/scale.ts'),
  },
  {
    name: 'secret',
    summary: 'values that are in no image, by version',
    details:
      'A value is encrypted into a file of its own, secrets/<name>/<version>.age, which is committed and never changes; architecture.ts names the version. `add` writes the next version, from standard input or typed unseen; `rotate` does so and moves the line that names the version; `list` says which release uses which; `init` makes a key for this machine and lets it open what is added from then on, which the first `add` does by itself. `certificate` makes a certificate for an app whose hosts are below `localhost`, by an authority of this user (made once, in the configuration folder, good for no other names), adds it and its key as next versions of the secrets that the app names in `tls`, and says how to trust the authority.',
    arguments: [
      { name: '<action>', description: '`add`, `rotate`, `list`, `init` or `certificate`' },
      { name: '[name]', description: "the secret's, for `add` and `rotate`; never its value; the app's, for `certificate`" },
    ],
    options: [identity],
    examples: [
      { command: 'changeless secret add dbPassword < password.txt', does: 'writes secrets/dbPassword/1.age' },
      { command: 'changeless secret certificate catalog', does: 'lets catalog.localhost be reached over TLS' },
    ],
    load: () => import('./commands/secret.ts'),
  },
  {
    name: 'verify',
    summary: 'prove that what runs is what the release says',
    details:
      'Compares every container with its image, its creation and the release; finds missing and foreign ones. Exit code 3 when anything differs.',
    arguments: [],
    options: [],
    examples: [{ command: 'changeless verify', does: 'compares everything, changes nothing' }],
    load: () => import('./commands/verify.ts'),
  },
  {
    name: 'explain',
    summary: 'why a container or an app is there',
    details: 'Commit, key, image digest, tests, since when, and whether it was touched; all from the labels on the engine.',
    arguments: [
      { name: '<container or app>', description: "an app's, store's or container's name, or the first characters of a container id" },
    ],
    options: [],
    examples: [{ command: 'changeless explain catalog', does: 'each container of app catalog' }],
    load: () => import('./commands/explain.ts'),
  },
  {
    name: 'logs',
    summary: 'what an app, a store, the core or the controller wrote',
    details: 'The output of all containers of the unit, each line with its container where there are several.',
    arguments: [{ name: '<unit>', description: "an app's or store's name, `core` or `controller`" }],
    options: [
      { flags: '--follow', description: 'go on until Ctrl-C' },
      { flags: '--release <release>', description: 'only what that release started' },
      { flags: '--tail <number>', description: 'the last lines of each container (default: 100)' },
    ],
    examples: [{ command: 'changeless logs catalog --follow', does: 'as it is written' }],
    load: () => import('./commands/logs.ts'),
  },
  {
    name: 'jobs',
    summary: 'which jobs there are, and how each ran last',
    details: 'The jobs of the release that is live, with the last run of each, its outcome and when it was.',
    arguments: [],
    options: [server],
    examples: [{ command: 'changeless jobs --json', does: 'the same for programs' }],
    load: () => import('./commands/jobs.ts'),
  },
  {
    name: 'job',
    summary: 'run a job by hand, read what its steps print, or end a run',
    details:
      'A run takes its steps from the release that is live, and their folder from a commit. It is accepted by the controller in charge, and ends once whichever controllers die on the way. `run` prints what the steps print and ends with 0 when all passed; ctrl-c leaves the run to itself. `logs` prints it of any run; `cancel` asks the steps to end, and ends them after ten seconds.',
    arguments: [
      { name: '<action>', description: '`run`, `logs` or `cancel`' },
      { name: '<name>', description: "the job's, for `run`; else the run's" },
      { name: '[commit]', description: 'for `run`: any name git knows a commit by (default: HEAD)' },
    ],
    options: [
      server,
      { flags: '--param <name=value...>', description: "for `run`: a parameter of the job's" },
      { flags: '--detach', description: 'for `run`: return when it is accepted' },
      { flags: '--local', description: 'for `run`: here, from the folder as it is (or a commit), whatever is live; no server takes part' },
      { flags: '--step <step>', description: 'for `logs`: of that step alone' },
      { flags: '--follow', description: 'for `logs`: until the run has ended' },
    ],
    examples: [
      { command: 'changeless job run test --param level=high', does: 'runs job test on HEAD' },
      { command: 'changeless job run test --local', does: 'tries job test of the working folder on this machine' },
      { command: 'changeless job logs test-3f9c1a2b --step unit', does: 'what step unit of that run printed' },
    ],
    load: () => import('./commands/job.ts'),
  },
  {
    name: 'token',
    summary: 'who may use the API of the gateway',
    details:
      'Of a token only a digest is kept, in the ledger: `add` prints it once, and nobody can print it again. It is accepted at once, by each release that has an API, also after a rollback; from `revoke` on no more. Scopes: `read` sees everything but tokens, `deploy` starts and cancels runs, goes back and deploys releases that are sealed, `admin` also sees and revokes tokens. Asks the controller in charge, through the engine.',
    arguments: [
      { name: '<action>', description: '`add`, `list` or `revoke`' },
      { name: '[name]', description: "the token's, for `add` and `revoke`: lower-case letters, digits, dots, hyphens and _" },
    ],
    options: [
      { flags: '--scope <scope>', description: 'for `add`: what it is for (default: read)', choices: ['read', 'deploy', 'admin'] },
      { flags: '--days <number>', description: 'for `add`: how long it is accepted, at most 366 (default: 90)' },
    ],
    examples: [
      { command: 'changeless token add ci --scope deploy --days 30', does: 'prints a token that may deploy' },
      { command: 'changeless token revoke ci', does: 'it is accepted no more' },
    ],
    load: () => import('./commands/token.ts'),
  },
  {
    name: 'login',
    summary: 'keep a token for a server, so that commands can be asked of its API',
    details:
      "Reads the token from standard input, or unseen from a terminal, asks the server whether it is accepted, and keeps it in the user's folder of configuration, in a file that nobody else may read. CHANGELESS_TOKEN goes before what is kept. A token is sent to no address but the one it was kept for, and in the clear only to this machine.",
    arguments: [{ name: '<address>', description: "the gateway's: `https://deliver.example.com`" }],
    options: [],
    examples: [{ command: 'changeless login http://deliver.localhost:8080 < token.txt', does: 'so that jobs --server finds it' }],
    load: () => import('./commands/login.ts'),
  },
  {
    name: 'down',
    summary: 'stop everything; data and history stay',
    details:
      'Removes containers, slots and networks of the architecture. Volumes (data of stores, the ledger) stay unless --data is given and confirmed with the name of the architecture.',
    arguments: [],
    options: [
      { flags: '--data', description: 'remove the data of stores and the history as well; cannot be undone' },
      { flags: '--confirm <name>', description: "the architecture's name, for --data" },
    ],
    examples: [{ command: 'changeless down', does: 'changeless up brings it back, data included' }],
    load: () => import('./commands/down.ts'),
  },
  {
    name: 'gc',
    summary: 'forget images of old releases',
    details: 'Keeps the live release, those it can go back to, and the newest others; removes the images only older ones need.',
    arguments: [],
    options: [{ flags: '--keep <number>', description: 'how many releases to keep besides the live one (default: 5)' }],
    examples: [{ command: 'changeless gc --keep 2', does: 'keeps the live release and two more' }],
    load: () => import('./commands/gc.ts'),
  },
  {
    name: 'controller',
    summary: 'makes the engine match the release; runs inside the release image',
    details:
      'Without an argument it converges and watches until it is stopped. `log`, `events`, `deliveries`, `runs`, `tokens` and `kept` print what the ledger holds.',
    arguments: [
      { name: '[question]', description: '`log`, `events`, `deliveries`, `runs`, `tokens` or `kept`' },
      { name: '[run]', description: 'the run that is asked for' },
      { name: '[step]', description: 'the step whose output is asked for' },
    ],
    options: [
      { flags: '--limit <number>', description: 'how many entries' },
      { flags: '--release <release>', description: 'events of that release only' },
    ],
    examples: [{ command: 'changeless controller', does: 'what the release image runs' }],
    hidden: true,
    load: () => import('./commands/controller.ts'),
  },
  {
    name: 'builder',
    summary: 'fetches a pushed commit, and builds and runs its release; runs inside the builder image',
    details:
      'Does what the file /changeless/task.json of its image says. Its last words on standard output are the problem, where there is one.',
    arguments: [],
    options: [],
    examples: [{ command: 'changeless builder --json', does: 'what the controller runs when something was pushed' }],
    hidden: true,
    load: () => import('./commands/builder.ts'),
  },
];
