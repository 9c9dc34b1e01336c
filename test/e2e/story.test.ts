import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { containersOf, docker, imagesOf, inventoryOf, removeContainers, type Container } from './docker.ts';
import { startLoad } from './load.ts';
import { run } from './running.ts';
import { makeWorld, until, type Status, type Told, type Verified, type World } from './world.ts';

let world: World;
before(async () => {
  world = await makeWorld('streaming');
});
after(() => world?.dispose());

const catalog = 'catalog.localhost';
const accounts = 'accounts.localhost';
const films = 'catalog/providers/feeds.mjs';

const all = (): Promise<Container[]> => containersOf(world.architecture);
const incarnations = async (): Promise<string[]> => (await all()).map(({ name, id, startedAt }) => `${name} ${id} ${startedAt}`);
const ofUnit = async (unit: string, ...roles: string[]): Promise<Container[]> =>
  (await all()).filter((each) => each.unit === unit && (roles.length === 0 || roles.includes(each.role)));
const ids = (containers: readonly Container[]): string[] => containers.map(({ id }) => id);
/** The containers of everything but the catalog and the controller. */
const others = async (): Promise<string[]> => ids((await all()).filter(({ unit }) => unit !== 'app/catalog' && unit !== ''));
const titles = ({ items }: Told): string[] => (items as { title: string }[]).map(({ title }) => title);

async function bothAnswer(status: Status): Promise<Told[]> {
  const told = await Promise.all([world.ask(catalog), world.ask(accounts)]);
  for (const { app, service, instance, generation } of told) {
    assert.equal(service, 'api');
    assert.match(instance, /^api-[12]$/);
    assert.equal(generation, status.apps[app]?.generation, `${app} answers with the generation that status tells`);
  }
  assert.deepEqual(
    told.map(({ app }) => app),
    ['catalog', 'accounts'],
  );
  return told;
}

/** Waits until the controller has put everything back, and says so. */
const whole = (): Promise<true> =>
  until('all that runs is what the release says', async () => {
    const { code } = await world.changeless('verify');
    return code === 0 && (await world.status()).state === 'live' && true;
  });

async function controllerName(): Promise<string> {
  const controller = (await all()).find(({ role }) => role === 'controller');
  assert.ok(controller);
  return controller.name;
}

/** What verify finds while the controller is held, so that it cannot heal before we look. */
async function verifyHeld(touch: () => Promise<unknown>): Promise<Verified> {
  const controller = await controllerName();
  await docker('pause', controller);
  try {
    await touch();
    const { code, value } = await world.json<Verified>('verify');
    assert.equal(code, 3, JSON.stringify(value));
    assert.equal(value.ok, false);
    return value;
  } finally {
    await docker('unpause', controller);
  }
}

const names = ({ drift }: Verified, name: string): boolean => drift.some((entry) => entry.name === name || entry.container === name);

test('the story of the streaming example, told as a user lives it', async (story) => {
  let first: Status;
  let firstImages: string[];

  await story.test('a commit becomes live, and both apps say who they are', async () => {
    const said = await world.done('up');
    assert.match(said, /^live {2}release [0-9a-f]{12} from commit [0-9a-f]{7}/);
    assert.match(said, new RegExp(`catalog {3}http://catalog.localhost:${world.port}`));
    first = await world.status();
    assert.equal(first.state, 'live');
    assert.equal(first.commit, await world.git('rev-parse', 'HEAD'));
    await bothAnswer(first);
    firstImages = (await ofUnit('app/catalog', 'service', 'path')).map(({ image }) => image);
  });

  await story.test('the same up again changes nothing and says so', async () => {
    const before = await incarnations();
    assert.match(await world.done('up'), /is live already; nothing was changed/);
    assert.deepEqual(await incarnations(), before);
  });

  await story.test('a one-line change replaces the catalog under load, and not one request fails', async () => {
    const catalogBefore = ids(await ofUnit('app/catalog', 'service', 'path'));
    const othersBefore = await others();
    await world.commit('Another name', { file: films, from: 'Harbour camera', to: 'Lighthouse camera' });
    const loads = [startLoad({ host: catalog, port: world.port }, 12), startLoad({ host: accounts, port: world.port }, 4)] as const;
    await world.done('up');
    const [catalogSeen, accountsSeen] = await Promise.all(loads.map((load) => load.stop()));
    assert.deepEqual(catalogSeen?.failed, []);
    assert.deepEqual(accountsSeen?.failed, []);
    const after = await world.status();
    assert.deepEqual([...(catalogSeen?.answeredBy.keys() ?? [])], [first.apps['catalog']?.generation, after.apps['catalog']?.generation]);
    assert.deepEqual([...(accountsSeen?.answeredBy.keys() ?? [])], [first.apps['accounts']?.generation]);
    assert.deepEqual(await others(), othersBefore, 'everything else keeps its very containers');
    const kept = ids(await ofUnit('app/catalog', 'service', 'path')).filter((id) => catalogBefore.includes(id));
    assert.deepEqual(kept, [], 'every container of the catalog is a new one');
    const [told] = await bothAnswer(after);
    assert.ok(told && titles(told).includes('Lighthouse camera'));
    story.diagnostic(`${(catalogSeen?.answered ?? 0) + (accountsSeen?.answered ?? 0)} requests, none failed`);
  });

  await story.test('rollback runs the very images that ran before', async () => {
    const othersBefore = await others();
    await world.done('rollback');
    const back = await world.status();
    assert.equal(back.release, first.release);
    assert.equal(back.apps['catalog']?.generation, first.apps['catalog']?.generation);
    const images = (await ofUnit('app/catalog', 'service', 'path')).map(({ image }) => image);
    assert.deepEqual(images, firstImages);
    assert.deepEqual(await others(), othersBefore);
    const [told] = await bothAnswer(back);
    assert.ok(told && titles(told).includes('Harbour camera'));
  });

  await story.test('the command that show prints brings everything back after every container was lost, data included', async () => {
    const { visits } = await world.ask(accounts);
    const inventory = await inventoryOf(world.architecture);
    await removeContainers(world.architecture);
    assert.deepEqual(await all(), []);
    const { value } = await world.json<{ run: string; image: string }>('show', first.release.slice(0, 12));
    const { code, stderr } = await run({ program: 'sh', words: ['-c', value.run] });
    assert.equal(code, 0, stderr);
    await whole();
    const [, told] = await bothAnswer(await world.status());
    assert.equal(told?.visits, visits + 1, 'the visit counter has kept its value');
    assert.deepEqual(await inventoryOf(world.architecture), inventory);
    const verified = await world.json<Verified>('verify');
    assert.deepEqual([verified.code, verified.value.ok, verified.value.drift], [0, true, []]);
    assert.equal(verified.value.release, first.release);
  });

  await story.test('verify names what is missing, and the controller puts it back', async () => {
    const name = 'catalog.api-2.blue';
    const found = await verifyHeld(() => docker('rm', '--force', `${world.architecture}.${name}`));
    assert.ok(names(found, name), JSON.stringify(found.drift));
    await whole();
  });

  await story.test('verify names a container that does not belong there', async () => {
    const stranger = `${world.architecture}-stranger`;
    const [network] = (await docker('network', 'ls', '--format', '{{.Name}}', '--filter', `name=${world.architecture}.app.catalog`)).split(
      '\n',
    );
    await docker('run', '--detach', '--rm', '--name', stranger, '--network', network ?? '', 'debian:bookworm-slim', 'sleep', '300');
    try {
      const { code, value } = await world.json<Verified>('verify');
      assert.equal(code, 3);
      assert.ok(names(value, stranger), JSON.stringify(value.drift));
    } finally {
      await docker('kill', stranger);
    }
    await whole();
  });

  await story.test('verify names a container whose limits were updated, until it is replaced', async () => {
    const name = 'accounts.api-1.blue';
    const container = `${world.architecture}.${name}`;
    const found = await verifyHeld(() => docker('update', '--memory', '300m', '--memory-swap', '300m', container));
    assert.ok(names(found, name), JSON.stringify(found.drift));
    await docker('rm', '--force', container);
    await whole();
  });

  await story.test('verify names a container that someone runs a command in', async () => {
    const name = 'catalog.providers-1.blue';
    const container = `${world.architecture}.${name}`;
    const found = await verifyHeld(() => docker('exec', '--detach', container, 'sleep', 'infinity'));
    assert.ok(names(found, name), JSON.stringify(found.drift));
    await docker('rm', '--force', container);
    await whole();
  });

  await story.test('verify names a controller that does not run', async () => {
    const controller = await controllerName();
    await docker('kill', controller);
    const { code, value } = await world.json<Verified>('verify');
    assert.equal(code, 3);
    assert.ok(names(value, controller.slice(world.architecture.length + 1)), JSON.stringify(value.drift));
    await docker('start', controller);
    await whole();
  });

  await story.test('an instance that is killed is replaced in its place', async () => {
    const name = `${world.architecture}.catalog.api-1.blue`;
    const before = await incarnations();
    await docker('kill', name);
    await until('it runs again', async () => (await all()).some((each) => each.name === name && each.state === 'running'));
    await whole();
    const changed = (await incarnations()).filter((line) => !before.includes(line));
    assert.deepEqual(
      changed.map((line) => line.split(' ')[0]),
      [name],
      'nothing else was touched',
    );
    await bothAnswer(await world.status());
  });

  await story.test('whatever runs can be traced from its labels, and runs an image of the architecture', async () => {
    const images = new Set((await imagesOf(world.architecture)).values());
    for (const { name, role, image, labels } of await all()) {
      if (role === 'sandbox') continue;
      assert.ok(images.has(image), `${name} runs an image of the architecture`);
      for (const label of role === 'controller' ? ['release', 'commit'] : ['release', 'commit', 'generation', 'key'])
        assert.match(labels[`dev.changeless.${label}`] ?? '', /^[0-9a-f]{40,64}$/, `${name} has the label ${label}`);
    }
  });
});
