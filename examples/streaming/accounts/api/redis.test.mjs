import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import { createRedis } from './redis.mjs';

test('answers come in the order of the commands', async (t) => {
  const { redis } = await world(t, (socket) => socket.on('data', replyToEach(socket, [':1', '+PONG'])));
  assert.deepEqual(await Promise.all([redis.command('INCR', 'visits'), redis.command('PING')]), [1, 'PONG']);
});

test('what Redis says is wrong is thrown', async (t) => {
  const { redis } = await world(t, (socket) => socket.once('data', () => socket.write('-ERR no number\r\n')));
  await assert.rejects(redis.command('INCR', 'visits'), /ERR no number/);
});

test('a command waits while Redis reads its data', async (t) => {
  const { redis } = await world(t, (socket) => socket.on('data', replyToEach(socket, ['-LOADING the data', '-LOADING the data', ':3'])));
  assert.equal(await redis.command('INCR', 'visits'), 3);
});

test('a command whose connection broke is sent again on the next one', async (t) => {
  let connections = 0;
  const { redis } = await world(t, (socket) => {
    connections += 1;
    const first = connections === 1;
    socket.once('data', () => (first ? socket.destroy() : socket.write(':7\r\n')));
  });
  assert.equal(await redis.command('INCR', 'visits'), 7);
  assert.equal(connections, 2);
});

test('a command fails in time when nothing answers', async (t) => {
  const { redis } = await world(t, (socket) => socket.resume(), { timeoutMs: 50 });
  await assert.rejects(redis.command('PING'), /did not answer PING within 50 ms/);
});

async function world(t, onConnection, options) {
  const sockets = new Set();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    onConnection(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const redis = createRedis(`redis://127.0.0.1:${server.address().port}`, options);
  t.after(() => {
    redis.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { redis };
}

function replyToEach(socket, replies) {
  return (chunk) => {
    const commands = String(chunk).match(/\*/g) ?? [];
    for (const _ of commands) socket.write(`${replies.shift()}\r\n`);
  };
}
