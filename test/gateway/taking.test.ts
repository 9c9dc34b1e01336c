import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { InboxReader } from '../../src/gateway/inbox-reader.ts';
import { openMemoryLedger } from '../../src/ledger/memory-ledger.ts';
import { deliveryOf, writerOf } from './inbox-fixture.ts';
import { PowerlessFiles } from './powerless-files.ts';
import { Taker, tokenOf } from './taking-fixture.ts';

const sent = Array.from({ length: 12 }, (_, index) => `d${index}`);

async function filled(): Promise<PowerlessFiles> {
  const files = new PowerlessFiles();
  const writer = writerOf(files, 500);
  for (const id of sent) await writer.append(deliveryOf(id));
  return files;
}

describe('a controller that takes the inbox', () => {
  it('has every delivery once, in order, with an event each, whichever boundary it was killed at', async () => {
    const all = new Taker();
    const ledger = await openMemoryLedger();
    await all.take({ ledger, inbox: new InboxReader(await filled(), 400), token: await tokenOf(ledger) });
    assert.ok(all.boundaries > 20);
    for (let killAt = 0; killAt < all.boundaries; killAt += 1) await killedAt(killAt);
  });

  async function killedAt(killAt: number): Promise<void> {
    const [ledger, files] = [await openMemoryLedger(), await filled()];
    const token = await tokenOf(ledger);
    await new Taker(killAt).take({ ledger, inbox: new InboxReader(files, 400), token });
    const taken = (await ledger.deliveries({ limit: 100, after: 0 })).map(({ id }) => id);
    assert.deepEqual(taken, sent.slice(0, taken.length));
    await new Taker().take({ ledger, inbox: new InboxReader(files, 400), token });
    const deliveries = await ledger.deliveries({ limit: 100, after: 0 });
    assert.deepEqual(
      deliveries.map(({ id, number }) => [id, number]),
      sent.map((id, index) => [id, index + 1]),
    );
    const events = await ledger.events({ type: 'delivery-taken', limit: 100 });
    assert.deepEqual(events.map((event) => event.type === 'delivery-taken' && event.id).toReversed(), sent);
    assert.equal(await ledger.verifyChain(), undefined);
  }

  it('takes nothing once another is in charge, whose controller takes the rest', async () => {
    const [ledger, files] = [await openMemoryLedger(), await filled()];
    const token = await tokenOf(ledger);
    const first = new InboxReader(files, 400);
    const batch = await first.next(new Map());
    assert.ok(batch);
    assert.ok(await ledger.takeDeliveries(token, batch));
    const next = await tokenOf(ledger, 'b');
    const later = await first.next(await ledger.inboxTaken());
    assert.ok(later);
    assert.equal(await ledger.takeDeliveries(token, later), undefined);
    assert.deepEqual((await ledger.inboxTaken()).get(later.file), batch.to);
    await new Taker().take({ ledger, inbox: new InboxReader(files, 400), token: next });
    assert.deepEqual(
      (await ledger.deliveries({ limit: 100, after: 0 })).map(({ id }) => id),
      sent,
    );
  });

  it('takes no batch that was taken already', async () => {
    const [ledger, files] = [await openMemoryLedger(), await filled()];
    const token = await tokenOf(ledger);
    const batch = await new InboxReader(files, 400).next(new Map());
    assert.ok(batch);
    assert.equal((await ledger.takeDeliveries(token, batch))?.length, batch.deliveries.length);
    assert.equal(await ledger.takeDeliveries(token, batch), undefined);
  });

  it('does once what was delivered again, by its id, and by its body where ids are not signed', async () => {
    const ledger = await openMemoryLedger();
    const token = await tokenOf(ledger);
    const files = new PowerlessFiles();
    const writer = writerOf(files);
    const push = { ...deliveryOf('a'), once: 'digest' };
    const again = [
      push,
      push,
      { ...push, id: 'another' },
      { ...push, source: 'forge' },
      deliveryOf('b'),
      { ...deliveryOf('c'), body: deliveryOf('b').body },
    ];
    for (const delivery of again) await writer.append(delivery);
    const taker = new Taker();
    await taker.take({ ledger, inbox: new InboxReader(files), token });
    assert.deepEqual(
      (await ledger.deliveries({ limit: 9, after: 0 })).map(({ source, id }) => `${source} ${id}`),
      ['github a', 'forge a', 'github b', 'github c'],
    );
    assert.equal(taker.printed.length, 4);
  });

  it('keeps what it said and the very bytes', async () => {
    const ledger = await openMemoryLedger();
    const token = await tokenOf(ledger);
    const files = new PowerlessFiles();
    const delivery = { ...deliveryOf('a'), before: 'a'.repeat(40), after: 'b'.repeat(40), body: Buffer.from([0, 255, 10, 13]) };
    await writerOf(files).append(delivery);
    await new Taker().take({ ledger, inbox: new InboxReader(files), token });
    const [{ takenAt, ...taken } = { takenAt: '' }] = await ledger.deliveries({ limit: 9 });
    const { body, ...said } = delivery;
    assert.deepEqual(taken, { ...said, number: 1 });
    assert.ok(takenAt);
    assert.deepEqual(Buffer.from((await ledger.deliveryBody(1)) ?? []), body);
    assert.equal(await ledger.deliveryBody(2), undefined);
  });

  it('says that the inbox cannot be read, and takes it when it can', async () => {
    const [ledger, files] = [await openMemoryLedger(), await filled()];
    const reader = new InboxReader(files);
    let fails = true;
    const next: InboxReader['next'] = async (taken) => {
      if (!fails) return reader.next(taken);
      fails = false;
      throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
    };
    const taker = new Taker();
    await taker.take({ ledger, inbox: { next }, token: await tokenOf(ledger) });
    assert.match(JSON.stringify(taker.reported), /INBOX_UNREADABLE.*EIO/);
    assert.equal((await ledger.deliveries({ limit: 100 })).length, sent.length);
  });
});
