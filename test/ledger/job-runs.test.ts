import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RunId } from '../../src/digest.ts';
import type { AcceptedRun } from '../../src/job-run.ts';
import type { JobRuns, OwnedRun } from '../../src/ledger/job-runs.ts';
import { openMemoryLedger } from '../../src/ledger/memory-ledger.ts';
import { Clock, ledgerFile, opened, releaseOf } from './ledger-fixture.ts';

const leaseMs = 2000;
const one = 'one' as RunId;
const step = 'compile';
const passed = { outcome: 'passed', exitCode: 0, endedAt: '2026-01-01T00:00:05.000Z' } as const;

const runOf = (id: string): AcceptedRun => ({
  id: id as RunId,
  job: 'test',
  release: releaseOf('a'),
  commit: 'uncommitted',
  environment: 'local',
  reason: 'by-hand',
  parameters: { level: 'high' },
  plan: { steps: [], limitMs: 60_000 },
});

async function worldWith(...ids: string[]): Promise<{ clock: Clock; runs: JobRuns }> {
  const clock = new Clock();
  const { runs } = await openMemoryLedger({ now: clock.now });
  for (const id of ids) assert.equal(await runs.accept(runOf(id)), true);
  return { clock, runs };
}

const claimedBy = async (runs: JobRuns, owner: string, ...held: string[]): Promise<OwnedRun[]> =>
  (await runs.claim({ owner, leaseMs, held: held as RunId[] })).map(({ id, token }) => ({ id, token }));

describe('a run of a job', () => {
  it('is accepted once, whoever asks again, and stays as it was accepted', async () => {
    const { runs } = await worldWith('one');
    assert.equal(await runs.accept({ ...runOf('one'), job: 'another' }), false);
    const { acceptedAt, ...rest } = (await runs.find(one))!;
    assert.deepEqual(rest, { ...runOf('one'), steps: [] });
    assert.equal(typeof acceptedAt, 'string');
  });

  it('is there after the ledger was closed and opened', async (test) => {
    const file = ledgerFile(test);
    const before = await opened(file);
    await before.runs.accept(runOf('one'));
    await before.close();
    const after = await opened(file);
    assert.equal((await after.runs.find(one))?.job, 'test');
    await after.close();
  });

  it('belongs to one owner, and to another only after the lease, with a higher token', async () => {
    const { runs, clock } = await worldWith('one');
    assert.deepEqual(await claimedBy(runs, 'a'), [{ id: one, token: 1 }]);
    assert.deepEqual(await claimedBy(runs, 'b'), []);
    clock.pass(leaseMs);
    assert.deepEqual(await claimedBy(runs, 'b'), []);
    clock.pass(1);
    assert.deepEqual(await claimedBy(runs, 'b'), [{ id: one, token: 2 }]);
    assert.deepEqual(await runs.renew([{ id: one, token: 1 }]), []);
    assert.equal(await runs.mayAct({ id: one, token: 1 }), false);
    assert.equal(await runs.mayAct({ id: one, token: 2 }), true);
  });

  it('stays with an owner who renews the lease', async () => {
    const { runs, clock } = await worldWith('one');
    const owned = await claimedBy(runs, 'a');
    for (let round = 0; round < 4; round += 1) {
      clock.pass(leaseMs);
      assert.deepEqual(await runs.renew(owned), owned);
    }
    assert.deepEqual(await claimedBy(runs, 'b'), []);
  });

  it('is claimed at once when it was given up, or by its owner who was started again', async () => {
    const { runs } = await worldWith('one');
    await runs.release(await claimedBy(runs, 'a'));
    assert.deepEqual(await claimedBy(runs, 'b'), [{ id: one, token: 2 }]);
    assert.deepEqual(await claimedBy(runs, 'b', 'one'), []);
    assert.deepEqual(await claimedBy(runs, 'b'), [{ id: one, token: 3 }]);
  });

  it('takes nothing from whoever has lost it', async () => {
    const { runs, clock } = await worldWith('one');
    const [former] = await claimedBy(runs, 'a');
    clock.pass(leaseMs + 1);
    const [owner] = await claimedBy(runs, 'b');
    const writes = [
      (by: OwnedRun) => runs.begin(by),
      (by: OwnedRun) => runs.noteContainer(by, step, 'c1'),
      (by: OwnedRun) => runs.endStep(by, step, passed),
      (by: OwnedRun) => runs.end(by, { outcome: 'passed' }),
      (by: OwnedRun) => runs.close(by),
    ];
    for (const write of writes) assert.equal(await write(former!), false, String(write));
    assert.deepEqual((await runs.find(one))?.steps, []);
    for (const write of writes) assert.equal(await write(owner!), true, String(write));
  });

  it("keeps a step's first end, and starts nothing after it", async () => {
    const { runs } = await worldWith('one');
    const [owner] = await claimedBy(runs, 'a');
    assert.equal(await runs.noteContainer(owner!, step, 'c1'), true);
    assert.equal(await runs.noteContainer(owner!, step, 'c2'), true);
    assert.equal(await runs.endStep(owner!, step, passed), true);
    assert.equal(await runs.endStep(owner!, step, { ...passed, outcome: 'failed', exitCode: 1 }), false);
    assert.equal(await runs.noteContainer(owner!, step, 'c3'), false);
    const [record] = (await runs.find(one))!.steps;
    assert.deepEqual([record?.container, record?.outcome, record?.exitCode], ['c2', 'passed', 0]);
  });

  it('ends once, can be cancelled until then, and is nobody’s once it is closed', async () => {
    const { runs, clock } = await worldWith('one');
    const [owner] = await claimedBy(runs, 'a');
    assert.equal(await runs.cancel(one), true);
    assert.equal(await runs.end(owner!, { outcome: 'cancelled' }), true);
    assert.equal(await runs.end(owner!, { outcome: 'passed' }), false);
    assert.equal(await runs.cancel(one), false);
    assert.equal(await runs.cancel('unknown' as RunId), false);
    assert.equal(await runs.close(owner!), true);
    clock.pass(leaseMs * 2);
    assert.deepEqual(await claimedBy(runs, 'b'), []);
    assert.equal((await runs.find(one))?.outcome, 'cancelled');
  });

  const turned = (id: string): AcceptedRun => ({ ...runOf(id), turn: 'deliver', push: { delivery: 7, source: 'github', branch: 'main' } });
  const outcomes = async (runs: JobRuns) => (await runs.ofDelivery(7)).map(({ id, outcome }) => [id, outcome]);

  it('begins when those of its turn before it have ended, and is superseded by a newer one until then', async () => {
    const { runs } = await worldWith('another');
    await runs.accept(turned('first'));
    const [, first] = await claimedBy(runs, 'a');
    assert.equal(await runs.begin(first!), true);
    await runs.accept(turned('second'));
    const [second] = await claimedBy(runs, 'a', 'another', 'first');
    assert.equal(await runs.begin(second!), false, 'the first is under way');
    await runs.accept(turned('third'));
    assert.deepEqual(await outcomes(runs), [
      ['first', undefined],
      ['second', 'superseded'],
      ['third', undefined],
    ]);
    assert.equal((await runs.find('second' as RunId))?.problem?.code, 'JOB_SUPERSEDED');
    assert.equal((await runs.find('another' as RunId))?.outcome, undefined, 'it is of no turn');
    const [third] = await claimedBy(runs, 'a', 'another', 'first', 'second');
    assert.deepEqual([await runs.begin(second!), await runs.begin(third!)], [false, false]);
    assert.equal(await runs.end(first!, { outcome: 'failed' }), true);
    assert.deepEqual([await runs.begin(second!), await runs.begin(third!)], [false, true]);
    await runs.accept(turned('third'));
    assert.equal((await runs.find('third' as RunId))?.outcome, undefined, 'accepted again, it supersedes nothing');
  });

  it('is accepted with the end of the one it comes after, or not at all', async () => {
    const { runs } = await worldWith('one');
    const [owned] = await claimedBy(runs, 'a');
    const followers = [{ ...runOf('after'), reason: 'after' as const }];
    assert.equal(await runs.end({ ...owned!, token: 9 }, { outcome: 'passed', followers }), false);
    assert.equal(await runs.find('after' as RunId), undefined);
    assert.equal(await runs.end(owned!, { outcome: 'passed', followers }), true);
    assert.equal((await runs.find('after' as RunId))?.reason, 'after');
    assert.equal(await runs.end(owned!, { outcome: 'failed', followers: [runOf('again')] }), false);
    assert.equal(await runs.find('again' as RunId), undefined);
  });

  it('is listed newest first, by job where one is named', async () => {
    const { runs } = await worldWith('one', 'two');
    await runs.accept({ ...runOf('three'), job: 'other' });
    assert.deepEqual(
      (await runs.list({ limit: 9 })).map(({ id }) => id),
      ['three', 'two', 'one'],
    );
    assert.deepEqual(
      (await runs.list({ job: 'test', limit: 1 })).map(({ id }) => id),
      ['two'],
    );
  });
});
