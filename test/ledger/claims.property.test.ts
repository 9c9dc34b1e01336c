import assert from 'node:assert/strict';
import { it } from 'node:test';
import * as fc from 'fast-check';
import type { RolloutOutcome } from '../../src/events.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { openMemoryLedger } from '../../src/ledger/memory-ledger.ts';
import { claimBy, Clock, leaseMs } from './ledger-fixture.ts';

type Step =
  | { do: 'claim'; controller: string }
  | { do: 'renew'; token: number }
  | { do: 'end'; token: number; outcome: RolloutOutcome }
  | { do: 'pass'; durationMs: number };

const token = fc.integer({ min: 1, max: 8 });
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('claim' as const), controller: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h') }),
    fc.record({ do: fc.constant('renew' as const), token }),
    fc.record({ do: fc.constant('end' as const), token, outcome: fc.constantFrom<RolloutOutcome>('live', 'failed', 'superseded') }),
    fc.record({ do: fc.constant('pass' as const), durationMs: fc.integer({ min: 0, max: 2 * leaseMs }) }),
  ),
  { maxLength: 40 },
);

/** What has been seen of each token; nothing in it may ever be taken back. */
class Witness {
  readonly dead = new Set<number>();
  readonly owners = new Map<string, number>();
  highest = 0;

  async check(ledger: Ledger): Promise<void> {
    const rollouts = await ledger.rollouts(100);
    const acting: number[] = [];
    for (const rollout of rollouts) if (await ledger.mayAct(rollout.token)) acting.push(rollout.token);
    assert.ok(acting.length <= 1, `tokens ${acting.join(' and ')} may act at once`);
    for (const { token: one, outcome } of rollouts) if (outcome === 'failed' || outcome === 'superseded') this.dead.add(one);
    for (const one of acting) assert.ok(!this.dead.has(one), `token ${one} acts after its end`);
    const underWay = rollouts.filter(({ outcome }) => outcome === undefined);
    assert.ok(underWay.length <= 1, 'two rollouts are under way');
    if (underWay[0]) assert.equal(underWay[0].token, rollouts[0]?.token, 'what is under way has the highest token');
    if (underWay[0]) assert.deepEqual(acting, [underWay[0].token], 'what is under way is in charge');
    const eligible = rollouts.filter(({ outcome }) => outcome === undefined || outcome === 'live').map((rollout) => rollout.token);
    assert.deepEqual(acting, eligible.slice(0, 1), 'the highest that has not ended otherwise is in charge');
  }

  claimed(controller: string, claim: Awaited<ReturnType<Ledger['claim']>>): void {
    if (claim.state !== 'yours') return;
    if (claim.resumed) assert.equal(this.owners.get(controller), claim.token, 'a controller resumes its own rollout');
    else assert.ok(claim.token > this.highest, 'tokens only grow');
    this.highest = Math.max(this.highest, claim.token);
    this.owners.set(controller, claim.token);
  }
}

async function take(ledger: Ledger, step: Step, clock: Clock): Promise<void> {
  if (step.do === 'pass') clock.pass(step.durationMs);
  else if (step.do === 'end') await ledger.end(step.token, { outcome: step.outcome });
  else if (step.do === 'renew') assert.equal(await ledger.mayAct(step.token), await ledger.renew(step.token), 'who renews may act');
}

it('never lets two tokens act at once, whoever claims, renews and ends when', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (taken) => {
      const clock = new Clock();
      const ledger = await openMemoryLedger({ now: clock.now });
      const witness = new Witness();
      for (const step of taken) {
        if (step.do === 'claim') witness.claimed(step.controller, await claimBy(ledger, step.controller));
        else await take(ledger, step, clock);
        await witness.check(ledger);
      }
    }),
    { numRuns: 300 },
  );
});

it('lets every controller that has the highest rollout, and no other, go on after a restart of all', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (taken) => {
      const clock = new Clock();
      const ledger = await openMemoryLedger({ now: clock.now });
      const known = new Set<string>();
      for (const step of taken) {
        if (step.do === 'claim' && (await claimBy(ledger, step.controller)).state !== 'held') known.add(step.controller);
        else if (step.do !== 'claim') await take(ledger, step, clock);
      }
      const claims = await Promise.all([...known].map((controller) => claimBy(ledger, controller)));
      assert.ok(claims.filter(({ state }) => state === 'yours').length <= 1, 'two controllers are in charge after a reboot');
      assert.ok(
        claims.every((claim) => claim.state !== 'yours' || claim.resumed),
        'a restart begins no new rollout',
      );
    }),
    { numRuns: 150 },
  );
});
