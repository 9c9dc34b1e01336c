import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Delivery, TakenDelivery } from '../../src/ledger/delivery.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { openMemoryLedger } from '../../src/ledger/memory-ledger.ts';
import type { CommitId, RunId } from '../../src/digest.ts';
import { releaseOf } from '../ledger/ledger-fixture.ts';
import { tokenOf } from '../gateway/taking-fixture.ts';
import { commitOf, GithubOnLoopback } from './github-on-loopback.ts';
import { OverseeingProcess } from './overseeing-fixture.ts';

const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(commitOf) as [string, string, string, string];

type World = { github: GithubOnLoopback; ledger: Ledger; token: number };

/** A repository whose branch `main` was looked at when it was at `a`. */
async function looked(context: TestContext): Promise<World> {
  const github = new GithubOnLoopback();
  await github.open();
  context.after(() => github.close());
  github.push('main', a);
  const ledger = await openMemoryLedger();
  const token = await tokenOf(ledger);
  await new OverseeingProcess(ledger).look(token, { github, until: () => true });
  return { github, ledger, token };
}

const run = {
  job: 'test',
  release: releaseOf('a'),
  environment: 'local',
  reason: 'push',
  parameters: {},
  plan: { steps: [], limitMs: 1 },
} as const;

let sent = 0;

/** A webhook comes, and is taken. Whether it was new. */
async function webhook({ ledger, token, github }: World, { branch, before, after }: { branch: string; before: string; after: string }) {
  const delivery: Delivery = {
    source: 'github',
    id: `d${(sent += 1)}`,
    kind: 'push',
    repository: github.repository.toUpperCase(),
    branch,
    before,
    after,
    receivedAt: '2026-01-01T00:00:00.000Z',
    body: Buffer.from('{}'),
  };
  const file = `inbox-${sent}`;
  const fresh = await ledger.takeDeliveries(token, { file, from: 8, to: 9, deliveries: [delivery] });
  return fresh?.length === 1;
}

const told = ({ source, branch, before, after }: TakenDelivery): string =>
  `${source} ${branch} ${before?.slice(0, 1) ?? '-'}..${after?.slice(0, 1) ?? '-'}`;

const taken = async ({ ledger }: World): Promise<string[]> => (await ledger.deliveries({ limit: 99, after: 0 })).map(told);

/** Looks until there is nothing more to do. */
async function overlook(world: World, process = new OverseeingProcess(world.ledger)): Promise<OverseeingProcess> {
  const { github, token, ledger } = world;
  const until = async (): Promise<boolean> => {
    const noted = await ledger.heads.noted(github.repository);
    return (
      process.looks > 0 && [...github.heads].every(([branch, head]) => noted?.get(branch) === head) && noted?.size === github.heads.size
    );
  };
  await process.look(token, { github, until });
  return process;
}

describe('oversight of a forge', () => {
  it('takes what it finds at first for dealt with', async (context) => {
    const world = await looked(context);
    assert.deepEqual(await taken(world), []);
    assert.deepEqual(await world.ledger.heads.noted('SHOP/web'), new Map([['main', a]]));
  });

  it('takes a push whose webhook never came, once, with an event, after the webhook has had its time', async (context) => {
    const world = await looked(context);
    world.github.push('main', b);
    const process = await overlook(world);
    assert.deepEqual(await taken(world), ['oversight main a..b']);
    assert.deepEqual(process.pauses, [5000, 5000, 5000, 5000, 30_000]);
    const [found] = await world.ledger.events({ type: 'delivery-found', limit: 9 });
    assert.ok(found?.type === 'delivery-found' && found.after === b);
    assert.deepEqual(
      process.printed.map(({ type }) => type),
      ['delivery-taken', 'delivery-found'],
    );
    const body = JSON.parse(Buffer.from((await world.ledger.deliveryBody(1)) ?? []).toString()) as object;
    assert.deepEqual(body, { type: 'push', repository: 'shop/web', ref: 'refs/heads/main', before: a, after: b });
    await new OverseeingProcess(world.ledger).look(world.token, { github: world.github, until: () => true });
    assert.equal((await taken(world)).length, 1);
  });

  it('accepts what a push starts together with it, and has from its webhook who made it', async (context) => {
    const world = await looked(context);
    world.github.push('main', b, 503);
    const process = new OverseeingProcess(world.ledger);
    const bodies: string[] = [];
    process.runsOf = ({ number, after, body }) => {
      bodies.push(Buffer.from(body).toString());
      return [{ ...run, id: `test-${number}` as RunId, commit: after as CommitId }];
    };
    await overlook(world, process);
    assert.equal((await world.ledger.runs.find('test-1' as RunId))?.commit, b);
    assert.match(bodies.join(), /"head_commit":\{"author":\{"name":"Ada"\}\}/);
    assert.deepEqual(
      process.printed.map(({ type }) => type),
      ['delivery-taken', 'delivery-found', 'job-accepted'],
    );
  });

  it('takes nothing that a webhook brought', async (context) => {
    const world = await looked(context);
    await webhook(world, world.github.push('main', b));
    await overlook(world);
    assert.deepEqual(await taken(world), ['github main a..b']);
  });

  it('takes nothing when the webhook comes while it waits for it', async (context) => {
    const world = await looked(context);
    const push = world.github.push('main', b);
    const process = new OverseeingProcess(world.ledger);
    await process.look(world.token, { github: world.github, until: () => process.looks === 2 });
    assert.ok(await webhook(world, push));
    await overlook(world);
    assert.deepEqual(await taken(world), ['github main a..b']);
  });

  it('takes nothing when a webhook was taken since it looked', async (context) => {
    const world = await looked(context);
    const push = world.github.push('main', b, 503);
    const process = new OverseeingProcess(world.ledger);
    process.beforeTaking = async () => {
      process.beforeTaking = undefined;
      await webhook(world, push);
      await webhook(world, world.github.push('main', c));
    };
    await overlook(world, process);
    assert.deepEqual(await taken(world), ['github main a..b', 'github main b..c']);
  });

  it('does not do a push again whose webhook comes late, also when more came between', async (context) => {
    const world = await looked(context);
    const late = world.github.push('main', b);
    await overlook(world);
    assert.equal(await webhook(world, late), false);
    assert.equal(await webhook(world, world.github.push('main', c)), true);
    assert.equal(await webhook(world, late), false);
    await overlook(world);
    assert.deepEqual(await taken(world), ['oversight main a..b', 'github main b..c']);
  });

  it('takes a push that goes back to a commit it had found for what it is', async (context) => {
    const world = await looked(context);
    world.github.push('main', b);
    await overlook(world);
    await webhook(world, world.github.push('main', c));
    assert.equal(await webhook(world, world.github.push('main', b)), true);
    assert.deepEqual(await taken(world), ['oversight main a..b', 'github main b..c', 'github main c..b']);
  });

  it('finds a branch that goes back to a commit that was taken before', async (context) => {
    const world = await looked(context);
    for (const commit of [b, c]) await webhook(world, world.github.push('main', commit));
    world.github.push('main', b);
    await overlook(world);
    world.github.push('main', c);
    await overlook(world);
    assert.deepEqual(await taken(world), ['github main a..b', 'github main b..c', 'oversight main c..b', 'oversight main b..c']);
  });

  it('takes a push at once, and with those before it, when the forge says that it could not deliver their webhooks', async (context) => {
    const world = await looked(context);
    await webhook(world, world.github.push('main', b, 202));
    for (const commit of [c, d]) world.github.push('main', commit, 503);
    const process = await overlook(world);
    assert.deepEqual(await taken(world), ['github main a..b', 'oversight main b..c', 'oversight main c..d']);
    assert.deepEqual(process.pauses, [5000, 30_000]);
  });

  it('finds a new branch, forgets one that is gone, and finds it when it is there again', async (context) => {
    const world = await looked(context);
    world.github.push('feature', b);
    await overlook(world);
    world.github.heads.delete('feature');
    await overlook(world);
    assert.deepEqual([...((await world.ledger.heads.noted(world.github.repository)) ?? [])], [['main', a]]);
    world.github.push('feature', c);
    await overlook(world);
    assert.deepEqual(await taken(world), ['oversight feature -..b', 'oversight feature b..c']);
  });

  it('takes nothing of branches that nothing asks for, nor what they were when something does', async (context) => {
    const world = await looked(context);
    world.github.push('main', b);
    world.github.push('other', b);
    const process = new OverseeingProcess(world.ledger);
    const isWanted = (branch: string): boolean => branch === 'main';
    await process.look(world.token, { github: world.github, isWanted, until: () => process.looks > 6 });
    await overlook(world);
    assert.deepEqual(await taken(world), ['oversight main a..b']);
  });

  it('costs nothing of the limit where nothing has moved', async (context) => {
    const { github, ledger, token } = await looked(context);
    const process = new OverseeingProcess(ledger);
    let left = 0;
    await process.look(token, {
      github,
      until: () => {
        if (process.looks === 1) left = github.remaining;
        return process.looks === 20;
      },
    });
    assert.equal(github.remaining, left);
    assert.ok(github.requests.slice(-19).every((line) => line.endsWith(' 304')));
  });

  it('waits ever longer for a forge that does not answer, says so once, and goes on when it does', async (context) => {
    const world = await looked(context);
    for (let time = 0; time < 5; time += 1) world.github.canned.push({ status: 502 });
    world.github.push('main', b, 500);
    const process = await overlook(world);
    assert.deepEqual(process.pauses, [60_000, 120_000, 240_000, 480_000, 900_000, 5000, 30_000]);
    assert.deepEqual(
      process.reported.map(({ type }) => type),
      ['forge-unreachable'],
    );
    assert.deepEqual(await taken(world), ['oversight main a..b']);
  });

  it('ends once another is in charge', async (context) => {
    const { github, ledger, token } = await looked(context);
    const next = await tokenOf(ledger, 'b');
    const process = new OverseeingProcess(ledger);
    const before = github.requests.length;
    const looking = process.look(token, { github, until: () => false });
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(github.requests.length, before);
    github.push('main', b);
    await overlook({ github, ledger, token: next });
    assert.equal(process.looks, 0);
    void looking;
  });

  it('takes each push once, in order, whichever boundary it is killed at', async (context) => {
    const all = await pushed(context);
    const undisturbed = await overlook(all);
    const expected = ['oversight main a..b', 'oversight main b..c', 'oversight feature -..d'];
    assert.deepEqual(await taken(all), expected);
    assert.ok(undisturbed.boundaries > 30);
    for (let killAt = 0; killAt < undisturbed.boundaries; killAt += 1) {
      const world = await pushed(context);
      await overlook(world, new OverseeingProcess(world.ledger, killAt));
      await overlook(world);
      assert.deepEqual(await taken(world), expected, `killed at ${killAt}`);
      assert.equal(await world.ledger.verifyChain(), undefined);
      world.github.close();
    }
  });

  async function pushed(context: TestContext): Promise<World> {
    const world = await looked(context);
    world.github.push('main', b, 503);
    world.github.push('main', c, 503);
    world.github.push('feature', d, 503);
    return world;
  }
});
