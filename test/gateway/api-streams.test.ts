import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { it, type TestContext } from 'node:test';
import { lost } from '../ledger/ledger-fixture.ts';
import { ApiWorld, runOf, tokens, until } from './api-fixture.ts';
import { assertDescribed } from './described.ts';

const { read } = tokens;

type Frame = { id?: string; event: string; data: Record<string, unknown> };

/** A stream as a client reads it, event by event. */
class Reading {
  readonly frames: Frame[] = [];
  isEnded = false;
  status = 0;
  readonly #abort = new AbortController();

  static async of(context: TestContext, world: ApiWorld, [path, lastEventId]: readonly [string, (string | undefined)?]): Promise<Reading> {
    const reading = new Reading();
    context.after(() => reading.leave());
    const headers = { authorization: `Bearer ${read}`, ...(lastEventId !== undefined && { 'last-event-id': lastEventId }) };
    const response = await fetch(`${world.url}${path}`, { headers, signal: reading.#abort.signal });
    reading.status = response.status;
    void reading.#read(response, path.split('?')[0] ?? '');
    return reading;
  }

  leave(): void {
    this.#abort.abort();
  }

  async #read(response: Response, path: string): Promise<void> {
    const decoder = new TextDecoder();
    let text = '';
    try {
      for await (const chunk of response.body ?? []) {
        text += decoder.decode(chunk as Uint8Array, { stream: true });
        const all = text.split('\n\n');
        text = all.pop() ?? '';
        this.frames.push(...all.flatMap((each) => frameIn(each, path)));
      }
    } catch {
      // Left.
    }
    this.isEnded = true;
  }
}

function frameIn(text: string, path: string): Frame[] {
  const members = Object.fromEntries(text.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]));
  if (members['event'] === undefined) return [];
  const data = JSON.parse(members['data'] ?? '') as Record<string, unknown>;
  if (members['event'] !== 'ended') assertDescribed('GET', path, { status: 200, type: 'text/event-stream', value: data });
  return [{ event: members['event'], data, ...(members['id'] !== undefined && { id: members['id'] }) }];
}

const lines = ({ frames }: Reading): string[] => frames.flatMap(({ event, data }) => (event === 'line' ? [String(data['line'])] : []));

it('events are told as they happen, and after Last-Event-ID without a gap', async (context) => {
  const world = await ApiWorld.make(context);
  await world.ledger.append([lost('before')]);
  const first = await Reading.of(context, world, ['/api/v1/events/stream']);
  await until('it has begun', () => first.status === 200);
  await world.ledger.append([lost('one'), lost('two')]);
  await until('they came', () => first.frames.length === 2);
  assert.deepEqual(
    first.frames.map(({ id, data }) => [id, (data['event'] as { instance: string }).instance]),
    [
      ['2', 'one'],
      ['3', 'two'],
    ],
  );
  first.leave();
  await world.ledger.append(Array.from({ length: 250 }, (_, index) => lost(`later-${index}`)));
  const second = await Reading.of(context, world, ['/api/v1/events/stream?type=instance-lost', '2']);
  await until('all came', () => second.frames.length === 251);
  assert.deepEqual([second.frames[0]?.id, second.frames.at(-1)?.id], ['3', '253']);
  const other = await Reading.of(context, world, ['/api/v1/events/stream?type=release-live', '0']);
  await world.ledger.append([{ type: 'release-live', release: 'a'.repeat(64) as never, durationMs: 1, at: '2026-01-01T00:00:00.000Z' }]);
  await until('it came', () => other.frames.length === 1);
});

it('lines of a run are told from its first to its end, of one step where that is asked', async (context) => {
  const world = await ApiWorld.make(context);
  await world.ledger.runs.accept(runOf('one'));
  await world.print('one', '/build', { lines: ['a', 'b'] });
  const [all, unit] = [
    await Reading.of(context, world, ['/api/v1/runs/one/logs']),
    await Reading.of(context, world, ['/api/v1/runs/one/logs?step=unit']),
  ];
  await until('what there is came', () => all.frames.length === 2);
  await world.print('one', '/unit', { lines: ['c', 'long '.repeat(200_000), 'd'] });
  await until('what is new came', () => unit.frames.length === 3);
  assert.equal(all.isEnded, false);
  await world.close('one');
  await until('both have ended', () => all.isEnded && unit.isEnded);
  assert.deepEqual(lines(all), ['a', 'b', 'c', 'long '.repeat(200_000), 'd']);
  assert.deepEqual(lines(unit), ['c', 'long '.repeat(200_000), 'd']);
  assert.deepEqual([all.frames.at(-1)?.event, all.frames.at(-1)?.data['outcome']], ['ended', 'passed']);
});

it('with any line’s id a client goes on after it, also when another controller keeps the lines by then', async (context) => {
  const world = await ApiWorld.make(context);
  await world.ledger.runs.accept(runOf('one'));
  await world.print('one', '/build', { lines: ['a', 'b'] });
  await world.print('one', '/unit', { lines: ['c'] });
  const first = await Reading.of(context, world, ['/api/v1/runs/one/logs?follow=false']);
  await until('it has ended', () => first.isEnded);
  await world.print('one', '/build', { token: 2, lines: ['e'] });
  await world.print('one', '/unit', { token: 2, lines: ['d'] });
  const ids = first.frames.flatMap(({ id }) => id ?? []);
  for (const [index, id] of ids.entries()) {
    const next = await Reading.of(context, world, ['/api/v1/runs/one/logs?follow=false', id]);
    await until('it has ended', () => next.isEnded);
    assert.deepEqual(
      lines(next).toSorted(),
      ['a', 'b', 'c', 'd', 'e'].filter(
        (line) =>
          !lines(first)
            .slice(0, index + 1)
            .includes(line),
      ),
    );
  }
});

for (const id of ['x', '1', '1.2.3', '-1.0', '../..', '9'.repeat(40)])
  it(`a position ${id.slice(0, 8)} that no line of the run has is refused`, async (context) => {
    const world = await ApiWorld.make(context);
    await world.ledger.runs.accept(runOf('one'));
    const { status, value } = await world.ask('GET', '/api/v1/runs/one/logs', { token: read, headers: { 'last-event-id': id } });
    assert.deepEqual([status, value['code']], [400, 'REQUEST_INVALID']);
  });

it('a run, or a step of it, that is not there is a problem and no stream', async (context) => {
  const world = await ApiWorld.make(context);
  await world.ledger.runs.accept(runOf('one'));
  for (const path of ['/api/v1/runs/none/logs', '/api/v1/runs/one/logs?step=deploy'])
    assert.equal((await world.ask('GET', path, { token: read })).status, 404);
});

it('a gateway that is told to end ends its streams, so that clients go on with the next one', async (context) => {
  const world = await ApiWorld.make(context);
  await world.ledger.runs.accept(runOf('one'));
  const [logs, events] = [
    await Reading.of(context, world, ['/api/v1/runs/one/logs']),
    await Reading.of(context, world, ['/api/v1/events/stream']),
  ];
  await world.print('one', '/build', { lines: ['a'] });
  await until('it goes on', () => logs.frames.length === 1);
  world.abort.abort();
  await world.ended;
  await until('they have ended', () => logs.isEnded && events.isEnded);
  assert.deepEqual(
    logs.frames.map(({ event }) => event),
    ['line'],
    'the run has not',
  );
});

it('streams end when the data path drains, for they would hold it, and others can follow', async (context) => {
  const world = await ApiWorld.make(context);
  await world.ledger.runs.accept(runOf('one'));
  await world.print('one', '/build', { lines: ['a'] });
  const logs = await Reading.of(context, world, ['/api/v1/runs/one/logs']);
  await until('it goes on', () => logs.frames.length === 1);
  world.drain();
  await until('it has ended', () => logs.isEnded);
  const next = await Reading.of(context, world, ['/api/v1/runs/one/logs', logs.frames[0]?.id]);
  await world.print('one', '/build', { lines: ['b'] });
  await until('it goes on', () => next.frames.length === 1);
  assert.deepEqual(lines(next), ['b']);
});

/** A client that asks and never reads. */
async function deaf(context: TestContext, world: ApiWorld, path: string): Promise<Socket> {
  const socket = connect(world.port, '127.0.0.1').pause();
  context.after(() => socket.destroy());
  await once(socket, 'connect');
  socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${read}\r\n\r\n`);
  return socket;
}

it('who never reads costs no more memory than one look, and is cut', async (context) => {
  const cuts: (() => void)[] = [];
  const timers = {
    after(ms: number, work: () => void) {
      if (ms !== 30_000)
        return (
          (timer) => () =>
            clearTimeout(timer)
        )(setTimeout(work, Math.min(ms, 2)));
      cuts.push(work);
      return () => void cuts.splice(cuts.indexOf(work), 1);
    },
  };
  const world = await ApiWorld.make(context, { timers });
  await world.ledger.runs.accept(runOf('one'));
  await world.print('one', '/build', { lines: Array.from({ length: 40_000 }, (_, index) => `${index} ${'x'.repeat(1000)}`) });
  const before = process.memoryUsage().rss;
  const sockets = await Promise.all(Array.from({ length: 16 }, () => deaf(context, world, '/api/v1/runs/one/logs')));
  await until('all wait for their readers', () => cuts.length === 16);
  const grownMb = (process.memoryUsage().rss - before) / 2 ** 20;
  assert.ok(grownMb < 200, `16 who do not read 40 MB each take ${Math.round(grownMb)} MB`);
  const closed = sockets.map((socket) => once(socket.resume(), 'close'));
  for (const cut of cuts) cut();
  await Promise.all(closed);
});

it('one token has no more than 16 streams, and others have theirs', async (context) => {
  const world = await ApiWorld.make(context);
  const open = await Promise.all(Array.from({ length: 16 }, () => Reading.of(context, world, ['/api/v1/events/stream'])));
  const refused = await world.ask('GET', '/api/v1/events/stream', { token: read });
  assert.deepEqual([refused.status, refused.value['code']], [429, 'RATE_EXCEEDED']);
  const other = await fetch(`${world.url}/api/v1/events/stream`, { headers: { authorization: `Bearer ${tokens.deploy}` } });
  assert.equal(other.status, 200);
  await other.body?.cancel();
  open[0]?.leave();
  await until('there is room again', async () => {
    const next = await fetch(`${world.url}/api/v1/events/stream`, { headers: { authorization: `Bearer ${read}` } });
    await next.body?.cancel();
    return next.status === 200;
  });
});
