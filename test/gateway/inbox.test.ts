import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inboxFilesIn } from '../../src/gateway/inbox-files.ts';
import { closeOthers, removeTaken } from '../../src/gateway/sweep-inbox.ts';
import { deliveryOf, inboxFolder, readAll, writerOf } from './inbox-fixture.ts';
import { PowerlessFiles } from './powerless-files.ts';

const ids = (all: readonly { id: string }[]): string[] => all.map(({ id }) => id);
const named = (count: number, word = 'd'): string[] => Array.from({ length: count }, (_, index) => `${word}${index}`);

describe('the inbox', () => {
  it('gives back what was appended, in order and to the byte, over many files and from real disks', async (context) => {
    const files = inboxFilesIn(inboxFolder(context));
    const writer = writerOf(files, 2000);
    const sent = named(100).map((id, index) => deliveryOf(id, index * 17));
    for (const delivery of sent) assert.deepEqual(await writer.append(delivery), { ok: true, value: undefined });
    await writer.close();
    assert.ok((await files.names()).length > 10, 'files are closed when they have grown');
    assert.deepEqual(
      (await readAll(files)).map((each) => ({ ...each, body: Buffer.from(each.body) })),
      sent,
    );
  });

  it('writes and syncs what arrives together once', async () => {
    const files = new PowerlessFiles();
    const writer = writerOf(files);
    const results = await Promise.all(named(500).map((id) => writer.append(deliveryOf(id))));
    assert.ok(results.every(({ ok }) => ok));
    assert.deepEqual([files.writes, files.syncs], [1, 1]);
    assert.deepEqual(ids(await readAll(files)), named(500));
  });

  it('has on disk what it has acknowledged, whenever the power goes', async () => {
    for (let lostAt = 0; lostAt < 6; lostAt += 1) {
      const files = new PowerlessFiles();
      const writer = writerOf(files);
      const acknowledged: string[] = [];
      let syncs = 0;
      files.onSync = async () => {
        if (syncs++ !== lostAt) return;
        files.losePower();
        throw new Error('the power is gone');
      };
      for (const id of named(6)) if ((await writer.append(deliveryOf(id))).ok) acknowledged.push(id);
      files.losePower();
      assert.equal(acknowledged.length, 5);
      assert.deepEqual(ids(await readAll(files)), acknowledged);
    }
  });

  it('refuses what a full disk does not take, says so, keeps what was acknowledged, and goes on when there is room', async () => {
    for (let roomBytes = 0; roomBytes < 700; roomBytes += 7) {
      const files = new PowerlessFiles();
      files.roomBytes = roomBytes;
      const writer = writerOf(files);
      const acknowledged: string[] = [];
      for (const id of named(6)) {
        const result = await writer.append(deliveryOf(id));
        if (result.ok) acknowledged.push(id);
        else assert.match(`${result.problem.code} ${result.problem.why}`, /INBOX_UNWRITABLE no space is left/);
      }
      files.roomBytes = Infinity;
      assert.ok((await writer.append(deliveryOf('later'))).ok);
      const kept = ids(await readAll(files));
      assert.deepEqual(
        kept.filter((id) => [...acknowledged, 'later'].includes(id)),
        [...acknowledged, 'later'],
      );
    }
  });

  it('never writes again to a file whose sync failed', async () => {
    const files = new PowerlessFiles();
    const writer = writerOf(files);
    assert.ok((await writer.append(deliveryOf('a'))).ok);
    files.failSync = true;
    assert.ok(!(await writer.append(deliveryOf('b'))).ok);
    files.failSync = false;
    assert.ok((await writer.append(deliveryOf('c'))).ok);
    files.losePower();
    assert.deepEqual(ids(await readAll(files)), ['a', 'c']);
    assert.equal(files.stored.size, 2);
  });

  it('passes over a torn last record, wherever it was torn, and over a last page that holds something else', async () => {
    const files = new PowerlessFiles();
    const writer = writerOf(files);
    for (const id of named(3)) await writer.append(deliveryOf(id, 300));
    const [stored] = files.stored.values();
    assert.ok(stored);
    const whole = stored.bytes;
    const recordBytes = (whole.length - 8) / 3;
    for (let cut = 1; cut <= recordBytes; cut += 1) {
      stored.bytes = whole.subarray(0, whole.length - cut);
      assert.deepEqual(ids(await readAll(files)), ['d0', 'd1'], `${cut} bytes cut off`);
      stored.bytes = Buffer.concat([stored.bytes, Buffer.alloc(cut)]);
      assert.deepEqual(ids(await readAll(files)), ['d0', 'd1'], `${cut} bytes zero`);
    }
  });

  it('lets several writers share the folder, and reads a record that is longer than a chunk', async () => {
    const files = new PowerlessFiles();
    const [one, other] = [writerOf(files), writerOf(files)];
    await Promise.all([
      ...named(20, 'a').map((id) => one.append(deliveryOf(id, 9000))),
      ...named(20, 'b').map((id) => other.append(deliveryOf(id))),
    ]);
    const read = ids(await readAll(files, { chunkBytes: 1000 }));
    assert.deepEqual(
      read.filter((id) => id.startsWith('a')),
      named(20, 'a'),
    );
    assert.deepEqual(
      read.filter((id) => id.startsWith('b')),
      named(20, 'b'),
    );
  });

  it('goes on in a new file when another writer closed its own, and acknowledges nothing in the closed one', async () => {
    const files = new PowerlessFiles();
    const writer = writerOf(files);
    await writer.append(deliveryOf('a'));
    let isClosing = true;
    files.onSync = async () => {
      if (isClosing) await closeOthers(files);
      isClosing = false;
    };
    const taken = new Map<string, number>();
    assert.deepEqual(ids(await readAll(files, { taken })), ['a']);
    assert.ok((await writer.append(deliveryOf('b'))).ok);
    assert.equal(await removeTaken(files, taken), 0, 'what was not read stays, though it was written twice');
    assert.deepEqual(ids(await readAll(files, { taken })), ['b', 'b']);
    assert.equal(await removeTaken(files, taken), 1);
    assert.equal(files.stored.size, 1, 'the file that is written to stays');
  });

  it('removes a closed file with a torn end once all before it is taken', async () => {
    const files = new PowerlessFiles();
    const writer = writerOf(files);
    await writer.append(deliveryOf('a'));
    const [stored] = files.stored.values();
    assert.ok(stored);
    stored.bytes = Buffer.concat([stored.bytes, stored.bytes.subarray(8, 30)]);
    await closeOthers(files);
    const taken = new Map<string, number>();
    assert.equal(await removeTaken(files, taken), 0);
    await readAll(files, { taken });
    assert.equal(await removeTaken(files, taken), 1);
  });
});
