import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EngineEvent } from '../engine.ts';
import type { DockerClient } from './client.ts';
import { Inspections } from './inspections.ts';
import type { ListedContainer } from './vendor.ts';

/** An engine with one container, which counts how often it is asked about it. */
function counted() {
  const asked: string[] = [];
  const client = { find: async ({ path }: { path: string }) => (asked.push(path), { Id: 'one', State: { Running: true } }) };
  return { asked, inspections: new Inspections(client as unknown as DockerClient) };
}

const listed = (state: string): ListedContainer => ({ Id: 'one', State: state }) as ListedContainer;
const died: EngineEvent = { kind: 'died', name: 'api-1', container: 'one', at: '', action: 'die' };

/** Events that come when they are asked for; the stream stays open until it is returned. */
async function* events(...all: EngineEvent[]): AsyncGenerator<EngineEvent> {
  yield* all;
}

void test('while nobody hears the events, a container is asked for each time', async () => {
  const { asked, inspections } = counted();
  await inspections.of(listed('running'));
  await inspections.of(listed('running'));
  assert.equal(asked.length, 2);
});

void test('while they are heard it is asked for once, and again after an event of its own or a resynchronisation', async () => {
  const { asked, inspections } = counted();
  const heard = inspections.listen(events({ kind: 'resynchronise' }, died, { kind: 'resynchronise' }));
  for (const _ of ['first', 'after its death', 'after the resynchronisation']) {
    await heard.next();
    const before = asked.length;
    await inspections.of(listed('running'));
    await inspections.of(listed('running'));
    assert.equal(asked.length, before + 1);
  }
});

void test('one that the listing says has ended is asked for whatever was known', async () => {
  const { asked, inspections } = counted();
  const heard = inspections.listen(events({ kind: 'resynchronise' }));
  await heard.next();
  await inspections.of(listed('running'));
  await inspections.of(listed('exited'));
  assert.equal(asked.length, 2);
});

void test('nothing is known any more once the events are no longer heard', async () => {
  const { asked, inspections } = counted();
  const heard = inspections.listen(events({ kind: 'resynchronise' }));
  await heard.next();
  await inspections.of(listed('running'));
  await heard.return(undefined);
  await inspections.of(listed('running'));
  assert.equal(asked.length, 2);
});

void test('an answer that an event has crossed is not kept', async () => {
  const answers: ((container: unknown) => void)[] = [];
  const client = { find: async () => await new Promise((resolve) => answers.push(resolve)) };
  const inspections = new Inspections(client as unknown as DockerClient);
  const heard = inspections.listen(events({ kind: 'resynchronise' }, died));
  await heard.next();
  const crossed = inspections.of(listed('running'));
  await heard.next();
  const later = inspections.of(listed('running'));
  const answer = { Id: 'one', Name: '/one', State: { Running: true } };
  answers[0]?.(answer);
  await crossed;
  assert.equal(inspections.knownAs('one'), undefined);
  answers[1]?.(answer);
  await later;
  assert.deepEqual(inspections.knownAs('one'), answer);
});

void test('two that ask for the same container at once share the question', async () => {
  const { asked, inspections } = counted();
  await inspections.listen(events({ kind: 'resynchronise' })).next();
  await Promise.all([inspections.of(listed('running')), inspections.of(listed('running'))]);
  assert.equal(asked.length, 1);
});
