import { call, containersOf, type Inspected, inspect, logSays, startIdleController, startLike } from './engine-calls.ts';
import { askOnce, type Probed, startProbe, switchedAt } from './probe.ts';
import type { World } from './world.ts';

/** One side of the twin: what its catalog and its controller were made from. */
type Side = { members: Inspected[]; path: Inspected; controller: Inspected };

/** A twin architecture without controller, whose two sides can be put in each other's place by bare calls. */
export type BareGround = {
  sides: [Side, Side];
  live: 0 | 1;
  running: { members: string[]; path: string; controller: string };
  turn: number;
};

/** Brings both versions up once, notes what they were made from, and removes the controller, so that nobody heals. */
export async function makeBareGround(twin: World, change: () => Promise<void>): Promise<BareGround> {
  await twin.changeless('up');
  await twin.settled();
  const first = await sideOf(twin.name);
  await change();
  await twin.changeless('up');
  await twin.settled();
  const second = await sideOf(twin.name);
  await call('DELETE', `/containers/${second.controller.Id}?force=1`);
  const ground: BareGround = {
    sides: [first, second],
    live: 1,
    running: { members: second.members.map(({ Id }) => Id), path: second.path.Id, controller: '' },
    turn: 0,
  };
  ground.running.controller = await startController(ground, second);
  return ground;
}

async function sideOf(architecture: string): Promise<Side> {
  const all = await containersOf(architecture);
  const role = 'dev.changeless.role';
  const found = await Promise.all(
    all
      .filter(({ Labels }) => Labels[role] === 'controller' || (Labels['dev.changeless.app'] === 'catalog' && Labels[role] !== 'sandbox'))
      .map(({ Id }) => inspect(Id)),
  );
  const path = found.find(({ Config }) => Config.Labels[role] === 'path');
  const controller = found.find(({ Config }) => Config.Labels[role] === 'controller');
  if (path === undefined || controller === undefined) throw new Error(`${architecture} has no path or no controller`);
  return { members: found.filter(({ Config }) => Config.Labels[role] === 'service'), path, controller };
}

/** `callsMs`: all of it without the waits for readiness. `timeline`: moments from the beginning, in milliseconds. */
export type BareTimes = { allMs: number; switchMs: number; callsMs: number; timeline: Record<string, number> };

/**
 * What any rollout of the same has to ask of the engine, and nothing else: the controller; then the instances and the waiter,
 * all at once, into sandboxes that are there; USR2, USR1; the old ones away. Who waits for what is as in a rollout.
 */
export async function bareReplacement(ground: BareGround, probed: Probed): Promise<BareTimes> {
  const next = ground.live === 0 ? 1 : 0;
  const side = ground.sides[next];
  const old = ground.running;
  ground.turn += 1;
  if ((await askOnce(probed)).said === undefined) throw new Error('the twin does not serve');
  const probe = startProbe(probed);
  const began = performance.now();
  const controller = await startController(ground, side);
  const controllerAt = performance.now();
  const [path, ...members] = await Promise.all([
    startLike(side.path, `${side.path.Name.slice(1)}-${ground.turn}`),
    ...side.members.map((member) => startLike(member, member.Name.slice(1))),
  ]);
  const startedAt = performance.now();
  await logSays(path, '"healthy"');
  const healthyAt = performance.now();
  await call('POST', `/containers/${path}/kill?signal=SIGUSR2`);
  const toldAt = performance.now();
  await logSays(path, '"serving"');
  const servingAt = performance.now();
  await call('POST', `/containers/${old.path}/kill?signal=SIGUSR1`);
  const switched = performance.now();
  await Promise.all([remove(old.path), remove(old.controller), ...old.members.map((member) => remove(member))]);
  const ended = performance.now();
  const traffic = switchedAt(await probe.stop());
  if (traffic === undefined) throw new Error('the bare calls did not change who serves');
  ground.live = next;
  ground.running = { members, path, controller };
  const waited = healthyAt - startedAt + (servingAt - toldAt);
  const moments = { controller: controllerAt, instances: startedAt, healthy: healthyAt, serving: servingAt, switched, traffic, ended };
  const timeline = Object.fromEntries(Object.entries(moments).map(([name, at]) => [name, Math.round(at - began)]));
  return { allMs: ended - began, switchMs: switched - began, callsMs: ended - began - waited, timeline };
}

const startController = ({ turn }: BareGround, { controller }: Side): Promise<string> =>
  startIdleController(controller, `${controller.Name.slice(1)}-bare-${turn}`);

async function remove(container: string): Promise<void> {
  await call('POST', `/containers/${container}/stop`, { expected: [304] });
  await call('DELETE', `/containers/${container}?force=1&v=1`);
}
