import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { containersOf } from './docker.ts';
import { startLoad, type Load } from './load.ts';
import { makeWorld, type Told, type World } from './world.ts';

let world: World;
before(async () => {
  world = await makeWorld('guestbook');
});
after(() => world?.dispose());

const host = 'guestbook.localhost';
/** As long as the guest book itself waits for its store. */
const limitMs = 60_000;

type Book = Told & { count: number; entries: { text: string; mood?: string }[] };
const book = async (): Promise<Book> => (await world.ask(host)) as Book;
const server = async (): Promise<string | undefined> => (await containersOf(world.architecture)).find(({ role }) => role === 'server')?.id;
const write = (): Load => startLoad({ host, port: world.port }, 4, { path: '/entries?text=hello', status: 201, limitMs });

/** How many entries were acknowledged while it was done; none was refused, and each is there, once. */
async function underWrites(work: () => Promise<unknown>): Promise<number> {
  const { count } = await book();
  const writing = write();
  await work();
  const { answered, failed } = await writing.stop();
  assert.deepEqual(failed, []);
  assert.ok(answered > 0);
  assert.equal((await book()).count, count + answered);
  return answered;
}

/** Adds what the code before it does without, so that both may run. */
const migration = `
import('/app/postgres.mjs').then(async ({ createPostgres }) => {
  const postgres = createPostgres(process.env.ENTRIES_URL);
  await postgres.query("ALTER TABLE entries ADD COLUMN IF NOT EXISTS mood text NOT NULL DEFAULT 'merry'");
  postgres.close();
});`;

test('a guest book on PostgreSQL is changed under writes, and no entry is lost', { timeout: 400_000 }, async (story) => {
  await story.test('its server gets another setting', async () => {
    await world.done('up');
    const old = await server();
    await world.commit('More memory', { file: 'entries/postgresql.conf', from: 'shared_buffers = 64MB', to: 'shared_buffers = 96MB' });
    let said = '';
    const written = await underWrites(async () => (said = (await world.changeless('up')).stderr));
    assert.notEqual(await server(), old);
    story.diagnostic(`${written} entries were written meanwhile; ${/swapped.*/.exec(said)?.[0] ?? said}`);
  });

  await story.test('a step adds a column before the code that reads it is switched to', async () => {
    const old = await server();
    const before = `steps: { before: { migrate: { command: ['node', '-e', ${JSON.stringify(migration)}] } } },`;
    await world.commit(
      'Moods',
      { file: 'architecture.ts', from: "stores: ['entries'],", to: `stores: ['entries'], ${before}` },
      { file: 'web/server.mjs', from: 'SELECT id, text, at FROM', to: 'SELECT id, text, at, mood FROM' },
    );
    await underWrites(() => world.done('up'));
    const { entries } = await book();
    assert.deepEqual([...new Set(entries.map(({ mood }) => mood))], ['merry']);
    assert.equal(await server(), old, 'nothing of the store was changed');
  });

  await story.test('the code before serves again on the same entries', async () => {
    await underWrites(() => world.done('rollback'));
    const { entries } = await book();
    assert.equal(entries.length, 10);
    assert.ok(entries.every(({ text, mood }) => text === 'hello' && mood === undefined));
    assert.equal((await world.json('verify')).code, 0);
  });
});
