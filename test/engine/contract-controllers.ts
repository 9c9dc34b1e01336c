import assert from 'node:assert/strict';
import type { ReleaseId } from '../../src/digest.ts';
import type { ControllerSpec } from '../../src/engine/engine.ts';
import { type GetWorld, observe, release, valueOf } from './contract-fixture.ts';
import { it } from './story.ts';

/** Controllers, and what is asked of them. */
export function controllersContract(world: GetWorld): void {
  const history = ['ee'.repeat(32), 'ff'.repeat(32)] as ReleaseId[];
  const spec = (): ControllerSpec => ({
    name: 'contract-controller',
    image: world().images.controller,
    release,
    commit: 'uncommitted',
    environment: 'local',
    history,
  });

  it('starts a controller once and shows it with its history', async () => {
    const { engine, architecture } = world();
    const container = valueOf(await engine.startController(architecture, spec()));
    assert.equal(valueOf(await engine.startController(architecture, spec())), container);
    const seen = (await observe(world())).controllers;
    assert.deepEqual(await world().engine.controllers(world().architecture), { ok: true, value: seen });
    assert.equal(seen.length, 1);
    const { createdAt: _, startedAt: __, ...rest } = seen[0]!;
    assert.deepEqual(rest, { ...spec(), container, state: 'running' });
  });

  it('keeps a request until it is taken, and tells those who listen', async () => {
    const { engine, architecture } = world();
    const request = { ask: 'go-back', release } as const;
    const asked = { name: 'contract-request', image: world().images.controller, request };
    const stop = new AbortController();
    for await (const event of engine.watch(architecture, stop.signal)) {
      if (event.kind === 'resynchronise') for (const _ of [1, 2]) valueOf(await engine.ask(architecture, asked));
      else if (event.name === asked.name) stop.abort();
    }
    const [seen, ...more] = (await observe(world())).requests;
    assert.deepEqual([seen?.name, seen?.request, more], ['contract-request', request, []]);
    for (const _ of [1, 2]) valueOf(await engine.takeRequest(architecture, 'contract-request'));
    assert.deepEqual((await observe(world())).requests, []);
  });

  it('says how to run it by hand', () => {
    assert.match(world().engine.controllerCommand(world().architecture, spec(), 'changeless/release:abc'), /changeless\/release:abc/);
  });

  it('removes a controller, and one that is gone', async () => {
    for (const _ of [1, 2]) valueOf(await world().engine.removeController(world().architecture, spec().name));
    assert.deepEqual((await observe(world())).controllers, []);
  });
}
