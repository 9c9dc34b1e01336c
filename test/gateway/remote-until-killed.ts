import { runGateway } from '../../src/gateway/run-gateway.ts';
import { type InboxFile, type InboxFiles, inboxFilesIn } from '../../src/gateway/inbox-files.ts';
import { GitRepository } from '../../src/gateway/git/git-repository.ts';
import { usualLimits } from '../../src/gateway/git/limited-git.ts';
import { Secret } from '../../src/secret.ts';
import { realTimers } from '../../src/timers.ts';
import { password } from './git-fixture.ts';

/** A gateway that kills itself: around its first record of a push, or so many milliseconds after its third. Run by git-killed.test.ts. */
const [volume, inbox, port, moment, round] = process.argv.slice(2) as [string, string, string, string, string];
const die = (): void => void process.kill(process.pid, 'SIGKILL');

let synced = 0;

const dying = (file: InboxFile): InboxFile => ({
  ...file,
  append: async (pieces) => {
    if (moment === 'before-append') die();
    await file.append(pieces);
    if (moment === 'before-sync') die();
  },
  sync: async () => {
    await file.sync();
    synced += 1;
    if (moment === 'after-sync') die();
    if (synced === 3 && Number(moment) >= 0) realTimers.after(Number(moment), die);
  },
});

const files = inboxFilesIn(inbox);
const watched: InboxFiles = { ...files, make: async (name) => dying(await files.make(name)) };
let names = 0;
await runGateway({
  files: watched,
  webhooks: [],
  git: {
    name: 'shop',
    secret: new Secret(password),
    repository: new GitRepository(volume, { name: 'repository.git', limits: usualLimits }),
  },
  readTaken: () => undefined,
  address: { host: '127.0.0.1', port: Number(port) },
  report: () => {},
  clock: () => new Date(),
  random: (characters) => `${round}x${(names += 1)}`.padStart(characters, '0'),
  timers: realTimers,
  signal: new AbortController().signal,
});
