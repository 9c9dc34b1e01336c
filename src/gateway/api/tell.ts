import type { Told } from '../../api/schemas.ts';
import type { RunId } from '../../digest.ts';
import { findCommand } from '../../ledger/commands.ts';
import type { Reading } from '../../ledger/database.ts';
import { recordOf } from '../../ledger/decide-claim.ts';
import { readDeliveries } from '../../ledger/deliveries.ts';
import { numberedEvents } from '../../ledger/entries.ts';
import type { RolloutRecord } from '../../ledger/ledger.ts';
import { factsOf } from '../../ledger/release-facts.ts';
import { liveRollout, newestRollouts, rolloutInCharge } from '../../ledger/rollouts.ts';
import { findRun, listRuns } from '../../ledger/sqlite-job-runs.ts';
import { readTokens } from '../../ledger/tokens.ts';
import type { Problem } from '../../problem.ts';
import { done, failed, type Result } from '../../result.ts';
import type { Answering, Handlers } from './handlers.ts';
import { toldCommand, toldRollout, toldRun, toldToken } from './views.ts';

export const unreadable: Problem = {
  code: 'LEDGER_UNREADABLE',
  what: 'the ledger cannot be read just now',
  safe: 'nothing was changed; what is live does not depend on the ledger',
  next: 'try again; changeless status',
};

/** `look`'s answer, or LEDGER_UNREADABLE. */
async function told<T>({ read }: Answering, look: (database: Reading) => Result<T>): Promise<Result<T>> {
  return read(look) ?? failed(unreadable);
}

/** What is told of a release is looked for among so many rollouts. */
const lookedAt = 1000;

/** All that is told at once. */
export const tell: Pick<
  Handlers,
  'status' | 'releases' | 'release' | 'rollouts' | 'jobs' | 'runs' | 'run' | 'events' | 'deliveries' | 'command' | 'tokens'
> = {
  status: (answering) => told(answering, (database) => done(statusOf(database))),
  releases: (answering, { query: { limit, before = Infinity } }) =>
    told(answering, (database) => {
      const all = releasesIn(database).filter(({ rollouts: [newest = 0] }) => newest < before);
      const items = all.slice(0, limit);
      return done({ items, next: all.length > limit ? String(items.at(-1)?.rollouts[0] ?? '') : null });
    }),
  release: (answering, { parameters }) =>
    told(answering, (database) => {
      const found = releasesIn(database).find(({ release }) => release === parameters.release);
      return found ? done(found) : failed(unknown('UNKNOWN_RELEASE', `no release ${parameters.release} was rolled out here`));
    }),
  rollouts: (answering, { query: { limit, before } }) =>
    told(answering, (database) => {
      const records = newestRollouts(database, limit + 1, before)
        .map(recordOf)
        .map(toldRollout);
      return done(pageOf(records, limit, ({ number }) => String(number)));
    }),
  jobs: (answering) =>
    told(answering, (database) => {
      const facts = liveFacts(database)?.facts;
      const items = (facts?.jobs ?? []).map(({ job, on, parameters }) => {
        const [last] = listRuns(database, { job, limit: 1 });
        return { job, on: writable(on), parameters, last: last ? toldRun(last) : null };
      });
      return done({ items, next: null });
    }),
  runs: (answering, { query: { limit, before, job } }) =>
    told(answering, (database) => {
      const filter = { ...(job !== undefined && { job }), ...(before !== undefined && { before: before as RunId }) };
      return done(pageOf(listRuns(database, { ...filter, limit: limit + 1 }).map(toldRun), limit, ({ run }) => run));
    }),
  run: (answering, { parameters }) =>
    told(answering, (database) => {
      const found = findRun(database, parameters.run as RunId);
      return found ? done(toldRun(found)) : failed(unknownRun(parameters.run));
    }),
  events: (answering, { query: { limit, ...filter } }) =>
    told(answering, (database) =>
      done(pageOf(numberedEvents(database, { ...given(filter), limit: limit + 1 }), limit, ({ number }) => String(number))),
    ),
  deliveries: (answering, { query: { limit, before } }) =>
    told(answering, (database) => {
      const deliveries = readDeliveries(database, { limit: limit + 1, ...(before !== undefined && { before }) });
      return done(pageOf(deliveries, limit, ({ number }) => String(number)));
    }),
  command: (answering, { parameters }) =>
    told(answering, (database) => {
      const record = findCommand(database, parameters.command) ?? answering.recent.find(parameters.command);
      const found = record && toldCommand(record);
      return found ? done(found) : failed(unknown('UNKNOWN_COMMAND', `no command ${parameters.command} is on record`));
    }),
  tokens: (answering) => told(answering, (database) => done({ items: readTokens(database).map(toldToken), next: null })),
};

const unknown = (code: 'UNKNOWN_RELEASE' | 'UNKNOWN_COMMAND' | 'UNKNOWN_RUN', what: string): Problem => ({ code, what });

export const unknownRun = (run: string): Problem => unknown('UNKNOWN_RUN', `no run ${run} is on record`);

/** `found` has one more than a page holds, where there is a next one. */
function pageOf<Item>(found: readonly Item[], limit: number, positionOf: (item: Item) => string): { items: Item[]; next: string | null } {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return { items, next: found.length > limit && last !== undefined ? positionOf(last) : null };
}

/** Without members that are undefined. */
const given = <T extends object>(values: T): { [Key in keyof T]: Exclude<T[Key], undefined> } =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]: Exclude<T[Key], undefined>;
  };

function statusOf(database: Reading): Told['status'] {
  const live = liveFacts(database);
  const inCharge = rolloutInCharge(database);
  return {
    architecture: live?.facts?.architecture ?? null,
    live: live ? deployed(live.record) : null,
    underWay: inCharge && inCharge.outcome === undefined ? deployed(inCharge) : null,
    apps: writable(live?.facts?.apps ?? {}),
  };
}

const deployed = ({ release, commit, environment, startedAt, endedAt }: RolloutRecord): NonNullable<Told['status']['live']> => ({
  release,
  commit,
  environment,
  since: endedAt ?? startedAt,
});

function liveFacts(database: Reading) {
  const record = liveRollout(database);
  return record && { record, facts: factsOf(database, record) };
}

function releasesIn(database: Reading): Told['release'][] {
  const live = liveRollout(database);
  const all = newestRollouts(database, lookedAt);
  return [...Map.groupBy(all, ({ release, environment }) => `${release} ${environment}`).values()].map((rollouts) => {
    const [newest] = rollouts;
    if (newest === undefined) throw new Error('a group of nothing');
    const { release, commit, environment, startedAt } = newest;
    const isLive = live?.release === release && live.environment === environment;
    return { release, commit, environment, live: isLive, rollouts: rollouts.map(({ token }) => token), lastRolledOutAt: startedAt };
  });
}

/** The same without `readonly`, which is a matter of types alone. */
const writable = <T>(value: T): Writable<T> => value as Writable<T>;

type Writable<T> = T extends readonly (infer Item)[]
  ? Writable<Item>[]
  : T extends object
    ? { -readonly [Key in keyof T]: Writable<T[Key]> }
    : T;
