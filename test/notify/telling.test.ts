import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openMemoryLedger } from '../../src/ledger/memory-ledger.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { mostWaiting } from '../../src/notify/backlog.ts';
import { standingBy } from '../ledger/ledger-fixture.ts';
import { tokenOf } from '../gateway/taking-fixture.ts';
import { alarm, Channel, TellingProcess } from './telling-fixture.ts';

const names = (count: number, from = 1): string[] => Array.from({ length: count }, (_, index) => `n${from + index}`);

const has =
  (channel: Channel, count: number): (() => boolean) =>
  () =>
    channel.got.length >= count;

/** A ledger whose channels are open, and then these are written down. */
async function recorded(whats: readonly string[], channels: readonly Channel[]): Promise<{ ledger: Ledger; token: number }> {
  const ledger = await openMemoryLedger();
  const token = await tokenOf(ledger);
  for (const { name } of channels) await ledger.channels.open(token, name);
  await ledger.append([standingBy('b'), ...whats.map((what) => alarm(what)), standingBy('b')]);
  return { ledger, token };
}

const isAtEnd = async (ledger: Ledger, token: number, channel: Channel): Promise<boolean> => {
  const place = await ledger.channels.open(token, channel.name);
  return (await ledger.channels.after(place?.told ?? 0, { types: ['alarm-fired'], limit: 1 })).length === 0;
};

describe('a controller that tells channels', () => {
  it('tells each message, in order, and one of them at most once more, whichever boundary it was killed at', async () => {
    const sent = names(4);
    const all = new Channel();
    const { ledger, token } = await recorded(sent, [all]);
    const undisturbed = new TellingProcess(ledger);
    await undisturbed.tell(token, { channels: [all], until: () => isAtEnd(ledger, token, all) });
    assert.deepEqual(all.got, sent);
    assert.ok(undisturbed.boundaries > 4 * 6);
    let twice = 0;
    for (let killAt = 0; killAt < undisturbed.boundaries; killAt += 1) twice += await killedAt(killAt);
    // Of the boundaries of each message two lie between its being sent and its being written down.
    assert.ok(twice >= 4 * 2, `${twice} messages came twice`);
  });

  async function killedAt(killAt: number): Promise<number> {
    const sent = names(4);
    const channel = new Channel();
    const { ledger, token } = await recorded(sent, [channel]);
    const killed = new TellingProcess(ledger, killAt);
    await killed.tell(token, { channels: [channel], until: () => isAtEnd(ledger, token, channel) });
    await new TellingProcess(ledger).tell(token, { channels: [channel], until: () => isAtEnd(ledger, token, channel) });
    const repeated = channel.got.filter((what, index) => what === channel.got[index - 1]);
    assert.deepEqual(
      channel.got.filter((what, index) => what !== channel.got[index - 1]),
      sent,
      `killed at ${killAt}`,
    );
    assert.ok(repeated.length <= 1, `killed at ${killAt}: ${channel.got.join()}`);
    return repeated.length;
  }

  it('tells a channel that is new what comes, and nothing of what was', async () => {
    const channel = new Channel();
    const { ledger, token } = await recorded(['old'], []);
    const process = new TellingProcess(ledger);
    let appended = false;
    await process.tell(token, {
      channels: [channel],
      until: async () => {
        if (!appended && (await ledger.channels.open(token, channel.name))) {
          appended = true;
          await ledger.append([alarm('new')]);
        }
        return channel.got.length > 0;
      },
    });
    assert.deepEqual(channel.got, ['new']);
  });

  it('goes on with the others while one is away, and tells that one in order when it is back', async () => {
    const [away, there] = [new Channel('away'), new Channel('there')];
    const { ledger, token } = await recorded(names(3), [away, there]);
    const process = new TellingProcess(ledger);
    away.answer = () => (away.asked.length > 5 ? { state: 'taken' } : { state: 'later', why: 'it answered 503' });
    let others = 0;
    await process.tell(token, {
      channels: [away, there],
      until: () => {
        if (away.got.length === 0) others = there.got.length;
        return has(away, 3)() && has(there, 3)();
      },
    });
    assert.equal(others, 3);
    assert.deepEqual(away.asked, [...Array.from({ length: 5 }, () => 'n1'), 'n1', 'n2', 'n3']);
    assert.deepEqual(away.got, names(3));
    assert.deepEqual(process.reported, [{ type: 'notice-delayed', channel: 'away', why: 'it answered 503' }], 'and says so once');
    assert.deepEqual(
      process.pauses.filter((ms) => ms !== 2000),
      [1000, 5000, 25_000, 120_000, 300_000],
    );
  });

  it('waits for as long as a channel asks it to', async () => {
    const channel = new Channel();
    const { ledger, token } = await recorded(['a'], [channel]);
    channel.answer = () => (channel.asked.length > 1 ? { state: 'taken' } : { state: 'later', why: 'slow down', afterMs: 77_000 });
    const process = new TellingProcess(ledger);
    await process.tell(token, { channels: [channel], until: has(channel, 1) });
    assert.ok(process.pauses.includes(77_000));
  });

  it('passes over a message that is refused three times, and says so', async () => {
    const channel = new Channel();
    const { ledger, token } = await recorded(['a', 'bad', 'c'], [channel]);
    channel.answer = (what) => (what === 'bad' ? { state: 'refused', why: 'it answered 400' } : { state: 'taken' });
    const process = new TellingProcess(ledger);
    await process.tell(token, { channels: [channel], until: has(channel, 2) });
    assert.deepEqual(channel.asked, ['a', 'bad', 'bad', 'bad', 'c']);
    assert.deepEqual(process.reported, [{ type: 'notice-lost', channel: 'ops', count: 1, why: 'it answered 400' }]);
  });

  it('drops the oldest when too many wait, counts them, says so, and tells the channel when it is back, also after a kill', async () => {
    const channel = new Channel();
    const more = 1700;
    const { ledger, token } = await recorded(names(mostWaiting + more), [channel]);
    channel.answer = () => ({ state: 'later', why: 'it answered 500' });
    const first = new TellingProcess(ledger);
    await first.tell(token, { channels: [channel], until: () => channel.asked.length > 0 });
    assert.equal(channel.asked[0], `n${more + 1}`);
    const lost = first.reported.filter((event) => event.type === 'notice-lost');
    assert.equal(
      lost.reduce((sum, { count }) => sum + count, 0),
      more,
    );
    channel.answer = () => ({ state: 'taken' });
    await new TellingProcess(ledger).tell(token, { channels: [channel], until: has(channel, mostWaiting) });
    assert.deepEqual(channel.got, names(mostWaiting, more + 1));
    assert.deepEqual(channel.lost, [more]);
  });

  it('drops what nobody took for three days', async () => {
    const channel = new Channel();
    const { ledger, token } = await recorded(['old'], [channel]);
    await ledger.append([alarm('fresh', '2026-01-04T00:00:00.000Z')]);
    const process = new TellingProcess(ledger);
    process.nowMs = Date.UTC(2026, 0, 4, 1);
    await process.tell(token, { channels: [channel], until: has(channel, 1) });
    assert.deepEqual([channel.got, channel.lost], [['fresh'], [1]]);
  });

  it('tells nothing once another is in charge, who goes on where it stopped', async () => {
    const channel = new Channel();
    const { ledger, token } = await recorded(names(3), [channel]);
    let next = 0;
    channel.answer = async () => {
      if (channel.asked.length === 1) next = await tokenOf(ledger, 'b');
      return { state: 'taken' };
    };
    const overtaken = new TellingProcess(ledger);
    let looks = 0;
    await overtaken.tell(token, { channels: [channel], until: () => next > 0 && (looks += 1) > 20 });
    assert.deepEqual(channel.got, ['n1']);
    await new TellingProcess(ledger).tell(next, { channels: [channel], until: has(channel, 4) });
    assert.deepEqual(channel.got, ['n1', 'n1', 'n2', 'n3'], 'what was under way once more');
  });

  it('ends while a channel does not answer', async () => {
    const channel = new Channel();
    const { ledger, token } = await recorded(['a'], [channel]);
    channel.answer = () => new Promise((resolve) => setTimeout(() => resolve({ state: 'later', why: 'cut' }), 5));
    await new TellingProcess(ledger).tell(token, { channels: [channel], until: () => channel.asked.length > 0 });
    assert.equal(await isAtEnd(ledger, token, channel), false);
  });
});
