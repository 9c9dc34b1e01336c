import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { byCodeUnit } from '../../src/canonical-json.ts';
import { startLoad } from './load.ts';
import { makeWorld, until, type World } from './world.ts';

/** Each instance keeps a list of the members of its cluster: those that its service's name stands for, and that answer. */
const server = `
import { lookup } from 'node:dns/promises';
import { identity, serve } from './serve.mjs';

const nobody = { headers: {} };
let members = [];

async function nameOf({ address }) {
  try {
    const answer = await fetch('http://' + address + ':8080/name', { signal: AbortSignal.timeout(1000) });
    return (await answer.json()).name;
  } catch {
    return undefined;
  }
}

async function meet() {
  const addresses = await lookup('web', { all: true, family: 4 }).catch(() => []);
  members = (await Promise.all(addresses.map(nameOf))).filter(Boolean).sort();
  setTimeout(meet, 100);
}
meet();

serve({
  '/': async (request) => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return { status: 200, body: { ...identity(request), members } };
  },
  '/name': () => ({ status: 200, body: { name: identity(nobody).instance } }),
  '/healthz': () => ({ status: 200, body: { ready: true } }),
});
`;

let world: World;
before(async () => {
  world = await makeWorld(
    'hello',
    { file: 'hello/server.mjs', from: /^[^]*$/, to: server },
    { file: 'architecture.ts', from: 'port: 8080,', to: 'port: 8080, replicas: { min: 2, max: 5 },' },
  );
  await world.done('up');
});
after(() => world?.dispose());

const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => `web-${index + 1}`);

/** Until every instance has been heard, and each knows exactly all of them. */
async function agree(count: number): Promise<void> {
  const heard = new Map<string, string>();
  const all = JSON.stringify(numbered(count));
  await until(`${count} members know one another`, async () => {
    const { instance, members } = await world.ask('hello.localhost');
    heard.set(instance, JSON.stringify(members));
    const names = numbered(count);
    return names.every((name) => heard.get(name) === all) && names.includes(instance);
  });
}

test(
  'a cluster whose members find one another by name grows and shrinks under load, and loses no request',
  { timeout: 300_000 },
  async () => {
    await agree(2);
    const before = (await world.status()).apps['hello']?.instances ?? [];
    const load = startLoad({ host: 'hello.localhost', port: world.port }, 20);
    await world.done('scale', 'hello.web', '5');
    await agree(5);
    assert.equal((await world.json('verify')).code, 0);
    const said = await world.done('scale', 'hello.web', '2', '--json');
    await agree(2);
    const { answered, failed } = await load.stop();
    assert.deepEqual(failed, []);
    assert.ok(answered > 500, `the load was no load: ${answered}`);
    const left = said
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; instance?: string; cut?: number })
      .filter(({ type }) => type === 'instance-left');
    assert.deepEqual(
      left.map(({ instance, cut }) => `${instance?.replace(/\.\w+$/, '') ?? ''}, ${cut ?? 'nothing'} cut`).toSorted(byCodeUnit),
      [3, 4, 5].map((number) => `hello.web-${number}, nothing cut`),
    );
    assert.deepEqual((await world.status()).apps['hello']?.instances, before);
    const { code, value } = await world.json('verify');
    assert.equal(code, 0, JSON.stringify(value));
  },
);

test('a release that comes while more run than its least has as many, and none is lost on the way', { timeout: 300_000 }, async () => {
  await world.done('scale', 'hello.web', '3');
  const load = startLoad({ host: 'hello.localhost', port: world.port }, 10);
  await world.commit('Another greeting', { file: 'architecture.ts', from: "'Hello'", to: "'Good morning'" });
  await world.done('up');
  await agree(3);
  assert.deepEqual((await load.stop()).failed, []);
});
