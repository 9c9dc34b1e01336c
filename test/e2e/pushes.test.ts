import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { startGitForge, type GitForge } from '../git-forge.ts';
import { containersOf } from './docker.ts';
import { run } from './running.ts';
import { cliProgram, environmentIn, makeWorld, until, type World } from './world.ts';

type Run = { run: string; outcome: string | null; startedAt: string | null };

const key = randomBytes(16).toString('hex');
const file = 'architecture.ts';

let world: World;
let forge: GitForge;
before(async () => {
  world = await makeWorld('hello', {
    file,
    from: 'app, architecture, service',
    to: 'agent, app, architecture, gateway, job, secret, service, step',
  });
  forge = await startGitForge(world.root);
  const delivered = `secrets: { hook: secret({ version: 1 }) },
  gateway: gateway({ webhooks: { github: { secret: 'hook' } } }),
  deliver: { repository: '${forge.address}' },
  agents: { node: agent({ build: 'hello' }) },
  jobs: { test: job({ on: { push: true }, steps: [step({ name: 'unit', agent: 'node', run: 'grep GREETING architecture.ts' })] }) },
  apps: {`;
  world.edit({ file, from: '  apps: {', to: `  ${delivered}` });
  const command = ['printf %s "$VALUE" |', process.execPath, cliProgram, 'secret', 'add', 'hook'].join(' ');
  const env = { ...environmentIn(world.root), VALUE: key };
  const { code, stderr } = await run({ program: 'sh', words: ['-c', command], cwd: world.folder, env });
  assert.equal(code, 0, stderr);
  await world.git('add', '--all');
  await world.commit('Delivered by pushes');
  await world.done('up');
});
after(async () => {
  await world?.dispose();
  await forge?.close();
});

let count = 0;

/** Pushes what is committed, and tells the gateway as GitHub does; the number of the delivery. */
async function push(): Promise<number> {
  forge.push(world.folder);
  count += 1;
  const body = JSON.stringify({
    ref: 'refs/heads/main',
    before: 'a'.repeat(40),
    after: await world.git('rev-parse', 'HEAD'),
    repository: { full_name: 'acme/shop' },
    head_commit: { author: { name: 'Ada' } },
  });
  assert.equal(await send(body, `push-${count}`), 202);
  return count;
}

function send(body: string, id: string): Promise<number | undefined> {
  const headers = {
    host: 'deliver.localhost',
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'x-github-event': 'push',
    'x-github-delivery': id,
    'x-hub-signature-256': `sha256=${createHmac('sha256', key).update(body).digest('hex')}`,
  };
  return new Promise((resolve, reject) => {
    const place = { host: '127.0.0.1', port: world.port, agent: false as const, method: 'POST', path: '/webhooks/github', headers };
    const request = http.request(place, (response) => response.resume().on('end', () => resolve(response.statusCode)));
    request.on('error', reject).end(body);
  });
}

/** How the last run of a job ended, whose id is this, and what it said. */
async function ended(id: string): Promise<{ outcome: string | null; said: string }> {
  await until(`${id} is on record`, async () => (await world.changeless('job', 'logs', id)).code === 0);
  const { stdout, stderr } = await world.changeless('job', 'logs', id, '--follow');
  const { value } = await world.json<{ jobs: { last: Run | null }[] }>('jobs');
  const last = value.jobs.find((job) => job.last?.run === id)?.last;
  const told = await world.done('logs', 'controller', '--tail', '10000');
  const events = told.split('\n').filter((line) => line.includes('"job-') && line.includes(id));
  return { outcome: last?.outcome ?? null, said: [stdout, stderr, ...events].join('\n') };
}

const controller = async () => (await containersOf(world.architecture)).find(({ role }) => role === 'controller');
const stepsLeft = async () => (await containersOf(world.architecture)).filter(({ role }) => role?.startsWith('job-'));

test('what is pushed is delivered, on the real engine', async (story) => {
  await story.test('a push makes a new release live, by a builder that outlives the controller that started it', async () => {
    const earlier = await controller();
    await world.commit('Another greeting', { file, from: "GREETING: 'Hello'", to: "GREETING: 'Good evening'" });
    const planned = await world.json<{ release: string }>('plan');
    const number = await push();
    const { outcome, said } = await ended(`deliver-${number}`);
    assert.equal(outcome, 'passed', said);
    const { commit, release } = await world.status();
    assert.equal(commit, await world.git('rev-parse', 'HEAD'), said);
    assert.equal(release, planned.value.release, 'the same release as the command line makes of it');
    assert.notEqual((await controller())?.id, earlier?.id);
    assert.match(said, /fetching .*\n[^]*release .*built[^]*live/);
    const told = await world.done('logs', 'controller', '--tail', '10000');
    assert.equal(told.split('\n').filter((line) => line.includes('"job-ended"') && line.includes(`deliver-${number}`)).length, 1);
    const test_ = await ended(`test-${number}`);
    assert.equal(test_.outcome, 'passed', test_.said);
    assert.match(test_.said, /unit {2}.*GREETING: 'Good evening'/);
    await until('nothing of the runs is left', async () => (await stepsLeft()).length === 0);
    await world.done('verify');
  });

  await story.test('a push that does not build ends as failed with the reason, and the release before serves on', async () => {
    const before = await world.status();
    await world.commit('Broken', { file: 'hello/Dockerfile', from: /^FROM.*$/m, to: (await baseOf()) + '\nRUN echo the reason && false' });
    const { outcome, said } = await ended(`deliver-${await push()}`);
    assert.equal(outcome, 'failed', said);
    assert.match(said, /"code":"BUILD_FAILED"/);
    assert.match(said, /the reason/);
    const now = await world.status();
    assert.equal(now.release, before.release, JSON.stringify(now));
  });
});

const baseOf = async (): Promise<string> =>
  /^FROM.*$/m.exec(await world.git('show', 'HEAD:hello/Dockerfile'))?.[0] ?? assert.fail('no base');
