import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { containersOf } from './docker.ts';
import { startLoad } from './load.ts';
import { makeWorld, type World } from './world.ts';

let world: World;
before(async () => {
  world = await makeWorld('streaming');
});
after(() => world?.dispose());

const catalog = 'catalog.localhost';

/** Ids of containers that do something, but for the controller's: places for the next generation are made whenever there is time. */
async function containers(): Promise<{ instances: string[]; path: string[]; others: string[] }> {
  const all = (await containersOf(world.architecture)).filter(({ unit, role }) => unit !== '' && role !== 'sandbox');
  const ids = (isOne: (each: (typeof all)[number]) => boolean): string[] => all.filter(isOne).map(({ id }) => id);
  const isPath = ({ unit, role }: (typeof all)[number]): boolean => unit === 'app/catalog' && role === 'path';
  return {
    instances: ids(({ unit, role }) => unit === 'app/catalog' && role === 'service'),
    path: ids(isPath),
    others: ids((each) => !isPath(each)),
  };
}

/** The status and body of an answer. */
async function attack(): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const request = http.get(
    { host: '127.0.0.1', port: world.port, path: '//search?q=%24%7Bjndi:x', headers: { host: catalog } },
    (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve(`${response.statusCode} ${text}`)).on('error', reject);
    },
  );
  request.on('error', reject);
  return promise;
}

const patch = "'CVE-2026-1234': deny({ path: '/search', query: { q: { contains: '${' } } })";

test('a virtual patch that is shipped under load replaces one data path and nothing else, and loses no request', async (story) => {
  await world.done('up');
  const [first, live] = [await containers(), await world.status()];
  assert.doesNotMatch(await attack(), /^403/);
  await world.commit(
    'An emergency',
    { file: 'architecture.ts', from: 'import { app, architecture,', to: 'import { app, architecture, deny,' },
    { file: 'architecture.ts', from: 'policy({ headers:', to: `policy({ patches: { ${patch} }, headers:` },
  );
  const loads = [
    startLoad({ host: catalog, port: world.port }, 12),
    startLoad({ host: 'accounts.localhost', port: world.port }, 4),
  ] as const;
  await world.done('up');
  const [seen, others] = await Promise.all(loads.map((load) => load.stop()));
  assert.deepEqual([...(seen?.failed ?? []), ...(others?.failed ?? [])], []);
  const [second, patched] = [await containers(), await world.status()];
  assert.notEqual(patched.apps['catalog']?.generation, live.apps['catalog']?.generation);
  assert.deepEqual([...(seen?.answeredBy.keys() ?? [])], [live.apps['catalog']?.generation, patched.apps['catalog']?.generation]);
  assert.equal(second.instances.length, 3);
  assert.deepEqual(second.instances, first.instances, 'its instances are the very same');
  assert.deepEqual(second.others, first.others, 'and so is everything else');
  assert.equal(second.path.filter((id) => first.path.includes(id)).length, 0, 'its data path is another one');
  assert.equal(await attack(), '403 {"error":"refused by the virtual patch CVE-2026-1234"}');
  story.diagnostic(`${(seen?.answered ?? 0) + (others?.answered ?? 0)} requests, none failed`);
});
