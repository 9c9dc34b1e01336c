import assert from 'node:assert/strict';
import type { ImageId, ReleaseId, RunId } from '../../src/digest.ts';
import type { JobStepSpec, ObservedJobStep } from '../../src/engine/job-steps.ts';
import { conditionLimitMs, valueOf, type GetWorld } from './contract-fixture.ts';
import { it } from './story.ts';

const run = 'contract-1' as RunId;

/** What is promised of steps of jobs. They build on one another. */
export function jobsContract(world: GetWorld): void {
  const spec = (step: string, image: ImageId = world().images.service): JobStepSpec => ({
    run,
    step,
    job: 'contract',
    token: 1,
    image,
    place: world().images.sandbox,
    caches: { packages: '/cache' },
    secrets: [],
    limits: { memoryBytes: 64 * 2 ** 20, processes: 32 },
    diskBytes: 2 ** 30,
    origin: { environment: 'local', release: 'a'.repeat(64) as ReleaseId, commit: 'uncommitted' },
  });
  const found = async (step: string): Promise<ObservedJobStep | undefined> => {
    const listed = valueOf(await world().engine.jobs.list(world().architecture));
    return listed.find((each) => each.run === run && each.step === step);
  };
  const prepare = async (of: JobStepSpec): Promise<string> => valueOf(await world().engine.jobs.prepare(world().architecture, of, []));
  const start = (container: string, of: JobStepSpec) => world().engine.jobs.start(world().architecture, { container, spec: of });
  const hasEnded = async (step: string): Promise<void> => {
    const deadline = performance.now() + conditionLimitMs;
    while ((await found(step))?.state !== 'exited') assert.ok(performance.now() < deadline, `waited in vain for the end of ${step}`);
  };
  let ended = '';

  it('makes a step that runs once it is started, and says how it ended', async () => {
    const container = await prepare(spec('/ends', world().images.step));
    assert.deepEqual([(await found('/ends'))?.state, (await found('/ends'))?.startedAt], ['created', undefined]);
    valueOf(await start(container, spec('/ends', world().images.step)));
    await hasEnded('/ends');
    const { startedAt, endedAt, ...rest } = (await found('/ends'))!;
    assert.deepEqual(rest, { run, step: '/ends', job: 'contract', token: 1, container, state: 'exited', exitCode: 3 });
    assert.ok(startedAt !== undefined && endedAt !== undefined && startedAt <= endedAt);
    ended = container;
  });

  it('says where a step runs or has run, with addresses', async () => {
    const where = async (step: string) => valueOf(await world().engine.jobs.where(world().architecture, { run, step }));
    const place = await where('/ends');
    assert.equal(place?.container, ended);
    assert.match(place.address ?? '', /^\d+\.\d+\.\d+\.\d+$/);
    assert.ok(place.host.name.length > 0);
    assert.match(place.host.address, /^\d+\.\d+\.\d+\.\d+$/);
    assert.equal(await where('/nobody'), undefined);
  });

  it('does not run a step again that has run, whoever prepares or starts it', async () => {
    const before = await found('/ends');
    assert.equal(await prepare({ ...spec('/ends', world().images.step), token: 2 }), ended);
    valueOf(await start(ended, spec('/ends', world().images.step)));
    assert.deepEqual(await found('/ends'), before);
  });

  it('makes a step anew that was never started, and starts it by its id alone', async () => {
    const first = await prepare(spec('/runs'));
    const second = await prepare({ ...spec('/runs'), token: 2 });
    assert.notEqual(first, second);
    assert.equal((await start(first, spec('/runs'))).ok, false);
    assert.equal((await found('/runs'))?.state, 'created');
    for (const _ of [1, 2]) valueOf(await start(second, { ...spec('/runs'), token: 2 }));
    assert.deepEqual([(await found('/runs'))?.state, (await found('/runs'))?.token], ['running', 2]);
  });

  it('lets nobody start what was forbidden, and says whether it had run before', async () => {
    const { jobs } = world().engine;
    const container = await prepare(spec('/forbidden'));
    assert.equal(valueOf(await jobs.forbid(world().architecture, { run, step: '/forbidden' })), true);
    assert.equal((await start(container, spec('/forbidden'))).ok, false);
    assert.equal((await found('/forbidden'))?.state, 'created');
    assert.equal(valueOf(await jobs.forbid(world().architecture, { run, step: '/runs' })), false);
    assert.equal((await found('/runs'))?.state, 'running');
  });

  it('keeps steps out of what a rollout sees', async () => {
    const { engine, architecture } = world();
    const observed = valueOf(await engine.observe(architecture));
    const words = JSON.stringify([observed.instances, observed.slots, observed.networks, observed.volumes, observed.strangers]);
    assert.doesNotMatch(words, /contract-1|job|cache\./);
    const differing = valueOf(await engine.inspectInstances(architecture));
    assert.deepEqual(
      differing.filter(({ name }) => name.includes('contract-1')),
      [],
    );
  });

  it('says what is missing of what a step was to leave behind', async () => {
    const brought = [{ from: '/ends', paths: ['nothing/there'] }];
    const prepared = await world().engine.jobs.prepare(world().architecture, spec('/wants'), brought);
    assert.equal(!prepared.ok && prepared.problem.code, 'ARTIFACT_MISSING');
  });

  it('ends a step by a signal, and removes it, and one that is gone', async () => {
    const { jobs } = world().engine;
    valueOf(await jobs.signal(world().architecture, { run, step: '/runs' }, 'SIGKILL'));
    await hasEnded('/runs');
    assert.equal((await found('/runs'))?.exitCode, 137);
    for (const _ of [1, 2]) valueOf(await jobs.remove(world().architecture, { run, step: '/runs' }));
    assert.equal(await found('/runs'), undefined);
  });

  it('clears all steps away, as often as it is told', async () => {
    const { jobs } = world().engine;
    for (const caches of [false, true]) valueOf(await jobs.clear(world().architecture, { caches }));
    assert.deepEqual(valueOf(await jobs.list(world().architecture)), []);
  });
}
