import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { createMemoryEngine } from '../engine/memory/create-memory-engine.ts';
import type { MemoryEngine } from '../engine/memory/memory-engine.ts';
import type { Report } from '../events.ts';
import { resolveBases } from './bases.ts';
import { appOf, architectureOf, makeBuildWorld, serviceOf } from './build-fixture.ts';
import { lockArchitecture } from './lock-architecture.ts';

const report: Report = () => undefined;
const missing = `sha256:${'f'.repeat(64)}`;

test('a base is found under its name and gets the name of its pin', async () => {
  const { images } = createMemoryEngine();
  const pin = images.add({ tag: 'debian:12' });
  const result = await resolveBases({ images, report }, [
    { name: 'debian:12', pin },
    { name: 'debian:12', pin },
  ]);
  assert.ok(result.ok);
  assert.equal(result.value.length, 1);
  assert.equal((await images.inspect(result.value[0]?.tag ?? ''))?.id, pin);
});

test('a base whose name has moved on is found by its pin', async () => {
  const { images } = createMemoryEngine();
  const pin = images.add({ tag: 'debian:12' });
  images.add({ tag: 'debian:12', files: [{ path: 'newer', contents: '' }] });
  assert.ok((await resolveBases({ images, report }, [{ name: 'debian:12', pin }])).ok);
});

for (const [what, tag, code] of [
  ['another image under the name', 'debian:12', 'BASE_CHANGED'],
  ['nothing under the name', 'other', 'BASE_UNAVAILABLE'],
] as const) {
  test(`${what} and no registry is ${code}, and no name is given`, async () => {
    const { images } = createMemoryEngine();
    images.add({ tag });
    const result = await resolveBases({ images, report }, [{ name: 'debian:12', pin: missing }]);
    assert.equal(!result.ok && result.problem.code, code);
    assert.deepEqual(await images.list({ reference: 'changeless/base' }), []);
  });
}

async function lockWith(t: TestContext, engine: MemoryEngine, options: { lock?: Record<string, string>; update?: boolean }) {
  const world = await makeBuildWorld({ engine, tree: { 'a/Dockerfile': 'FROM tool:1\nCOPY --from=debian:bookworm-slim x y' } });
  t.after(world.close);
  const architecture = architectureOf({ apps: { app: appOf('app', { api: serviceOf('a') }) } });
  const { commit } = await world.evaluate(architecture, { version: 1, images: {}, repositories: {} });
  const { lock: images, update = false } = options;
  return await lockArchitecture({
    ...world.context,
    architecture,
    commit,
    folder: '',
    update,
    ...(images && { lock: { version: 1, images, repositories: {} } }),
  });
}

function engineWith(...tags: string[]): MemoryEngine {
  const engine = createMemoryEngine();
  for (const tag of tags) engine.images.add({ tag });
  return engine;
}

test('locking pins what Dockerfiles name and what Changeless stands on; pins nobody needs go', async (t) => {
  const engine = engineWith('debian:bookworm-slim', 'node:24-bookworm-slim', 'tool:1');
  const locked = await lockWith(t, engine, { lock: { unused: missing } });
  assert.ok(locked.ok);
  assert.deepEqual(Object.keys(locked.value.images), ['debian:bookworm-slim', 'node:24-bookworm-slim', 'tool:1']);
  assert.equal(locked.value.images['tool:1'], (await engine.images.inspect('tool:1'))?.id);
});

for (const update of [false, true]) {
  test(`locking ${update ? 'again looks pins up when told to' : 'keeps the pins that are there'}`, async (t) => {
    const engine = engineWith('debian:bookworm-slim', 'node:24-bookworm-slim', 'tool:1');
    const locked = await lockWith(t, engine, { lock: { 'tool:1': missing }, update });
    assert.ok(locked.ok);
    assert.equal(locked.value.images['tool:1'] === missing, !update);
  });
}

test('locking an image nobody has is told by name', async (t) => {
  const locked = await lockWith(t, engineWith('debian:bookworm-slim', 'node:24-bookworm-slim'), {});
  assert.ok(!locked.ok);
  assert.equal(locked.problem.code, 'BASE_UNAVAILABLE');
  assert.match(locked.problem.what, /^tool:1 /);
});
