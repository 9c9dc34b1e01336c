import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { containersOf, docker, inventoryOf, startExecutioner, type Container, type Executioner } from './docker.ts';
import { startLoad } from './load.ts';
import { makeWorld, until, type Verified, type World } from './world.ts';

const MOMENTS = 6;

type Event = { type: string; outcome?: string; release?: string };
type Side = { release: string; inventory: string[] };

const catalog = 'catalog.localhost';
const accounts = 'accounts.localhost';

let world: World;
let executioner: Executioner;
before(async () => {
  world = await makeWorld('streaming');
  executioner = await startExecutioner();
  await rollOut();
});

after(async () => {
  await executioner?.dispose();
  await world?.dispose();
});

/** How often health is told depends on how fast things are; everything else comes once, whatever happens. */
const isCounted = ({ type }: Event): boolean => type !== 'health-waiting' && type !== 'unit-healthy';

/** Runs up (or rollback) to its end; the controller's events. */
async function rollOut(what?: string, onEvent?: (event: Event) => void): Promise<Event[]> {
  const events: Event[] = [];
  const words = what === 'rollback' ? ['rollback', '--json'] : ['up', '--release-anyway', ...(what === undefined ? [] : [what]), '--json'];
  const running = world.begin(words, (line) => {
    const event = JSON.parse(line) as Event;
    events.push(event);
    onEvent?.(event);
  });
  const { code, stderr } = await running.ended;
  assert.equal(code, 0, `${words.join(' ')}: ${stderr}${events.map(({ type }) => type).join(' ')}`);
  assert.deepEqual([events.at(-1)?.type, events.at(-1)?.outcome], ['rollout-ended', 'live']);
  return events;
}

async function sideOfNow(): Promise<Side> {
  await until('what is left to tidy is tidied', async () => (await world.changeless('verify')).code === 0);
  const { release } = await world.status();
  return { release, inventory: await inventoryOf(world.architecture) };
}

/** Two releases that differ in both apps, rolled out undisturbed, the live one last; and how many events the controller then says. */
async function undisturbed(): Promise<{ sides: [Side, Side]; eventCount: number }> {
  await world.commit(
    'Both apps differ',
    { file: 'catalog/providers/feeds.mjs', from: 'Harbour camera', to: 'Lighthouse camera' },
    { file: 'accounts/api/server.mjs', from: "redis.command('INCR', 'visits')", to: "(await redis.command('INCR', 'visits'))" },
  );
  await rollOut();
  const second = await sideOfNow();
  const events = await rollOut('rollback');
  const first = await sideOfNow();
  return { sides: [second, first], eventCount: events.filter(isCounted).length };
}

const controllerOf = async (release: string) =>
  (await containersOf(world.architecture)).find((each) => each.role === 'controller' && each.release === release);

/** Rolls a side out and kills its controller when it has said so many events. */
async function rollOutKilled(side: Side, moment: number): Promise<string> {
  let killing: Promise<void> | undefined;
  let said = '';
  const kill = async (): Promise<void> => {
    const controller = await controllerOf(side.release);
    assert.ok(controller, 'there is a controller to kill');
    await executioner.kill(controller.id);
  };
  let count = 0;
  await rollOut(side.release, (event) => {
    if (!isCounted(event) || ++count !== moment) return;
    said = event.type;
    killing = kill();
  });
  await killing;
  return said;
}

test('a controller killed at six moments of a rollout ends with one release live and nothing left over', async (context) => {
  const { sides, eventCount } = await undisturbed();
  const loads = [catalog, accounts].map((host) => startLoad({ host, port: world.port }, 2));
  context.after(() => Promise.all(loads.map((load) => load.stop())));
  const moments: string[] = [];
  for (let round = 0; round < MOMENTS; round += 1) {
    const side = sides[round % 2] as Side;
    const moment = 1 + Math.round((round * (eventCount - 2)) / (MOMENTS - 1));
    const after = await rollOutKilled(side, moment);
    const where = `killed after event ${moment}, ${after}`;
    moments.push(`${moment} ${after}`);
    const sameAsUndisturbed = async (): Promise<boolean> => (await inventoryOf(world.architecture)).join() === side.inventory.join();
    await until(`${where}: what is left over is gone`, sameAsUndisturbed).catch(() => undefined);
    assert.deepEqual(await inventoryOf(world.architecture), side.inventory, where);
    const { value } = await world.json<Verified>('verify');
    assert.deepEqual([value.release, value.drift], [side.release, []], `${where}: it is live, and whole`);
    assert.equal((await controllerOf(side.release))?.restarts, 1, `${where}: it was killed, and started again by the engine`);
  }
  const seen = await Promise.all(loads.map((load) => load.stop()));
  assert.deepEqual(
    seen.flatMap(({ failed }) => failed),
    [],
    'all the while, every request was answered',
  );
  context.diagnostic(`killed after ${moments.join(', ')}; ${seen.reduce((sum, { answered }) => sum + answered, 0)} requests`);
});

test('after a reboot, of which the controller is started by the engine, all is back without help', async () => {
  const { visits } = await world.ask(accounts);
  const { release } = await world.status();
  const before = await containersOf(world.architecture);
  // The controller before the rest, so that nothing heals while the rest dies; after `docker kill` the engine does not start it again.
  const ids = (isController: boolean): string[] =>
    before.filter(({ role }) => (role === 'controller') === isController).map(({ id }) => id);
  await docker('kill', ...ids(true));
  await docker('kill', ...ids(false));
  assert.deepEqual([...new Set((await containersOf(world.architecture)).map(({ state }) => state))], ['exited']);
  await docker('start', ...ids(true));
  let last = '';
  await until('all is back', async () => {
    const { code, stdout, stderr } = await world.changeless('verify');
    const { state } = await world.status();
    last = `${state}\n${stdout}${stderr}`;
    return code === 0 && state === 'live';
  }).catch(async (vain: unknown) => {
    const said = await world.changeless('logs', 'controller', '--tail', '40');
    throw new Error(`${String(vain)}\n${last}\n${said.stdout}${said.stderr}`);
  });
  assert.equal((await world.status()).release, release);
  const counted = (containers: readonly Container[]): string[] => containers.map(({ role, unit }) => `${role} ${unit}`).toSorted();
  assert.deepEqual(counted(await containersOf(world.architecture)), counted(before), 'nothing more and nothing less than before');
  assert.equal((await world.ask(accounts)).visits, visits + 1, 'the data is kept');
  assert.equal((await world.ask(catalog)).app, 'catalog');
});
