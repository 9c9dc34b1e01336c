import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CliWorld } from './cli-world.ts';
import { commit, done, inWorld, writeSample } from './sample.ts';

const withJob = (run: string): string =>
  `agents: { node: { build: 'admin' } }, jobs: { test: { on: { push: true }, steps: [{ name: 'unit', agent: 'node', run: '${run}' }] } },`;

type Status = { release: string; apps: Record<string, unknown>; stores: unknown; core: unknown; controller: unknown };
const status = async (world: CliWorld): Promise<Status> => (await world.json<Status>('status')).value;

test('a job that changes is told by plan and diff, and replaces nothing but the controller', () =>
  inWorld(
    async (world) => {
      await done(world, 'up');
      const before = await status(world);
      writeSample(world, { more: withJob('make all') });
      commit(world, 'second');
      const planned = await world.json<{ replace: unknown[]; remove: unknown[]; jobs: unknown[] }>('plan');
      const why = 'job test, step unit: command is ["sh","-c","make all"], was ["sh","-c","make"]';
      assert.deepEqual(
        [planned.value.replace, planned.value.remove, planned.value.jobs],
        [[], [], [{ name: 'test', change: 'changed', why: [why] }]],
      );
      assert.match(
        await done(world, 'plan'),
        /job {6}test changed\n +job test, step unit: command is .*\n\nNothing that runs would change/,
      );
      await done(world, 'up');
      const after = await status(world);
      assert.notEqual(after.release, before.release);
      assert.deepEqual([after.apps, after.stores, after.core], [before.apps, before.stores, before.core]);
      assert.notDeepEqual(after.controller, before.controller);
      assert.match(await done(world, 'diff', before.release, after.release), /job test, step unit: command is/);
    },
    { more: withJob('make') },
  ));
