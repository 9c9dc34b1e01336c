import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Claim, Ledger } from '../../src/ledger/ledger.ts';
import { openMemoryLedger } from '../../src/ledger/memory-ledger.ts';
import { claimBy, Clock, leaseMs, releaseOf } from './ledger-fixture.ts';

type World = { ledger: Ledger; clock: Clock };

const end =
  (token: number, outcome: 'live' | 'failed' | 'superseded') =>
  ({ ledger }: World) =>
    ledger.end(token, { outcome });
const claim =
  (controller: string) =>
  ({ ledger }: World) =>
    claimBy(ledger, controller);
const claimYielding =
  (controller: string) =>
  ({ ledger }: World) =>
    ledger.claim({ release: releaseOf(controller), commit: 'uncommitted', environment: 'local', controller, leaseMs, yields: true });
const leaseEnds = async ({ clock }: World): Promise<void> => clock.pass(leaseMs + 1);

/**
 * The states a controller's rollout can be in, each reached by what happens to it. The controller is `b`; `a` was live
 * before it, `c` comes after it.
 */
const states = {
  unknown: [claim('a'), end(1, 'live')],
  'under way': [claim('a'), end(1, 'live'), claim('b')],
  'under way, and yields': [claim('a'), end(1, 'live'), claimYielding('b')],
  live: [claim('a'), end(1, 'live'), claim('b'), end(2, 'live')],
  failed: [claim('a'), end(1, 'live'), claim('b'), end(2, 'failed')],
  'superseded by one under way': [claim('a'), end(1, 'live'), claim('b'), leaseEnds, claim('c')],
  'superseded by one that failed': [claim('a'), end(1, 'live'), claim('b'), leaseEnds, claim('c'), end(3, 'failed')],
  'live, the next is under way': [claim('a'), end(1, 'live'), claim('b'), end(2, 'live'), claim('c')],
  'live, the next is under way without a lease': [claim('a'), end(1, 'live'), claim('b'), end(2, 'live'), claim('c'), leaseEnds],
  'live, the next is live': [claim('a'), end(1, 'live'), claim('b'), end(2, 'live'), claim('c'), end(3, 'live')],
  'live, the next failed': [claim('a'), end(1, 'live'), claim('b'), end(2, 'live'), claim('c'), end(3, 'failed')],
} as const;

type State = keyof typeof states;

async function worldIn(state: State): Promise<World> {
  const clock = new Clock();
  const world = { clock, ledger: await openMemoryLedger({ now: clock.now }) };
  for (const happen of states[state]) await happen(world);
  return world;
}

/** A claim in few words: state, token or holder, and what else it says. */
function words(claimed: Claim): string {
  switch (claimed.state) {
    case 'yours':
      return ['yours', claimed.token, claimed.resumed && 'resumed', claimed.outcome, claimed.from && `from ${claimed.from[0]}`]
        .filter(Boolean)
        .join(' ');
    case 'over':
      return `over ${claimed.record.outcome}`;
    case 'quarantined':
      return `quarantined by ${claimed.quarantine.by.token}`;
    default:
      return `${claimed.state} by ${claimed.holder.token}`;
  }
}

type Row = {
  own: string;
  newcomer: string;
  newcomerLater: string;
  mayAct: boolean;
  inCharge: number;
  endLive: boolean;
  endFailed: boolean;
  endSuperseded: boolean;
};

/** `own`: b claims. `newcomer`: d, never seen, claims. `newcomerLater`: after the lease. `inCharge`: the only token that may act. */
const table: Record<State, Row> = {
  unknown: {
    own: 'yours 2 from a',
    newcomer: 'yours 2 from a',
    newcomerLater: 'yours 2 from a',
    mayAct: false,
    inCharge: 1,
    endLive: false,
    endFailed: false,
    endSuperseded: false,
  },
  'under way': {
    own: 'yours 2 resumed from a',
    newcomer: 'held by 2',
    newcomerLater: 'yours 3 from a',
    mayAct: true,
    inCharge: 2,
    endLive: true,
    endFailed: true,
    endSuperseded: true,
  },
  'under way, and yields': {
    own: 'yours 2 resumed from a',
    newcomer: 'yours 3 from a',
    newcomerLater: 'yours 3 from a',
    mayAct: true,
    inCharge: 2,
    endLive: true,
    endFailed: true,
    endSuperseded: true,
  },
  live: {
    own: 'yours 2 resumed live',
    newcomer: 'yours 3 from b',
    newcomerLater: 'yours 3 from b',
    mayAct: true,
    inCharge: 2,
    endLive: true,
    endFailed: false,
    endSuperseded: false,
  },
  failed: {
    own: 'over failed',
    newcomer: 'yours 3 from a',
    newcomerLater: 'yours 3 from a',
    mayAct: false,
    inCharge: 1,
    endLive: false,
    endFailed: true,
    endSuperseded: false,
  },
  'superseded by one under way': {
    own: 'over superseded',
    newcomer: 'held by 3',
    newcomerLater: 'yours 4 from a',
    mayAct: false,
    inCharge: 3,
    endLive: false,
    endFailed: false,
    endSuperseded: true,
  },
  'superseded by one that failed': {
    own: 'over superseded',
    newcomer: 'yours 4 from a',
    newcomerLater: 'yours 4 from a',
    mayAct: false,
    inCharge: 1,
    endLive: false,
    endFailed: false,
    endSuperseded: true,
  },
  'live, the next is under way': {
    own: 'standby by 3',
    newcomer: 'held by 3',
    newcomerLater: 'yours 4 from b',
    mayAct: false,
    inCharge: 3,
    endLive: true,
    endFailed: false,
    endSuperseded: false,
  },
  'live, the next is under way without a lease': {
    own: 'standby by 3',
    newcomer: 'yours 4 from b',
    newcomerLater: 'yours 4 from b',
    mayAct: false,
    inCharge: 3,
    endLive: true,
    endFailed: false,
    endSuperseded: false,
  },
  'live, the next is live': {
    own: 'standby by 3',
    newcomer: 'yours 4 from c',
    newcomerLater: 'yours 4 from c',
    mayAct: false,
    inCharge: 3,
    endLive: true,
    endFailed: false,
    endSuperseded: false,
  },
  'live, the next failed': {
    own: 'yours 2 resumed live',
    newcomer: 'yours 4 from b',
    newcomerLater: 'yours 4 from b',
    mayAct: true,
    inCharge: 2,
    endLive: true,
    endFailed: false,
    endSuperseded: false,
  },
};

describe('a rollout', () => {
  for (const [name, row] of Object.entries(table)) {
    const state = name as State;
    it(`that is ${state} answers every claim, renewal and end as the table says`, async () => {
      const seen: Row = {
        own: words(await claimBy((await worldIn(state)).ledger, 'b')),
        newcomer: words(await claimBy((await worldIn(state)).ledger, 'd')),
        newcomerLater: await laterClaim(state),
        mayAct: await (await worldIn(state)).ledger.mayAct(2),
        inCharge: await onlyInCharge(await worldIn(state)),
        endLive: await (await worldIn(state)).ledger.end(2, { outcome: 'live' }),
        endFailed: await (await worldIn(state)).ledger.end(2, { outcome: 'failed' }),
        endSuperseded: await (await worldIn(state)).ledger.end(2, { outcome: 'superseded' }),
      };
      assert.deepEqual(seen, row);
      assert.equal(await (await worldIn(state)).ledger.renew(2), row.mayAct, 'who may act may renew');
    });
  }

  it('begins with token 1, from nothing, in an empty ledger', async () => {
    const ledger = await openMemoryLedger();
    assert.equal(words(await claimBy(ledger, 'a')), 'yours 1');
    assert.deepEqual(
      (await ledger.rollouts(9)).map(({ token, release }) => ({ token, release })),
      [{ token: 1, release: releaseOf('a') }],
    );
  });

  it('is held for as long as its lease is renewed', async () => {
    const { ledger, clock } = await worldIn('under way');
    for (let round = 0; round < 5; round += 1) {
      clock.pass(leaseMs);
      assert.equal(words(await claimBy(ledger, 'd')), 'held by 2');
      assert.equal(await ledger.renew(2), true);
    }
  });

  it('renews its lease when it is resumed', async () => {
    const { ledger, clock } = await worldIn('under way');
    clock.pass(leaseMs);
    await claimBy(ledger, 'b');
    clock.pass(leaseMs);
    assert.equal(words(await claimBy(ledger, 'd')), 'held by 2');
  });

  it('is not held by a lease from a future that a wrong clock made', async () => {
    const { ledger, clock } = await worldIn('under way');
    clock.pass(-3_600_000);
    assert.equal(words(await claimBy(ledger, 'd')), 'yours 3 from a');
  });

  it('keeps the problem it failed with, and its first outcome', async () => {
    const { ledger, clock } = await worldIn('under way');
    clock.pass(5);
    const problem = { code: 'ROLLOUT_UNHEALTHY', what: 'catalog never became healthy' } as const;
    assert.equal(await ledger.end(2, { outcome: 'failed', problem }), true);
    assert.equal(await ledger.end(2, { outcome: 'live' }), false);
    const [newest] = await ledger.rollouts(1);
    assert.deepEqual([newest?.outcome, newest?.problem, newest?.endedAt], ['failed', problem, clock.now()]);
  });

  it('that failed leaves the one that was live before in charge, which may renew', async () => {
    const { ledger } = await worldIn('failed');
    assert.equal(await ledger.mayAct(1), true);
    assert.equal(await ledger.renew(1), true);
  });
});

async function laterClaim(state: State): Promise<string> {
  const world = await worldIn(state);
  await leaseEnds(world);
  return words(await claimBy(world.ledger, 'd'));
}

async function onlyInCharge({ ledger }: World): Promise<number> {
  const able: number[] = [];
  for (let token = 0; token < 9; token += 1) if (await ledger.mayAct(token)) able.push(token);
  assert.equal(able.length, 1);
  return able[0]!;
}

describe('what is to end', () => {
  it('is recorded by who is in charge only, and known to all', async (context) => {
    const clock = new Clock();
    const ledger = await openMemoryLedger({ now: clock.now });
    context.after(() => ledger.close());
    await claimBy(ledger, 'a');
    assert.ok(await ledger.letGo(1, ['one', 'two']));
    await ledger.end(1, { outcome: 'live' });
    await claimBy(ledger, 'b');
    assert.equal(await ledger.letGo(1, ['three']), false, 'another is in charge');
    assert.deepEqual([...(await ledger.leaving())].toSorted(), ['one', 'two']);
  });

  it('is forgotten after a day', async (context) => {
    const clock = new Clock();
    const ledger = await openMemoryLedger({ now: clock.now });
    context.after(() => ledger.close());
    await claimBy(ledger, 'a');
    await ledger.letGo(1, ['one']);
    clock.pass(24 * 3_600_000 + 1);
    await ledger.letGo(1, ['two']);
    assert.deepEqual([...(await ledger.leaving())], ['two']);
  });
});

describe('who was refused', () => {
  it('stays so, for its caller was told, also when it is started again and nobody is in the way any more', async (context) => {
    const clock = new Clock();
    const ledger = await openMemoryLedger({ now: clock.now });
    context.after(() => ledger.close());
    await claimBy(ledger, 'a');
    const held = await claimBy(ledger, 'b');
    assert.equal(held.state, 'held');
    clock.pass(leaseMs + 1);
    assert.deepEqual(await claimBy(ledger, 'b'), held);
    assert.equal((await claimBy(ledger, 'c')).state, 'yours');
  });

  it('because of a quarantine too', async (context) => {
    const ledger = await openMemoryLedger({});
    context.after(() => ledger.close());
    const claimOf = (controller: string, asked: 'up' | 'anyway') =>
      ledger.claim({ release: releaseOf('a'), commit: 'uncommitted', environment: 'local', controller, leaseMs, asked });
    await claimOf('1', 'up');
    await ledger.end(1, { outcome: 'failed', problem: { code: 'ROLLOUT_UNHEALTHY', what: 'it never became healthy' } });
    const refused = await claimOf('2', 'up');
    assert.equal(refused.state, 'quarantined');
    await claimOf('3', 'anyway');
    await ledger.end(2, { outcome: 'live' });
    assert.deepEqual(await claimOf('2', 'up'), refused);
  });
});
