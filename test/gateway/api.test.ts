import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RunId } from '../../src/digest.ts';
import { Validator } from '@seriousme/openapi-schema-validator';
import type { Told } from '../../src/api/schemas.ts';
import { openApi } from '../../src/api/openapi.ts';
import { claimBy, lost, releaseOf } from '../ledger/ledger-fixture.ts';
import { ApiWorld, runOf, tokens, until } from './api-fixture.ts';
import { deliveryOf } from './inbox-fixture.ts';

const { read, deploy, admin } = tokens;
type Page<Item> = { items: Item[]; next: string | null };

describe('the description of the API', () => {
  it('is OpenAPI 3.1 by its own schema, and is what the gateway tells of itself without a token', async (context) => {
    const judged = await new Validator().validate(JSON.parse(JSON.stringify(openApi())));
    assert.deepEqual(judged, { valid: true });
    const world = await ApiWorld.make(context);
    const response = await fetch(`${world.url}/api/openapi.json`);
    assert.deepEqual(await response.json(), openApi());
  });
});

describe('what the API tells', () => {
  it('is what is live and what is under way', async (context) => {
    const world = await ApiWorld.make(context);
    const facts = { architecture: 'streaming', jobs: [], apps: { web: ['http://web.localhost:8080'] } };
    await world.ledger.describe(releaseOf('a'), 'local', facts);
    const { value } = await world.ask<Told['status']>('GET', '/api/v1/status', { token: read });
    assert.deepEqual(
      [value.architecture, value.live?.release, value.underWay, value.apps],
      ['streaming', releaseOf('a'), null, facts.apps],
    );
    await claimBy(world.ledger, 'b');
    const { value: later } = await world.ask<Told['status']>('GET', '/api/v1/status', { token: read });
    assert.deepEqual([later.live?.release, later.underWay?.release], [releaseOf('a'), releaseOf('b')]);
  });

  it('is rollouts, and the releases they were of', async (context) => {
    const world = await ApiWorld.make(context);
    const claim = await claimBy(world.ledger, 'b');
    assert.ok(claim.state === 'yours');
    await world.ledger.end(claim.token, { outcome: 'failed', problem: { code: 'ROLLOUT_UNHEALTHY', what: 'it is ill' } });
    const { value } = await world.ask<Page<Told['rollout']>>('GET', '/api/v1/rollouts', { token: read });
    assert.deepEqual(
      value.items.map(({ number, outcome, problem }) => [number, outcome, problem?.code]),
      [
        [2, 'failed', 'ROLLOUT_UNHEALTHY'],
        [1, 'live', undefined],
      ],
    );
    const first = await world.ask<Page<Told['rollout']>>('GET', '/api/v1/rollouts?limit=1', { token: read });
    assert.deepEqual([first.value.items.length, first.value.next], [1, '2']);
    const second = await world.ask<Page<Told['rollout']>>('GET', `/api/v1/rollouts?limit=1&before=${first.value.next}`, { token: read });
    assert.deepEqual([second.value.items.map(({ number }) => number), second.value.next], [[1], null]);
    const releases = await world.ask<Page<Told['release']>>('GET', '/api/v1/releases', { token: read });
    assert.deepEqual(
      releases.value.items.map(({ release, live }) => [release, live]),
      [
        [releaseOf('b'), false],
        [releaseOf('a'), true],
      ],
    );
    assert.equal((await world.ask('GET', `/api/v1/releases/${releaseOf('b')}`, { token: read })).value['release'], releaseOf('b'));
    assert.equal((await world.ask('GET', `/api/v1/releases/${releaseOf('c')}`, { token: read })).status, 404);
  });

  it('is jobs and their runs, without the secrets of their plans, by pages', async (context) => {
    const world = await ApiWorld.make(context);
    const on = { schedule: ['0 3 * * *'] };
    await world.ledger.describe(releaseOf('a'), 'local', {
      architecture: 's',
      jobs: [{ job: 'test', on, parameters: { level: 'low' } }],
      apps: {},
    });
    for (const id of ['one', 'two', 'three']) await world.ledger.runs.accept(runOf(id));
    await world.ledger.runs.accept(runOf('other', { job: 'build' }));
    const jobs = await world.ask<Page<Told['job']>>('GET', '/api/v1/jobs', { token: read });
    assert.deepEqual(
      jobs.value.items.map(({ job, on: starts, last }) => [job, starts, last?.run]),
      [['test', on, 'three']],
    );
    const page = await world.ask<Page<Told['run']>>('GET', '/api/v1/runs?job=test&limit=2', { token: read });
    assert.deepEqual([page.value.items.map(({ run }) => run), page.value.next], [['three', 'two'], 'two']);
    const next = await world.ask<Page<Told['run']>>('GET', '/api/v1/runs?job=test&limit=2&before=two', { token: read });
    assert.deepEqual([next.value.items.map(({ run }) => run), next.value.next], [['one'], null]);
    const one = await world.ask<Told['run']>('GET', '/api/v1/runs/one', { token: read });
    assert.deepEqual(
      one.value.steps.map(({ step, outcome }) => [step, outcome]),
      [
        ['/build', null],
        ['/unit', null],
      ],
    );
    assert.doesNotMatch(JSON.stringify(one.value), /sealed/);
  });

  it('is events, of a type or a run where that is asked, and deliveries, but none of its own', async (context) => {
    const world = await ApiWorld.make(context);
    await world.ledger.append([
      lost('one'),
      lost('two'),
      { type: 'job-started', run: 'r' as RunId, job: 'test', commit: 'uncommitted', at: '2026-01-01T00:00:00.000Z' },
    ]);
    const page = await world.ask<Page<Told_Event>>('GET', '/api/v1/events?limit=2', { token: read });
    assert.deepEqual(
      page.value.items.map(({ number, event }) => [number, event.type]),
      [
        [3, 'job-started'],
        [2, 'instance-lost'],
      ],
    );
    const typed = await world.ask<Page<Told_Event>>('GET', `/api/v1/events?type=instance-lost&before=${page.value.next}`, { token: read });
    assert.deepEqual(
      typed.value.items.map(({ number }) => number),
      [1],
    );
    const ofRun = await world.ask<Page<Told_Event>>('GET', '/api/v1/events?run=r', { token: read });
    assert.deepEqual(
      ofRun.value.items.map(({ number }) => number),
      [3],
    );
    await world.ledger.takeDeliveries(world.charge, { file: 'a', from: 8, to: 9, deliveries: [deliveryOf('x')] });
    await world.take();
    const deliveries = await world.ask<Page<Told['delivery']>>('GET', '/api/v1/deliveries', { token: read });
    assert.deepEqual(
      deliveries.value.items.map(({ id }) => id),
      ['x'],
    );
  });

  it('is all tokens, and the day each was used last, to who is an admin', async (context) => {
    const world = await ApiWorld.make(context);
    assert.equal((await world.ask('GET', '/api/v1/status', { token: read })).status, 200);
    await until('it is written down', async () => {
      await world.take();
      return (await world.ledger.tokens()).some(({ name, usedOn }) => name === 'read' && usedOn !== undefined);
    });
    const writes = world.files.writes;
    for (let index = 0; index < 20; index += 1) await world.ask('GET', '/api/v1/status', { token: read });
    assert.equal(world.files.writes, writes, 'not on each request');
    const { value } = await world.ask<Page<Told['token']>>('GET', '/api/v1/tokens', { token: admin });
    const told = Object.fromEntries(value.items.map(({ name, usedOn }) => [name, usedOn]));
    assert.deepEqual([told['read'], told['deploy']], [new Date().toISOString().slice(0, 10), null]);
    const digests = (await world.ledger.tokens()).map(({ digest }) => digest);
    for (const secret of [...Object.values(tokens), ...digests]) assert.ok(!JSON.stringify(value).includes(secret));
  });
});

type Told_Event = { number: number; event: { type: string } };

describe('a command', () => {
  const commit = 'b'.repeat(40);

  it('is on disk before it is answered, and its outcome can be read', async (context) => {
    const world = await ApiWorld.make(context);
    const synced = world.files.syncs;
    const given = await world.ask<Told['command']>('POST', '/api/v1/jobs/test/runs', {
      token: deploy,
      body: { commit, parameters: { level: 'high' } },
    });
    assert.deepEqual([given.status, given.value.state, given.value.by], [202, 'waiting', 'deploy']);
    assert.ok(world.files.syncs > synced);
    const asked = `/api/v1/commands/${given.value.command}`;
    assert.equal((await world.ask('GET', asked, { token: read })).value['state'], 'waiting', 'also before it is in the ledger');
    await world.take();
    const [open] = await world.ledger.openCommands(0);
    assert.deepEqual(JSON.parse(Buffer.from(open!.body).toString()), {
      by: 'deploy',
      commit,
      does: 'run-job',
      job: 'test',
      parameters: { level: 'high' },
      run: given.value.run,
    });
    await world.ledger.endCommand(open!.number, { code: 'UNKNOWN_JOB', what: 'no such job' });
    const { value } = await world.ask<Told['command']>('GET', asked, { token: read });
    assert.deepEqual([value.state, value.problem?.code], ['refused', 'UNKNOWN_JOB']);
    assert.equal((await world.ask('GET', '/api/v1/commands/c-none', { token: read })).status, 404);
  });

  it('with an idempotency key is done once, however often it is sent, and by whichever gateway', async (context) => {
    const world = await ApiWorld.make(context);
    const give = (body: object, token = deploy) =>
      world.ask<Told['command']>('POST', '/api/v1/jobs/test/runs', { token, body, headers: { 'idempotency-key': 'once' } });
    const [first, again] = [await give({ commit }), await give({ commit })];
    assert.deepEqual([again.status, again.value.command, again.value.run], [202, first.value.command, first.value.run]);
    await world.take();
    assert.equal((await give({ commit })).value.command, first.value.command, 'also when the ledger has it');
    const other = await give({ commit: 'c'.repeat(40) });
    assert.deepEqual([other.status, (other.value as unknown as Told['problem']).code], [422, 'IDEMPOTENCY_KEY_REUSED']);
    assert.notEqual((await give({ commit }, admin)).value.command, first.value.command, "somebody else's key is another one");
    await world.take();
    assert.equal((await world.ledger.openCommands(0)).length, 2);
  });

  it('that cannot be written down is refused with 503, and when to come again', async (context) => {
    const world = await ApiWorld.make(context);
    await world.ask('GET', '/api/v1/status', { token: deploy });
    await until('its use is written down', () => world.files.syncs > 0);
    world.files.failSync = true;
    const given = await world.ask('POST', '/api/v1/rollback', { token: deploy, body: {} });
    assert.deepEqual([given.status, given.value['code']], [503, 'INBOX_UNWRITABLE']);
    assert.ok(given.headers.get('retry-after'));
  });

  it('may be to go back, to deploy a release, to cancel a run, or to revoke a token', async (context) => {
    const world = await ApiWorld.make(context);
    await world.ledger.runs.accept(runOf('one'));
    const does = async (method: string, asked: string, token: string) => {
      const { status, value } = await world.ask<Told['command']>(method, asked, {
        token,
        ...(method === 'POST' && { body: {} }),
        headers: { 'idempotency-key': asked.replaceAll(/\W/g, '') },
      });
      return [status, value.does];
    };
    assert.deepEqual(await does('POST', '/api/v1/rollback', deploy), [202, 'roll-back']);
    assert.deepEqual(await does('POST', `/api/v1/releases/${releaseOf('b')}/deploy`, deploy), [202, 'deploy']);
    assert.deepEqual(await does('POST', '/api/v1/runs/one/cancel', deploy), [202, 'cancel-run']);
    assert.deepEqual(await does('DELETE', '/api/v1/tokens/read', admin), [202, 'revoke-token']);
    assert.equal((await world.ask('POST', '/api/v1/runs/none/cancel', { token: deploy, body: {} })).status, 404);
  });
});
