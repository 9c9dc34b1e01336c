import assert from 'node:assert/strict';
import { once } from 'node:events';
import { it, type TestContext } from 'node:test';
import type { CommitId, RunId } from '../../src/digest.ts';
import { followDelivery, usualFollow, type FollowLimits } from '../../src/gateway/git/follow-delivery.ts';
import { InboxReader } from '../../src/gateway/inbox-reader.ts';
import { readKeptFrom } from '../../src/jobs/kept-from.ts';
import { openKept, type OpenLog } from '../../src/jobs/kept-log.ts';
import { deliverJob, type PlannedStep, type RunOutcome } from '../../src/job-run.ts';
import { gitSource, type RunsOfDelivery } from '../../src/ledger/delivery.ts';
import { lookAtDelivery } from '../../src/ledger/delivery-look.ts';
import { LedgerReader } from '../../src/ledger/ledger-reader.ts';
import type { Problem } from '../../src/problem.ts';
import { realTimers } from '../../src/timers.ts';
import { ledgerFile, opened, releaseOf } from '../ledger/ledger-fixture.ts';
import { Clone, ownFolder, remote } from './git-fixture.ts';
import { Taker, tokenOf } from './taking-fixture.ts';

const step = { key: 'builder/deliver', cell: 'builder', name: 'deliver', group: -1, agent: 'builder' } as PlannedStep;

/** What a controller accepts for a push to `main`: a run that delivers it; and for every push, one of a job `test`. */
const runsOf: RunsOfDelivery = ({ number, branch = '', after = '', source }) =>
  ['test', ...(branch === 'main' ? [deliverJob] : [])].map((job) => ({
    id: `${job}-${number}` as RunId,
    job,
    release: releaseOf('a'),
    commit: after as CommitId,
    environment: 'local',
    reason: 'push',
    parameters: {},
    plan: { steps: [{ ...step, ...(job === 'test' && { key: '/test' }) }], limitMs: 1 },
    push: { delivery: number, source, branch },
  }));

/** A gateway beside a ledger, where the test is the controller. */
async function beside(context: TestContext, limits: Partial<FollowLimits> = {}) {
  const file = ledgerFile(context);
  const ledger = await opened(file);
  context.after(() => ledger.close());
  const token = await tokenOf(ledger);
  const reader = new LedgerReader(file);
  context.after(() => reader.close());
  const logs = { folder: ownFolder(context, 'logs') };
  const closing = new AbortController();
  const follow = followDelivery({
    look: (id) => reader.read((database) => lookAtDelivery(database, { source: gitSource, id })),
    async kept(run, key, from) {
      const { lines, next } = await readKeptFrom(logs, { run, step: key, from });
      return { lines: lines.map(({ line: { line } }) => line), next };
    },
    closing: closing.signal,
    timers: realTimers,
    limits: { ...usualFollow, lookMs: 20, ...limits },
  });
  const at = await remote(context, { follow });
  const clone = await Clone.make(context);
  await clone.commit('one');
  const inbox = new InboxReader(at.files);
  return {
    ...at,
    ledger,
    clone,
    closing,
    take: () => new Taker(Infinity, runsOf).take({ ledger, inbox, token }),
    log: (run: string): Promise<OpenLog> => openKept(logs, { run: run as RunId, step: step.key, token: 1 }),
    end: async (run: string, outcome: RunOutcome, problem?: Problem): Promise<void> => {
      const claimed = await ledger.runs.claim({ owner: 'a', leaseMs: 1000, held: [] });
      const owned = claimed.find(({ id }) => id === run);
      assert.ok(owned);
      await ledger.runs.end(owned, { outcome, ...(problem && { problem }) });
    },
  };
}

type Pushing = { said: () => string; until: (words: RegExp) => Promise<void>; end: Promise<number>; kill: () => void };

/** A pusher's terminal. */
function pushing(clone: Clone, url: string, ...words: string[]): Pushing {
  const child = clone.start('push', url, ...words);
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  let isOver = false;
  const end = once(child, 'close').then(([code]) => {
    isOver = true;
    return code as number;
  });
  return {
    said: () => said,
    async until(wanted) {
      while (!wanted.test(said)) {
        assert.ok(!isOver, `${wanted} is not in ${said}`);
        await Promise.race([once(child.stderr, 'data'), end]);
      }
    },
    end,
    kill: () => void process.kill(-(child.pid ?? 0), 'SIGINT'),
  };
}

it('shows the pusher the delivery, the run, what it prints as it comes, and its end', async (context) => {
  const { url, clone, take, log, end } = await beside(context);
  const push = pushing(clone, url, 'main');
  await push.until(/remote: the push is on disk/);
  await take();
  await push.until(/remote: delivery 1 is taken/);
  await push.until(/remote: job test runs: changeless job logs test-1 --follow/);
  await push.until(/remote: run deliver-1 deploys it/);
  const kept = await log('deliver-1');
  await kept.add({ at: '2026-01-01T00:00:00.000Z', stream: 'stderr', line: 'built     \u001b[31mcatalog\u001b[0m \u0007in 3 s' });
  await push.until(/remote: built {5}catalog in 3 s/);
  await kept.add({ at: '2026-01-01T00:00:01.000Z', stream: 'stderr', line: 'live' });
  await end('deliver-1', 'passed');
  assert.equal(await push.end, 0, push.said());
  assert.match(push.said(), /remote: live *\n[^]*remote: deployed: run deliver-1 passed/);
  assert.match(push.said(), /\[new branch\] +main -> main/);
  assert.doesNotMatch(push.said(), /\u0007|\u001b\[31m/);
  await kept.close();
});

it('says that what failed is accepted and not deployed, and why; git itself ends well', async (context) => {
  const { url, clone, take, end } = await beside(context);
  const push = pushing(clone, url, 'main');
  await push.until(/on disk/);
  await take();
  await push.until(/deploys it/);
  const problem: Problem = { code: 'JOB_FAILED', what: 'step deliver failed', why: 'web does not build', safe: 'release 1 serves' };
  await end('deliver-1', 'failed', problem);
  assert.equal(await push.end, 0);
  assert.match(push.said(), /remote: NOT deployed: run deliver-1 ended as failed; the push itself is accepted/);
  for (const words of ['step deliver failed', 'web does not build', 'release 1 serves'])
    assert.match(push.said(), new RegExp(`remote: ${words}`));
});

it('says of a branch that is not delivered that nothing is deployed, and which jobs run', async (context) => {
  const { url, clone, take } = await beside(context);
  const push = pushing(clone, url, 'main:other');
  await push.until(/on disk/);
  await take();
  assert.equal(await push.end, 0);
  assert.match(push.said(), /remote: job test runs:[^]*remote: it deploys nothing/);
});

it('ends with true words when no controller takes it, the gateway is to end, the output is long, or the release is live', async (context) => {
  const { url, clone, take, log, closing, ledger } = await beside(context, { takenMs: 100, lines: 10, settledMs: 100 });
  const first = pushing(clone, url, 'main:one');
  assert.equal(await first.end, 0);
  assert.match(first.said(), /remote: no controller has taken it yet; changeless deliveries/);
  await take();

  const second = pushing(clone, url, 'main');
  await second.until(/on disk/);
  await take();
  await second.until(/run deliver-2 deploys it/);
  const kept = await log('deliver-2');
  for (let line = 0; line < 10; line += 1) await kept.add({ at: '', stream: 'stdout', line: `line ${line}` });
  await kept.close();
  assert.equal(await second.end, 0);
  assert.match(
    second.said(),
    /line 9 *\n[^]*remote: the run has printed more than is shown here, and goes on *\n[^]*changeless job logs deliver-2 --follow/,
  );

  await clone.commit('two');
  const third = pushing(clone, url, 'main');
  await third.until(/on disk/);
  await take();
  await third.until(/run deliver-3 deploys it/);
  const at = new Date(Date.now() + 1000).toISOString();
  await ledger.append([{ type: 'release-live', release: releaseOf('b'), durationMs: 1, at }]);
  assert.equal(await third.end, 0);
  assert.match(third.said(), /remote: the release is live; what is left of its rollout goes on/);

  await clone.commit('three');
  const fourth = pushing(clone, url, 'main:four');
  await fourth.until(/on disk/);
  closing.abort();
  assert.equal(await fourth.end, 0);
  assert.match(fourth.said(), /\[new branch\] +main -> four/);
});

it('goes on with what is accepted when the pusher does not', async (context) => {
  const { url, clone, take, ledger } = await beside(context);
  const push = pushing(clone, url, 'main');
  await push.until(/on disk/);
  push.kill();
  await push.end;
  await take();
  assert.deepEqual(
    (await ledger.runs.list({ limit: 9 })).map(({ id, outcome }) => [id, outcome]),
    [
      ['deliver-1', undefined],
      ['test-1', undefined],
    ],
  );
  assert.match((await clone.push(url, 'main')).stderr, /Everything up-to-date/);
});
