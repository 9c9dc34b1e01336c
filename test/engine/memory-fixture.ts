import assert from 'node:assert/strict';
import type { BodyId, GenerationId, ImageId, ReleaseId } from '../../src/digest.ts';
import type { Colour, InstanceSpec, Owner, SlotSpec } from '../../src/engine/engine.ts';
import { createMemoryEngine, type MemoryEngineOptions } from '../../src/engine/memory/create-memory-engine.ts';
import type { MemoryEngine } from '../../src/engine/memory/memory-engine.ts';
import type { MemoryWorld } from '../../src/engine/memory/world.ts';
import type { Result } from '../../src/result.ts';

export const architecture = 'streaming';
export const catalog: Owner = { kind: 'app', name: 'catalog' };
export const idOf = (text: string): string => Buffer.from(text).toString('hex').padEnd(64, '0').slice(0, 64);

export async function expectDone<T, P>(verb: Promise<Result<T, P>>): Promise<T> {
  const result = await verb;
  assert.ok(result.ok, result.ok ? '' : JSON.stringify(result.problem));
  return result.value;
}

/** The app `catalog` in memory: its network, a path's place, and places for `api` and `web` in both colours. */
export class Catalog {
  readonly engine: MemoryEngine;
  readonly world: MemoryWorld;
  readonly image: ImageId;

  constructor(options: MemoryEngineOptions = {}) {
    this.engine = createMemoryEngine(options);
    this.world = this.engine.world;
    this.image = this.world.addImage({ tag: 'catalog:1' });
  }

  async prepare(): Promise<this> {
    await expectDone(
      this.engine.ensureNetwork(architecture, { name: 'catalog', owner: catalog, internal: true, isolated: false, hosts: 20 }),
    );
    await this.ensure({ name: 'path', memory: 'sockets' });
    for (const colour of ['blue', 'green'] as const)
      for (const service of ['api', 'web'])
        await this.ensure({ name: `${service}-${colour}`, colour, facts: { instance: `${service}-1`, app: 'catalog', service } });
    return this;
  }

  slot(change: Partial<SlotSpec> & { name: string }): SlotSpec {
    const facts = { instance: change.name, app: 'catalog', service: change.name };
    return {
      owner: catalog,
      networks: [{ network: 'catalog', aliases: [change.name] }],
      publish: [],
      memory: 'facts',
      facts,
      image: this.image,
      ...change,
    };
  }

  ensure(change: Partial<SlotSpec> & { name: string }): Promise<void> {
    return expectDone(this.engine.ensureSlot(architecture, this.slot(change)));
  }

  spec(change: Partial<InstanceSpec> & { name: string; slot: string }): InstanceSpec {
    const colour: Colour = change.slot.endsWith('green') ? 'green' : 'blue';
    const body = idOf(colour) as BodyId;
    const origin = { environment: 'local', release: idOf('release') as ReleaseId, commit: 'uncommitted', key: 'catalog/api' } as const;
    const limits = { memoryBytes: 1, processes: 1 };
    return {
      owner: catalog,
      role: 'service',
      generation: idOf('one') as GenerationId,
      body,
      colour,
      image: this.image,
      mounts: [],
      limits,
      stopMs: 1,
      origin,
      ...change,
    };
  }

  path(name: string, colour: Colour, change: Partial<InstanceSpec> = {}): InstanceSpec {
    return this.spec({ name, slot: 'path', role: 'path', colour, body: idOf(colour) as BodyId, ...change });
  }

  start(spec: InstanceSpec): Promise<void> {
    return expectDone(this.engine.startInstance(architecture, spec));
  }

  async startBody(colour: Colour): Promise<void> {
    for (const service of ['api', 'web']) await this.start(this.spec({ name: `${service}-1.${colour}`, slot: `${service}-${colour}` }));
  }

  /** Body and path of a colour, as far as promoted. */
  async serve(colour: Colour): Promise<void> {
    await this.startBody(colour);
    await this.start(this.path(`path.${colour}`, colour));
    await expectDone(this.engine.awaitHealthy(architecture, `path.${colour}`, 1));
    await expectDone(this.engine.promotePath(architecture, `path.${colour}`));
  }

  async phase(name: string): Promise<string | undefined> {
    const seen = await expectDone(this.engine.observe(architecture));
    const instance = seen.instances.find((one) => one.name === name);
    return instance?.state === 'exited' ? 'exited' : instance?.path?.phase;
  }
}
