import assert from 'node:assert/strict';
import { setImmediate as aTurn } from 'node:timers/promises';
import type { BodyId, GenerationId, ImageId, ReleaseId } from '../../src/digest.ts';
import type {
  Engine,
  InstanceSpec,
  NetworkSpec,
  Observation,
  ObservedInstance,
  ObservedSlot,
  Owner,
  SlotSpec,
  VolumeCopy,
} from '../../src/engine/engine.ts';
import type { Result } from '../../src/result.ts';

/**
 * An engine with one architecture of its own, empty at first. Images: `service` runs until it is ended and has `sh`; `step` ends
 * by itself with exit code 3;
 * `path.healthy` finds nothing wrong, `path.unhealthy` always does; `controller` runs until it is ended.
 */
export type EngineWorld = {
  engine: Engine;
  architecture: string;
  images: { sandbox: ImageId; service: ImageId; step: ImageId; controller: ImageId; path: { healthy: ImageId; unhealthy: ImageId } };
  /** Kills an instance's or a slot's container; resolves when it is dead. */
  killInstance(name: string): Promise<void>;
  /** The path says that seven requests went through it. */
  measure(path: string): Promise<void>;
  /** Has the instance use something of a processor and of memory. */
  use(name: string): Promise<void>;
  /** What is in the volume's one file, as a server would have written and would read it. */
  volumes: { write(volume: string, contents: string): Promise<void>; read(volume: string): Promise<string> };
  /** What an instance finds of its secrets, by file; nothing of one that does not run. */
  secretsOf(name: string): Promise<Record<string, string>>;
  /** The keys that are kept for controllers. */
  keys(): Promise<string[]>;
  /** Begins the copy, and breaks it off in the middle. */
  breakCopy(copy: VolumeCopy): Promise<void>;
  /** Removes all that is left of the architecture, and of the world. */
  dispose(): Promise<void>;
};

export type GetWorld = () => EngineWorld;

export const app: Owner = { kind: 'app', name: 'catalog' };
export const store: Owner = { kind: 'store', name: 'orders' };
export const generation = 'aa'.repeat(32) as GenerationId;
export const body = 'bb'.repeat(32) as BodyId;
export const release = 'cc'.repeat(32) as ReleaseId;
export const conditionLimitMs = 30_000;

/** Commands the `service` image is asked to run once. */
export const onceCommands = {
  speaks: ['sh', '-c', 'cat /contract/greeting; echo trouble >&2; exit 3'],
  sleeps: ['sh', '-c', 'sleep 600'],
  upgrades: ['sh', '-c', "printf ', upgraded' >> /data/file"],
  fails: ['sh', '-c', 'echo it cannot be done >&2; exit 3'],
} as const;

export const network: NetworkSpec = { name: 'contract-app', owner: app, internal: true, isolated: false, hosts: 20 };

export function slotSpec(world: EngineWorld, change: Partial<SlotSpec> & { name: string }): SlotSpec {
  const networks = [{ network: network.name, aliases: [change.name] }];
  const facts = { instance: change.name, app: app.name, service: 'api' };
  return { owner: app, networks, publish: [], memory: 'facts', facts, image: world.images.sandbox, ...change };
}

export function instanceSpec(world: EngineWorld, change: Partial<InstanceSpec> & { name: string; slot: string }): InstanceSpec {
  const origin = { environment: 'local', release, commit: 'uncommitted', key: 'catalog/api', tests: 'npm test' } as const;
  const limits = { memoryBytes: 64 * 1024 * 1024, processes: 50 };
  return {
    owner: app,
    role: 'service',
    generation,
    body,
    image: world.images.service,
    mounts: [],
    limits,
    stopMs: 1000,
    origin,
    ...change,
  };
}

export function pathSpec(world: EngineWorld, name: string, health: 'healthy' | 'unhealthy' = 'healthy'): InstanceSpec {
  return instanceSpec(world, { name, slot: 'contract-path', role: 'path', image: world.images.path[health] });
}

export function valueOf<T, P>(result: Result<T, P>): T {
  assert.ok(result.ok, result.ok ? '' : `unexpected problem: ${JSON.stringify(result.problem)}`);
  return result.value;
}

export const observe = async (world: EngineWorld): Promise<Observation> => valueOf(await world.engine.observe(world.architecture));

export const instanceIn = (seen: Observation, name: string): ObservedInstance | undefined =>
  seen.instances.find((instance) => instance.name === name);
export const slotIn = (seen: Observation, name: string): ObservedSlot | undefined => seen.slots.find((slot) => slot.name === name);

/** Observes until it is so. */
export async function until(world: EngineWorld, sentence: string, isSo: (seen: Observation) => boolean): Promise<Observation> {
  const deadline = performance.now() + conditionLimitMs;
  for (;;) {
    const seen = await observe(world);
    if (isSo(seen)) return seen;
    assert.ok(performance.now() < deadline, `waited in vain until ${sentence}; seen: ${JSON.stringify(seen.instances)}`);
    await aTurn();
  }
}

export async function started(world: EngineWorld, spec: InstanceSpec): Promise<ObservedInstance> {
  valueOf(await world.engine.startInstance(world.architecture, spec));
  const seen = instanceIn(await observe(world), spec.name);
  assert.ok(seen, `${spec.name} is not observed after it started`);
  return seen;
}

export async function serving(world: EngineWorld, name: string): Promise<void> {
  await started(world, pathSpec(world, name));
  valueOf(await world.engine.awaitHealthy(world.architecture, name, conditionLimitMs));
  valueOf(await world.engine.promotePath(world.architecture, name));
}

export const phaseIn = (seen: Observation, name: string): string | undefined => instanceIn(seen, name)?.path?.phase;
