import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { containersOf, docker, imagesOf, type Container } from './docker.ts';
import { run } from './running.ts';
import { cliProgram, environmentIn, makeWorld, until, type World } from './world.ts';

const host = 'catalog.localhost';
const values = [1, 2].map((version) => `value-${version}-${randomBytes(12).toString('hex')}`);
const [first = '', second = ''] = values;

/** Only who knows the value can tell it from its digest. */
const digestOf = (value: string): string => createHash('sha256').update(value).digest('hex');

let world: World;
before(async () => {
  world = await makeWorld(
    'streaming',
    { file: 'architecture.ts', from: 'service, store }', to: 'secret, service, store }' },
    { file: 'architecture.ts', from: '  apps: {', to: '  secrets: { apiKey: secret({ version: 1 }) },\n  apps: {' },
    {
      file: 'architecture.ts',
      from: "build: { folder: 'catalog/api',",
      to: "secrets: { apiKey: 'api-key' },\n          build: { folder: 'catalog/api',",
    },
    { file: 'catalog/api/server.mjs', from: '...shown }', to: '...shown, key }' },
    {
      file: 'catalog/api/server.mjs',
      from: 'serve({',
      to: "const key = createHash('sha256').update(readFileSync('/run/secrets/api-key')).digest('hex');\nserve({",
    },
    {
      file: 'catalog/api/server.mjs',
      from: /^/,
      to: "import { createHash } from 'node:crypto';\nimport { readFileSync } from 'node:fs';\n",
    },
  );
});
after(() => world?.dispose());

/** What a person pipes into the command. */
async function give(value: string, ...words: string[]): Promise<string> {
  const command = ['printf %s "$VALUE" |', process.execPath, cliProgram, ...words].join(' ');
  const env = { ...environmentIn(world.root), VALUE: value };
  const { code, stdout, stderr } = await run({ program: 'sh', words: ['-c', command], cwd: world.folder, env });
  assert.equal(code, 0, stderr);
  return `${stdout}${stderr}`;
}

const containers = (): Promise<Container[]> => containersOf(world.architecture);
const idsBut = async (unit: string): Promise<string[]> =>
  (await containers()).filter((each) => each.unit !== unit && each.role !== 'controller').map(({ id }) => id);
const answersWith = async (value: string): Promise<boolean> => (await world.ask(host))['key'] === digestOf(value);
const whole = (value: string) => async (): Promise<boolean> => (await answersWith(value)) && (await world.changeless('verify')).code === 0;

/** How many lines of what the command gives hold the text. */
async function linesWith(command: string, text: string): Promise<number> {
  const { stdout } = await run({ program: 'bash', words: ['-c', `set -o pipefail; ${command} | (grep -c -a -F '${text}' || true)`] });
  return Number(stdout);
}

test('secrets, on the real engine', async (story) => {
  await story.test('a service finds its value, which nobody without the key could have given it', async () => {
    assert.match(await give(first, 'secret', 'add', 'apiKey'), /version 1 of apiKey, encrypted/);
    await world.git('add', '--all');
    await world.commit('A key of the API');
    await world.done('up');
    assert.ok(await answersWith(first));
    await world.done('verify');
  });

  await story.test('the value is in no image, label, log, ledger or layer', async () => {
    const all = await containers();
    const told = [
      await docker('inspect', ...all.map(({ id }) => id)),
      ...(await Promise.all(all.map(async ({ id }) => Object.values(await run({ program: 'docker', words: ['logs', id] })).join('')))),
      await world.done('status', '--json'),
      await world.done('show', 'live', '--json'),
    ].join('\n');
    assert.match(told, /apiKey/);
    assert.equal(told.includes(first), false);
    const tags = [...(await imagesOf(world.architecture)).keys()].filter((tag) => /^(release|catalog\.api)/.test(tag));
    const release = tags.find((tag) => tag.startsWith('release')) ?? assert.fail('there is no release image');
    const instances = all.filter(({ name, role }) => role === 'service' && name.includes('.catalog.api-'));
    const saved = (...names: readonly string[]): string =>
      ['docker save', ...names.map((tag) => `changeless/${world.architecture}/${tag}`)].join(' ');
    const searches = [
      // Together, for they share most of their layers.
      saved(...tags),
      ...instances.map(({ id }) => `docker export ${id}`),
      `docker run --rm --network none -v ${world.architecture}.ledger:/ledger:ro debian:bookworm-slim tar -cf - /ledger`,
    ];
    assert.ok(tags.length >= 3 && instances.length > 0, searches.join());
    for (const search of searches) assert.equal(await linesWith(search, first), 0, search);
    assert.notEqual(await linesWith(saved(release), 'BEGIN AGE ENCRYPTED FILE'), 0, 'what is there is found');
    const { stdout } = await run({ program: 'git', words: ['-C', world.folder, 'grep', '-F', first, 'HEAD'] });
    assert.equal(stdout, '');
  });

  await story.test('who is killed, and whose place is, finds it again', async () => {
    for (const suffix of ['', '.slot']) {
      const instance = (await containers()).find(({ role, name }) => role === 'service' && name.includes('.catalog.api-1.'));
      assert.ok(instance);
      await docker('kill', `${instance.name}${suffix}`);
      await until('it is back', async () =>
        (await containers()).some(({ name, id, state }) => name === instance.name && id !== instance.id && state === 'running'),
      );
      await until('all is whole', whole(first));
    }
  });

  await story.test('another version by a commit replaces the service that gets it, and nobody else', async () => {
    const others = await idsBut('app/catalog');
    assert.match(await give(second, 'secret', 'rotate', 'apiKey'), /moved .*version 1 -> 2/);
    await world.git('add', '--all');
    await world.commit('Another key of the API');
    assert.match(await world.done('plan'), /secret apiKey: version 1 -> 2/);
    await world.done('up');
    assert.ok(await answersWith(second));
    assert.deepEqual(await idsBut('app/catalog'), others);
    await world.done('rollback');
    assert.ok(await answersWith(first));
    assert.deepEqual(await idsBut('app/catalog'), others);
  });

  await story.test('after a reboot the engine alone brings all back, secrets included', async () => {
    const before = await containers();
    const ids = (isController: boolean): string[] =>
      before.filter(({ role }) => (role === 'controller') === isController).map(({ id }) => id);
    await docker('kill', ...ids(true));
    await docker('kill', ...ids(false));
    await docker('start', ...ids(true));
    await until('all is back', whole(first));
  });

  await story.test('down leaves neither the key nor any secret on the engine', async () => {
    const volumes = (): Promise<string> =>
      docker('volume', 'ls', '--quiet', '--filter', `label=dev.changeless.architecture=${world.architecture}`);
    for (const there of [/\.identity$/m, /\.secrets\.[0-9a-f]{8}$/m]) assert.match(await volumes(), there);
    await world.done('down');
    assert.deepEqual(
      (await volumes()).split('\n').toSorted(),
      [`${world.architecture}.ledger`, `${world.architecture}.sessions.data`, ...(await notes())].toSorted(),
    );
  });
});

const notes = async (): Promise<string[]> => {
  const names = await docker('volume', 'ls', '--quiet', '--filter', `name=${world.architecture}.sessions.data.note`);
  return names.split('\n').filter((name) => name !== '');
};
