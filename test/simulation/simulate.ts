import type { InstanceSpec, ObservedInstance } from '../../src/engine/engine.ts';
import type { RecordedEvent } from '../../src/events.ts';
import type { Manifest } from '../../src/release/manifest.ts';
import { isUnit } from '../../src/rollout/unit-state.ts';
import { brokenChain, brokenRules, desiredFor, unexplained } from './check-model.ts';
import { comesToRest, isAtRest, liveManifest, unrest } from './rest.ts';
import { bakeMs, changedSketch, firstSketch, sealSketch, type Sketch } from './sketch.ts';
import { architecture, SimulatedWorld } from './simulated-world.ts';
import { rough } from './weather.ts';

export type Simulated = { seed: number; operations: readonly string[]; findings: readonly string[]; trace: readonly string[] };

type Commit = { sketch: Sketch; manifest: Manifest };

type Up = { manifest: Manifest; name: string; container: string; good: boolean; end?: RecordedEvent & { type: 'rollout-ended' } };

type Story = { world: SimulatedWorld; history: Commit[]; commits: number; ups: Up[] };

/** A life of an architecture, told by one seed: operations one after another, each in its weather, each checked when all is at rest. */
export async function simulate(seed: number, options: { trace: boolean } = { trace: false }): Promise<Simulated> {
  const world = await SimulatedWorld.make(seed);
  world.isTraced = options.trace;
  const story: Story = { world, history: [], commits: 0, ups: [] };
  const operations: string[] = [];
  const count = world.random.between(3, 6);
  for (let number = 0; number < count && world.findings.length === 0; number += 1) {
    const operation = number === 0 ? 'up' : world.random.pick(menu);
    const gale = world.random.chance(number === 0 ? 0.3 : 0.6);
    operations.push(`${operation}${gale ? ' in rough weather' : ''}`);
    world.trace(`operation ${operations.at(-1)}`);
    await carryOut(operation, gale, story);
  }
  for (const sentence of await brokenChain(world.ledger)) world.find(sentence);
  world.end();
  return { seed, operations, findings: world.findings, trace: world.traced };
}

type Operation = 'up' | 'broken up' | 'two ups' | 'rollback' | 'going back' | 'alarm' | 'deaths' | 'reboot' | 'engine away';

const menu: readonly Operation[] = [
  'up',
  'up',
  'broken up',
  'two ups',
  'rollback',
  'going back',
  'alarm',
  'deaths',
  'reboot',
  'engine away',
];

/** What was there before an operation, to compare with afterwards. */
type Before = { live: Manifest | undefined; containers: ReadonlyMap<string, string>; outages: number; cuts: number };

async function carryOut(operation: Operation, gale: boolean, story: Story): Promise<void> {
  const { world } = story;
  const before = await lookBefore(world);
  story.ups = [];
  world.struck.splice(0);
  if (gale) blow(world);
  await perform(operation, story);
  await world.time.until(() => story.ups.every((up) => endOf(world, up) !== undefined), { limitMs: 120_000, everyMs: 200 });
  world.clear();
  if (!(await comesToRest(world, () => rests(story)))) world.find(`it never came to rest: ${await unrest(world)}`);
  else await check(story, before, { calmly: !gale && isPeaceful(operation) });
  await remember(story);
}

const isPeaceful = (operation: Operation): boolean => !['going back', 'alarm', 'deaths', 'reboot', 'engine away'].includes(operation);

/** The weather, a controller that dies somewhere (perhaps again and again), and clients that do not go away. */
function blow(world: SimulatedWorld): void {
  const { random } = world;
  world.weather = rough(random);
  for (let kills = random.between(0, 3); kills > 0; kills -= 1)
    world.brew(random.between(0, 20_000), () => {
      world.killOrder = { left: random.between(0, 30) };
    });
  if (random.chance(0.3)) world.brew(random.between(0, 5000), () => killSomething(world));
  if (random.chance(0.3))
    for (const { spec, path } of world.state.instances.values())
      if (path?.stage === 'serving' && random.chance(0.5)) world.engine.world.holdConnections(spec.name);
}

async function perform(operation: Operation, story: Story): Promise<void> {
  const { world } = story;
  const { random, time } = world;
  switch (operation) {
    case 'up':
      return up(story, commit(story));
    case 'broken up':
      return up(story, brokenCommit(story), false);
    case 'two ups':
      await up(story, commit(story));
      await time.pass(random.between(0, 8000));
      return up(story, random.chance(0.7) ? commit(story) : random.pick(story.history).manifest);
    case 'rollback':
      return up(story, random.pick(story.history).manifest);
    case 'going back':
      await up(story, commit(story, { bakeMs: bakeMs(random) }));
      await time.pass(random.between(0, 20_000));
      await askBack(story);
      return;
    case 'alarm':
      await up(story, commit(story, { bakeMs: bakeMs(random) }));
      await time.pass(random.between(0, 20_000));
      for (let seconds = random.between(1, 10); seconds > 0; seconds -= 1) {
        tellErrors(world);
        await time.pass(1000);
      }
      return;
    case 'deaths':
      for (let deaths = random.between(1, 4); deaths > 0; deaths -= 1) {
        killSomething(world);
        await time.pass(random.between(0, 4000));
      }
      return;
    case 'reboot':
      if (random.chance(0.4)) await up(story, commit(story));
      await time.pass(random.between(0, 5000));
      return reboot(world);
    case 'engine away':
      if (random.chance(0.6)) await up(story, commit(story));
      await time.pass(random.between(0, 3000));
      return goAway(world);
  }
}

async function up(story: Story, manifest: Manifest, good = true): Promise<void> {
  const name = await story.world.start(manifest);
  const container = story.world.state.controllers.get(name)?.container ?? '';
  story.ups.push({ manifest, name, container, good });
}

/** Somebody wants the release before again, whether or not anything stands by. */
async function askBack({ world, commits }: Story): Promise<void> {
  const live = await liveManifest(world);
  if (!live) return;
  const { release, outputs } = live;
  await world.engine.ask(architecture, { name: `request.${commits}`, image: outputs.controller, request: { ask: 'go-back', release } });
}

/** Half of what the catalog is asked goes wrong. */
function tellErrors({ state, engine }: SimulatedWorld): void {
  const measures = { number: 1, spanMs: 1000, retries: 0, redispatches: 0, requests: 10, connections: 1, open: 1, queue: 0, servers: {} };
  for (const { spec, path } of state.instances.values())
    if (spec.owner.name === 'catalog' && path?.stage === 'serving')
      engine.world.measure(spec.name, { ...measures, answers: { '1xx': 0, '2xx': 5, '3xx': 0, '4xx': 0, '5xx': 5 } });
}

function commit(story: Story, wanted: Partial<Sketch> = {}): Manifest {
  const { world, history } = story;
  const before = history.at(-1)?.sketch ?? firstSketch;
  story.commits += 1;
  const sketch = { ...(story.commits === 1 ? before : changedSketch(before, world.random)), ...wanted, commit: story.commits };
  const manifest = sealSketch(world.engine, sketch);
  history.push({ sketch, manifest });
  return manifest;
}

/** A commit one of whose components never works. Nothing is built upon it, and nobody goes back to it. */
function brokenCommit(story: Story): Manifest {
  const { world, history } = story;
  const before = history.at(-1)?.sketch ?? firstSketch;
  story.commits += 1;
  const component = world.random.pick(['catalog/api', 'catalog/providers', 'accounts/api', 'sessions']);
  const keys = { ...before.keys, [component]: `broken ${story.commits}` };
  const manifest = sealSketch(world.engine, { ...changedSketch(before, world.random), keys, commit: story.commits });
  const sealed = manifest.outputs.environments['local'];
  const [owner = '', service = 'server'] = component.split('/');
  const { services, steps } = (sealed?.apps[owner] ?? sealed?.stores[owner])?.images ?? {};
  const image = (world.random.chance(0.5) ? steps?.[`${service}/index`] : undefined) ?? services?.[service];
  if (!image) throw new Error(`no image of ${component}`);
  world.breakImage(image, world.random.pick(['unhealthy', 'crashing']));
  return manifest;
}

function killSomething(world: SimulatedWorld): void {
  const { state, random } = world;
  const names = [...state.instances.keys(), ...state.slots.keys()];
  const running = [...state.controllers.values()].filter((each) => each.state === 'running').map(({ spec }) => spec.name);
  if (names.length + running.length === 0) return;
  if (running.length > 0 && random.chance(0.2)) return killController(world, random.pick(running));
  if (names.length === 0) return;
  world.strike(random.pick(names));
}

function killController(world: SimulatedWorld, name: string): void {
  const process = world.processes.find((each) => each.name === name);
  if (process) world.kill(process, 'by chance');
}

async function reboot(world: SimulatedWorld): Promise<void> {
  world.trace('the host goes down');
  for (const process of world.processes) process.die();
  world.noteChange('reboot');
  world.engine.world.stopEngine();
  await world.time.pass(world.random.between(500, 60_000));
  world.trace('the host is back');
  world.engine.world.startEngine();
}

/** The engine does not answer for a while; what runs goes on. */
async function goAway(world: SimulatedWorld): Promise<void> {
  world.trace('the engine is away');
  world.engineIsAway = true;
  await world.time.pass(world.random.between(200, 20_000));
  world.engineIsAway = false;
  world.trace('the engine is back');
  world.state.events.push({ kind: 'resynchronise' });
}

/** How its rollout ended, as its controller said it. A caller whose rollout failed removes the controller, or went away. */
function endOf(world: SimulatedWorld, up: Up): Up['end'] {
  if (up.end) return up.end;
  const said = world.events.find((event) => event.by === up.container && event.type === 'rollout-ended');
  if (said?.type !== 'rollout-ended') return undefined;
  up.end = said;
  if (said.outcome === 'failed' && world.random.chance(0.7)) void world.engine.removeController(architecture, up.name);
  return said;
}

async function rests({ world, ups }: Story): Promise<boolean> {
  for (const up of ups) endOf(world, up);
  return isAtRest(world);
}

async function lookBefore(world: SimulatedWorld): Promise<Before> {
  const { outages, cuts } = world.engine.world;
  const instances = [...world.state.instances.values()];
  return {
    live: await liveManifest(world),
    containers: new Map(instances.map(({ spec, container }) => [spec.name, container])),
    outages: outages.length,
    cuts: cuts.length,
  };
}

async function check(story: Story, before: Before, { calmly }: { calmly: boolean }): Promise<void> {
  const { world } = story;
  const live = await liveManifest(world);
  const moves = coreMoves(story, before);
  const outages = world.engine.world.outages
    .slice(before.outages)
    .filter(({ owner }) => !(moves && owner.kind === 'core') && !wasStruck(world, owner.name));
  for (const sentence of await brokenRules(world)) world.find(sentence);
  for (const sentence of unexplained(outages, [before.live, live, ...story.ups.map(({ manifest }) => manifest)])) world.find(sentence);
  for (const cut of world.engine.world.cuts.slice(before.cuts))
    if (!/^(kill|stop engine)/.test(cut.by) && !(moves && cut.path.startsWith('core.')))
      world.find(`connections of ${cut.path} were cut by ${cut.by}`);
  for (const up of story.ups)
    if (world.state.controllers.has(up.name) && !up.end) world.find(`${up.name} never told how its rollout ended`);
  if (calmly) await checkCalm(story, before, live);
}

/** Whose instance died between two looks of a controller may be let in, or out, a moment too early. */
const wasStruck = ({ struck }: SimulatedWorld, owner: string): boolean => struck.some((name) => name.startsWith(`${owner}.`));

/** Published ports that change make the core's place anew, which is a gap and said to be one. */
const coreMoves = ({ ups }: Pick<Story, 'ups'>, { live }: Before): boolean =>
  live !== undefined && ups.some(({ manifest }) => portsOf(manifest) !== portsOf(live));

const portsOf = (manifest: Manifest): string => JSON.stringify(manifest.inputs.architecture.core.publish);

/** Where nothing went wrong, what works is live, what does not has failed, and what did not change is the very same. */
async function checkCalm({ world, ups }: Story, before: Before, live: Manifest | undefined): Promise<void> {
  for (const { good, end, name } of ups) {
    const held = end?.problem?.code === 'ROLLOUT_HELD';
    if (!held && (end?.outcome === 'live') !== good) world.find(`${name} ended ${end?.outcome}, though it ${good ? 'works' : 'does not'}`);
  }
  if (!live || !before.live) return;
  const others = [before.live, ...ups.map(({ manifest }) => manifest)].map((manifest) => desiredFor(manifest).units);
  for (const unit of desiredFor(live).units) {
    if (unit.owner.kind === 'core' && coreMoves({ ups }, before)) continue;
    const stays = ({ role, owner }: Pick<ObservedInstance, 'role' | 'owner'>): boolean =>
      isUnit(owner, unit.owner) &&
      others.every((units) =>
        units.some(
          (other) => isUnit(other.owner, unit.owner) && (role === 'path' ? other.generation === unit.generation : other.body === unit.body),
        ),
      );
    // A step whose record was lost is run again.
    const wasLost = ({ role, name }: InstanceSpec): boolean => role === 'step' && !before.containers.has(name);
    for (const { spec, container } of world.state.instances.values())
      if (stays(spec) && !wasLost(spec) && before.containers.get(spec.name) !== container && before.containers.size > 0)
        world.find(`${spec.name} did not change, and is another container now`);
  }
}

/** What is live now is what the next commits build upon, and what broke or lost is forgotten. */
async function remember(story: Story): Promise<void> {
  const live = await liveManifest(story.world);
  const known = story.history.find(({ manifest }) => manifest.release === live?.release);
  story.history = [...story.history.filter((each) => each !== known), ...(known ? [known] : [])];
}
