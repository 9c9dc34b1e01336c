import assert from 'node:assert/strict';
import type { ReleaseId, RunId } from '../../src/digest.ts';
import { sealRelease } from '../rollout/release-fixture.ts';
import { architecture, inWorld } from '../rollout/rollout-world.ts';

inWorld('what is asked of jobs is left alone by who looks after the release', async ({ engine, up, until, events }) => {
  const manifest = sealRelease(engine);
  await up(manifest);
  const image = manifest.outputs.controller;
  const lies = { ask: 'run-job', run: 'test-1' as RunId, job: 'test', commit: 'uncommitted', parameters: {} } as const;
  await engine.ask(architecture, { name: 'request.job', image, request: lies });
  const request = { ask: 'go-back', release: 'f'.repeat(64) as ReleaseId } as const;
  await engine.ask(architecture, { name: 'request.back', image, request });
  await until(() => events.some((event) => event.type === 'request-refused' && event.request === 'request.back'));
  const left = await engine.requests(architecture);
  assert.deepEqual(left.ok && left.value.map(({ name }) => name), ['request.job']);
});
