import { execFile } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import http from 'node:http';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { startGitForge, type GitForge } from '../test/git-forge.ts';
import { compare, inTurns, roundsOr, type Row } from './measure.ts';
import { git, type Ground, makeWorld, type World } from './world.ts';

const PORT = 18120;
const ROUNDS = roundsOr(4);
const LIMIT = 2;

type Delivered = { world: World; forge: GitForge; key: string };

/** A one-line change: from the webhook that tells of its push until it serves, beside the same change by `changeless up`. */
export async function push(ground: Ground): Promise<{ rows: Row[] }> {
  const delivered = await makeDelivered(ground);
  const pairs = await inTurns({ rounds: ROUNDS }, { measured: () => byPush(delivered), floor: () => byHand(delivered) });
  await delivered.forge.close();
  return { rows: [compare({ bench: 'push', what: 'webhook of a one-line change → it serves; floor: `changeless up`' }, pairs, LIMIT)] };
}

async function makeDelivered(ground: Ground): Promise<Delivered> {
  // A key of its own, not the user's.
  process.env['XDG_CONFIG_HOME'] = path.join(ground.folder, 'config');
  const world = await makeWorld(ground, { label: 'push', port: PORT });
  const forge = await startGitForge(ground.folder);
  ground.onCleanUp(() => forge.close());
  world.edit('architecture.ts', 'import { app, architecture,', 'import { app, architecture, gateway, secret,');
  const more = `secrets: { hook: secret({ version: 1 }) }, gateway: gateway({ webhooks: { github: { secret: 'hook' } } }),
  deliver: { repository: '${forge.address}' },\n  apps: {`;
  world.edit('architecture.ts', 'apps: {', more);
  const key = randomBytes(16).toString('hex');
  const add = `printf %s ${key} | ${process.execPath} ${path.join(ground.package, 'bin/changeless.mjs')} secret add hook -C ${world.folder}`;
  await promisify(execFile)('sh', ['-c', add], { env: { ...process.env, XDG_CACHE_HOME: ground.cache } });
  await world.commit();
  await world.changeless('up');
  await world.settled();
  return { world, forge, key };
}

let changes = 0;

async function change({ world }: Delivered): Promise<string> {
  changes += 1;
  world.edit('architecture.ts', /settings: \{ (BENCH: '\d+', )?/, `settings: { BENCH: '${changes}', `);
  return world.commit();
}

async function byHand(delivered: Delivered): Promise<number> {
  const before = await generation();
  await change(delivered);
  const began = performance.now();
  const up = delivered.world.changeless('up');
  return untilAnother(before, began, async () => {
    await up;
    await delivered.world.settled();
  });
}

async function byPush(delivered: Delivered): Promise<number> {
  const { world, forge, key } = delivered;
  const before = await generation();
  const after = await change(delivered);
  forge.push(world.folder);
  const began = performance.now();
  await tell({ after, before: await git(world.folder, 'rev-parse', 'HEAD~1'), key });
  return untilAnother(before, began, () => world.settled());
}

/** How long it took until another generation served; then whatever is left to be waited for. */
async function untilAnother(before: string, began: number, rest: () => Promise<void>): Promise<number> {
  while ((await generation()) === before) await pause(5);
  const took = performance.now() - began;
  await rest();
  return took;
}

const place = { host: '127.0.0.1', port: PORT, agent: false as const };

/** The generation of the app that changes, as it tells itself. */
function generation(): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { host: 'catalog.localhost' };
    const asked = http.get({ ...place, path: '/', headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve(/"generation":\s*"([^"]+)"/.exec(text)?.[1] ?? ''));
    });
    asked.on('error', reject);
  });
}

function tell({ after, before, key }: { after: string; before: string; key: string }): Promise<void> {
  const body = JSON.stringify({ ref: 'refs/heads/main', before, after, repository: { full_name: 'acme/shop' } });
  const headers = {
    host: 'deliver.localhost',
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'x-github-event': 'push',
    'x-github-delivery': after,
    'x-hub-signature-256': `sha256=${createHmac('sha256', key).update(body).digest('hex')}`,
  };
  return new Promise((resolve, reject) => {
    const request = http.request({ ...place, method: 'POST', path: '/webhooks/github', headers }, (response) => {
      response.resume();
      if (response.statusCode === 202) resolve();
      else reject(new Error(`the webhook was answered ${response.statusCode}`));
    });
    request.on('error', reject).end(body);
  });
}
