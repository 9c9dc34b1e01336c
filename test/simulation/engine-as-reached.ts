import type { Engine, EngineEvent } from '../../src/engine/engine.ts';
import type { Verb } from '../../src/engine/memory/world.ts';
import type { Problem } from '../../src/problem.ts';
import { failed, type Result } from '../../src/result.ts';
import type { ControllerProcess } from './controller-process.ts';
import { never } from './never.ts';

const absent: Problem = { code: 'ENGINE_ABSENT', what: 'no container engine answers' };
const refused: Problem = { code: 'ENGINE_REFUSED', what: 'the engine did not do it' };

/**
 * The memory engine as one controller process reaches it: calls take time, are refused or their answers lost as the
 * weather has it, and end with the process. What was asked before it died may still be done.
 */
export function engineAsReached(process: ControllerProcess): Engine {
  const { engine } = process.world;
  const effect = (verb: Verb, name: string, work: () => Promise<Result<void>>): Promise<Result<void>> =>
    carryOut(process, { verb, name, work });
  return {
    capabilities: engine.capabilities,
    images: engine.images,
    jobs: engine.jobs,
    requests: (architecture) => look(process, () => engine.requests(architecture)),
    describe: () => engine.describe(),
    observe: (architecture) => lookAtAll(process, () => engine.observe(architecture)),
    controllers: (architecture) => look(process, () => engine.controllers(architecture)),
    usage: (architecture) => look(process, () => engine.usage(architecture)),
    architectures: () => engine.architectures(),
    ensureNetwork: (on, spec) => effect('ensureNetwork', spec.name, () => engine.ensureNetwork(on, spec)),
    removeNetwork: (on, name) => effect('removeNetwork', name, () => engine.removeNetwork(on, name)),
    ensureVolume: (on, spec) => effect('ensureVolume', spec.name, () => engine.ensureVolume(on, spec)),
    copyVolume: (on, copy) => effect('copyVolume', copy.to.name, () => engine.copyVolume(on, copy)),
    noteBody: (on, volume, body) => effect('noteBody', volume.name, () => engine.noteBody(on, volume, body)),
    removeVolume: (on, name) => effect('removeVolume', name, () => engine.removeVolume(on, name)),
    ensureSlot: (on, spec) => effect('ensureSlot', spec.name, () => engine.ensureSlot(on, spec)),
    removeSlot: (on, name) => effect('removeSlot', name, () => engine.removeSlot(on, name)),
    startInstance: (on, spec, values) => effect('startInstance', spec.name, () => engine.startInstance(on, spec, values)),
    keepKeys: never,
    removeInstance: (on, name, container) => effect('removeInstance', name, () => engine.removeInstance(on, name, container)),
    holdPath: (on, name) => effect('holdPath', name, () => engine.holdPath(on, name)),
    promotePath: (on, name) => effect('promotePath', name, () => engine.promotePath(on, name)),
    drainPath: (on, name) => effect('drainPath', name, () => engine.drainPath(on, name)),
    signalInstance: (on, name, signal) => effect('signalInstance', name, () => engine.signalInstance(on, name, signal)),
    removeController: (on, name) => effect('removeController', name, () => engine.removeController(on, name)),
    ask: never,
    takeRequest: (on, name) => effect('takeRequest', name, () => engine.takeRequest(on, name)),
    startController: never,
    controllerCommand: (on, spec, tag) => engine.controllerCommand(on, spec, tag),
    awaitHealthy: (on, name, limitMs) => answer(process, () => engine.awaitHealthy(on, name, limitMs)),
    watch: (on, signal) => watch(process, on, signal),
    logs: (on, name, options) => engine.logs(on, name, options),
    inspectInstances: (on) => engine.inspectInstances(on),
    portHolder: (port) => engine.portHolder(port),
  };
}

/** Takes time on the way there and back; a dead process never learns the answer. */
async function answer<T>(process: ControllerProcess, work: () => Promise<T>): Promise<T> {
  if (!process.alive) return never();
  const { world } = process;
  await world.time.sleep(world.latencyMs());
  const value = await work();
  await world.time.sleep(world.latencyMs());
  return process.alive ? value : never();
}

const look = <T>(process: ControllerProcess, work: () => Promise<Result<T>>): Promise<Result<T>> =>
  answer(process, async () => (process.world.engineIsAway || process.world.refuses() ? failed(absent) : work()));

/** Which of two looks that crossed each other a plan was made from nobody can tell from outside: it is taken for the one before the last. */
async function lookAtAll<T>(process: ControllerProcess, work: () => Promise<Result<T>>): Promise<Result<T>> {
  let seen = process.lastSeen;
  const result = await look(process, () => {
    seen = process.world.changes;
    return work();
  });
  process.lookedAt = process.lastSeen;
  process.lastSeen = seen;
  return result;
}

type Call = { verb: Verb; name: string; work: () => Promise<Result<void>> };

async function carryOut(process: ControllerProcess, { verb, name, work }: Call): Promise<Result<void>> {
  const { world } = process;
  const said = `${verb} ${name}`;
  if (!process.crosses(`before ${said}`)) return never();
  await world.noteCall(process, said);
  const result = await answer(process, () => world.oneAtATime(process, name, () => perform(process, said, work)));
  world.trace(`${process.name} ${said} ${result.ok ? 'done' : result.problem.code}`);
  return process.crosses(`after ${said}`) ? result : never();
}

async function perform(process: ControllerProcess, said: string, work: () => Promise<Result<void>>): Promise<Result<void>> {
  const { world } = process;
  // The request of a process that died meanwhile may have reached the engine or not.
  if (!process.alive && world.random.chance(0.5)) return never();
  if (world.engineIsAway) return failed(absent);
  const refusal = world.refuses();
  if (refusal && world.random.chance(0.5)) return failed(refused);
  try {
    const result = await world.changing(process, work);
    return refusal ? failed(refused) : result;
  } catch (error) {
    // Whoever could not know what another did meanwhile has broken no rule.
    if (!world.changedByOthers(process)) world.find(`${process.name} broke a rule at ${said}: ${String(error)}`);
    return failed(refused);
  }
}

async function* watch(process: ControllerProcess, on: string, signal: AbortSignal): AsyncGenerator<EngineEvent, void, void> {
  const { world } = process;
  const either = new AbortController();
  for (const each of [signal, process.death]) each.addEventListener('abort', () => either.abort(), { once: true });
  for await (const event of world.engine.watch(on, either.signal)) {
    const lost = world.losesEvent();
    await world.time.sleep(lost ? world.random.between(500, 5000) : world.random.between(0, 20));
    if (!process.alive) return never();
    yield lost ? { kind: 'resynchronise' } : event;
  }
}
