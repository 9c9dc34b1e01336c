import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import { createPostgres } from './postgres.mjs';

const message = (type, body = Buffer.alloc(0)) => {
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
};
const started = Buffer.concat([message('R', Buffer.alloc(4)), message('Z', Buffer.from('I'))]);
const column = Buffer.concat([Buffer.from([0, 1]), Buffer.from('text\0'), Buffer.alloc(18)]);
const row = (text) => message('D', Buffer.concat([Buffer.from([0, 1, 0, 0, 0, text.length]), Buffer.from(text)]));
const answer = (...texts) => Buffer.concat([message('T', column), ...texts.map(row), message('Z', Buffer.from('I'))]);
const failure = Buffer.concat([message('E', Buffer.from('SERROR\0Mno such table\0\0')), message('Z', Buffer.from('I'))]);

test('rows come as objects, in the order of the queries', async (t) => {
  const postgres = await world(t, [[started, answer('a', 'b'), answer()]]);
  const both = await Promise.all([postgres.query('SELECT 1', ['x']), postgres.query('SELECT 2')]);
  assert.deepEqual(both, [[{ text: 'a' }, { text: 'b' }], []]);
});

test('what PostgreSQL says is wrong is thrown, and the next query is answered', async (t) => {
  const postgres = await world(t, [[started, failure, answer('a')]]);
  await assert.rejects(postgres.query('SELECT 1'), /no such table/);
  assert.deepEqual(await postgres.query('SELECT 2'), [{ text: 'a' }]);
});

test('a query whose connection broke is sent again on the next one', async (t) => {
  const postgres = await world(t, [
    [started, 'breaks'],
    [started, answer('a')],
  ]);
  assert.deepEqual(await postgres.query('INSERT'), [{ text: 'a' }]);
});

test('a query fails in time when nothing answers', async (t) => {
  const postgres = await world(t, [[started]], { timeoutMs: 50 });
  await assert.rejects(postgres.query('SELECT 1'), /did not answer within 50 ms/);
});

/** A server that answers each message it gets with the next thing it was told to say, on each connection. */
async function world(t, connections, options) {
  const sockets = new Set();
  const server = net.createServer((socket) => {
    const says = connections.shift() ?? [];
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', () => {
      const next = says.shift();
      if (next === 'breaks') socket.destroy();
      else if (next) socket.write(next);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const postgres = createPostgres(`postgres://postgres@127.0.0.1:${server.address().port}/postgres`, options);
  t.after(() => {
    postgres.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return postgres;
}
