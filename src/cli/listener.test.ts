import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { test } from 'node:test';
import { collides, listenerOn, parseListeners } from './listener.ts';

const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1 0 100 0 0 10 0
   1: 0100007F:1F91 0100007F:C000 01 00000000:00000000 00:00000000 00000000     0        0 4243 1 0 100 0 0 10 0
   2: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4244 1 0 100 0 0 10 0
`;

test('listening sockets are read from the kernel, connections are not', () => {
  assert.deepEqual(parseListeners(table), [
    { address: '0100007F', port: 8080, inode: '4242' },
    { address: '00000000', port: 22, inode: '4244' },
  ]);
});

test('a listener stands in the way on the same address, or where one of the two is all addresses', () => {
  const loopback = { address: '0100007F', port: 8080, inode: '' };
  const cases: [string, number, boolean][] = [
    ['127.0.0.1', 8080, true],
    ['127.0.0.2', 8080, false],
    ['0.0.0.0', 8080, true],
    ['127.0.0.1', 8081, false],
  ];
  for (const [address, port, expected] of cases) assert.equal(collides(loopback, { address, port }), expected, `${address}:${port}`);
  assert.ok(collides({ ...loopback, address: '00000000' }, { address: '127.0.0.1', port: 8080 }));
});

test('the process that holds a port is named', { skip: process.platform !== 'linux' }, async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  assert.match((await listenerOn({ address: '127.0.0.1', port: address.port })) ?? '', new RegExp(`^process ${process.pid} \\(`));
  server.close();
  await once(server, 'close');
  assert.equal(await listenerOn({ address: '127.0.0.1', port: address.port }), undefined);
});
