import assert from 'node:assert/strict';
import { test } from 'node:test';
import { extract } from 'tar-stream';
import { treeTar } from './tar.ts';

test('a folder that a user owns is in a tree, and is that user’s; all else is of root', async () => {
  const reader = extract();
  const inbox = { path: '/inbox', folder: true, owner: { user: 65_534, group: 65_534 } } as const;
  reader.end(await treeTar([{ path: '/changeless/gateway.json', contents: '{}' }, inbox]));
  const seen: string[] = [];
  for await (const entry of reader) {
    const { name, type, uid, mode } = entry.header;
    seen.push(`${name} ${type} ${uid} ${mode?.toString(8)}`);
    entry.resume();
  }
  assert.deepEqual(seen, ['changeless/ directory 0 755', 'changeless/gateway.json file 0 644', 'inbox/ directory 65534 755']);
});
