import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { inboxFilesIn } from '../../src/gateway/inbox-files.ts';
import { GitRepository } from '../../src/gateway/git/git-repository.ts';
import { usualLimits } from '../../src/gateway/git/limited-git.ts';
import { freePort } from '../e2e/world.ts';
import { Clone, ownFolder, pushesIn, urlOf } from './git-fixture.ts';

const program = fileURLToPath(new URL('remote-until-killed.ts', import.meta.url));

/** Where a gateway dies: around its record of a push, and at times that fall anywhere in the pushes after three. */
const moments = ['before-append', 'before-sync', 'after-sync', ...Array.from({ length: 6 }, (_, index) => String(23 * index))];

it('has told no push ok that is not a delivery, once, wherever the gateway is killed', async (context) => {
  const [volume, inbox, port] = [ownFolder(context, 'git'), ownFolder(context, 'inbox'), await freePort()];
  const clones = await Promise.all([Clone.make(context), Clone.make(context)]);
  const acknowledged = new Set<string>();
  let isOver = false;
  const pushing = clones.map(async (clone, index) => {
    for (let count = 0; !isOver; count += 1) {
      const commit = await clone.commit(`${index} ${count}`);
      while (!isOver && !acknowledged.has(commit))
        if ((await clone.push(urlOf(port), `main:branch-${index}`)).code === 0) acknowledged.add(commit);
    }
  });
  for (const [round, moment] of moments.entries()) {
    const words = [program, volume, inbox, String(port), moment, String(round)];
    const gateway = spawn(process.execPath, words, { stdio: ['ignore', 'inherit', 'inherit'] });
    assert.deepEqual(await once(gateway, 'exit'), [null, 'SIGKILL']);
  }
  isOver = true;
  await Promise.all(pushing);
  const ids = new Map<string, Set<string>>();
  const pushes = await pushesIn(inboxFilesIn(inbox));
  for (const { id, after = '' } of pushes) ids.set(after, (ids.get(after) ?? new Set()).add(id));
  assert.deepEqual(
    [...acknowledged].filter((commit) => ids.get(commit)?.size !== 1),
    [],
    'each that was told ok is one delivery',
  );
  assert.ok(acknowledged.size >= 2 * clones.length, `${acknowledged.size} pushes were told ok`);
  assert.ok(pushes.length > new Set(pushes.map(({ id }) => id)).size, 'one was recorded by a gateway that died, and again');
  const repository = new GitRepository(volume, { name: 'repository.git', limits: usualLimits });
  for (const { commit } of await repository.heads()) assert.equal(ids.get(commit)?.size, 1, 'a branch shows a delivery');
});
