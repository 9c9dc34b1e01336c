import assert from 'node:assert/strict';
import type { Architecture, ForgeSettings } from '../../src/architecture/model.ts';
import { Killed } from '../../src/engine/memory/world.ts';
import { sendHttp } from '../../src/http.ts';
import { failed } from '../../src/result.ts';
import { commitOf, GithubOnLoopback } from '../forge/github-on-loopback.ts';
import { job, step } from '../jobs/jobs-world.ts';
import { sealRelease, streaming } from './release-fixture.ts';
import { inWorld, type RolloutWorld } from './rollout-world.ts';

const channels = { ops: { webhook: 'http://ops' } };

const textsOf = ({ posted }: RolloutWorld): string[] =>
  posted.map(({ body }) =>
    (JSON.parse(body) as { text: string }).text.replace('streaming (local): ', '').replaceAll(/[0-9a-f]{12}/g, 'RELEASE'),
  );

inWorld('an earlier release that is asked for is told as rolled back', async (world) => {
  const first = sealRelease(world.engine, { architecture: streaming({ channels }) });
  await world.up(first);
  await world.up(sealRelease(world.engine, { architecture: streaming({ channels }), commit: 'second', keys: { 'catalog/api': 'b' } }));
  await world.up(first, { asked: 'rollback' });
  await world.until(() => world.posted.length === 3);
  assert.deepEqual(textsOf(world), ['release RELEASE is live', 'release RELEASE is live', 'rolled back: release RELEASE is live again']);
});

inWorld('a controller that was killed before anybody could be reached has all told by the one that comes after it', async (world) => {
  const { engine, up, until, ledger } = world;
  world.http = async () => failed('it could not be reached (ECONNREFUSED)');
  const first = sealRelease(engine, { architecture: streaming({ channels }) });
  await up(first);
  let isKilled = false;
  engine.world.beforeEffect = async () => {
    if (isKilled) return;
    isKilled = true;
    throw new Killed('while it restores what was lost');
  };
  engine.world.kill('catalog.api-1.blue');
  await until(async () => isKilled && (await ledger.events({ type: 'instance-replaced', limit: 9 })).length > 0);
  await up(sealRelease(engine, { architecture: streaming({ channels }), commit: 'second', keys: { 'catalog/api': 'b' } }));
  delete world.http;
  world.posted.length = 0;
  await until(() => world.posted.length >= 3);
  const [live, lost, next] = textsOf(world);
  assert.equal(live, 'release RELEASE is live');
  assert.match(lost ?? '', /^drift: .*api-1.* of app catalog is lost/);
  assert.equal(next, 'release RELEASE is live');
  engine.world.availability.outages.length = 0;
});

/** As on a server: pushes to `main` start a job. */
const withForge = (forge: ForgeSettings): Architecture =>
  streaming({
    deliver: { repository: 'https://github.com/shop/web.git', branch: 'main', folder: '' },
    jobs: { test: { ...job([step('unit')]), on: { push: { branches: ['main'] } } } },
    secrets: { dbPassword: { version: 1 } },
    environments: { local: { forge } },
  });

inWorld('GitHub is told how commits do, and a push whose webhook never came is found', async (world) => {
  const github = new GithubOnLoopback('value 1');
  const api = await github.open();
  try {
    world.http = sendHttp;
    const forge = { kind: 'github', repository: github.repository, token: 'dbPassword', api } as const;
    const first = sealRelease(world.engine, { architecture: withForge(forge) });
    const { commit } = first.inputs.source;
    github.push('main', commit);
    await world.up(first);
    await world.until(() => github.statuses.at(-1)?.state === 'success');
    assert.deepEqual([...new Set(github.statuses.map(({ sha, context }) => `${sha} ${context}`))], [`${commit} changeless/local`]);
    assert.match(github.statuses.at(-1)?.description ?? '', /^release [0-9a-f]{12} is live$/);
    assert.ok(
      github.statuses.every((status) => !('target_url' in status)),
      'nobody else reaches a name below localhost',
    );
    await world.until(async () => (await world.ledger.heads.noted(github.repository)) !== undefined);
    github.push('other', commitOf('b'));
    github.push('main', commitOf('c'));
    await world.until(async () => (await world.ledger.deliveries({ limit: 9 })).length > 0);
    const [found, ...more] = await world.ledger.deliveries({ limit: 9 });
    assert.deepEqual([found?.source, found?.branch, found?.before, found?.after], ['oversight', 'main', commit, commitOf('c')]);
    assert.deepEqual(more, []);
    assert.doesNotMatch(JSON.stringify(world.events), /value 1/);
  } finally {
    github.close();
  }
});

inWorld('nobody asks a forge where the environment has none', async (world) => {
  const forge = { kind: 'github', repository: 'shop/web', token: 'dbPassword', api: 'http://forge' } as const;
  const elsewhere = { ...withForge(forge), environments: { production: { forge } } };
  await world.up(sealRelease(world.engine, { architecture: elsewhere }));
  await world.up(sealRelease(world.engine, { architecture: elsewhere, commit: 'second' }));
  assert.deepEqual(world.posted, []);
});
