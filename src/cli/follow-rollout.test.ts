import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReleaseId } from '../digest.ts';
import type { Engine, LogLine, Observation, ObservedController } from '../engine/engine.ts';
import { createMemoryEngine } from '../engine/memory/create-memory-engine.ts';
import { done } from '../result.ts';
import { SeenLines } from './controller-log.ts';
import { followRollout } from './follow-rollout.ts';

const release = 'a'.repeat(64) as ReleaseId;
const at = (second: number): string => `2026-01-01T00:00:0${second}.000000000Z`;
const line = (second: number, event: object): LogLine => ({
  at: at(second),
  stream: 'stdout',
  line: JSON.stringify({ at: at(second), ...event }),
});
const started = line(1, { type: 'controller-started', release, container: 'c' });
const live = line(2, { type: 'release-live', release, durationMs: 1 });
const ended = line(3, { type: 'rollout-ended', release, commit: 'uncommitted', outcome: 'live', durationMs: 2 });

/** An engine whose controller's log comes in pieces: each opening of it gives the next, and what came before once more. */
function engineWith(pieces: readonly (readonly LogLine[])[], controllers: readonly string[]): Engine {
  const remaining = [...pieces];
  const observation: Observation = {
    networks: [],
    volumes: [],
    slots: [],
    instances: [],
    requests: [],
    strangers: [],
    controllers: controllers.map((name) => ({ name, state: 'running' }) as ObservedController),
  };
  return Object.assign(createMemoryEngine(), {
    observe: async () => done(observation),
    async *logs() {
      yield* remaining.shift() ?? [];
    },
  });
}

const follow = async (engine: Engine): Promise<{ outcome: string; events: string[] }> => {
  const events: string[] = [];
  const result = await followRollout({
    engine,
    architecture: 'sample',
    controller: 'controller.1',
    release,
    commit: 'uncommitted',
    signal: new AbortController().signal,
    onEvent: ({ type }) => events.push(type),
  });
  const outcome = result.ok && result.value.type === 'rollout-ended' ? result.value.outcome : 'held';
  return { outcome: result.ok ? outcome : result.problem.code, events };
};

test('a log that breaks is read on from where it broke, each event once', async () => {
  const told = await follow(engineWith([[started], [started, live], [live, ended]], ['controller.1']));
  assert.deepEqual(told, { outcome: 'live', events: ['controller-started', 'release-live', 'rollout-ended'] });
});

test('a controller that is gone for good is reported', async () => {
  assert.deepEqual(await follow(engineWith([[started]], [])), { outcome: 'CONTROLLER_DIED', events: ['controller-started'] });
});

test('a rollout that a younger one overtakes ends as superseded', async () => {
  const aside = line(2, { type: 'controller-standing-by', release, for: 'b'.repeat(64) });
  assert.deepEqual(await follow(engineWith([[started, aside]], ['controller.1'])), {
    outcome: 'superseded',
    events: ['controller-started', 'controller-standing-by', 'rollout-ended'],
  });
});

test('what is not an event is not mistaken for one', async () => {
  const noise = { ...line(2, {}), line: 'Warning: {something}' };
  assert.deepEqual(await follow(engineWith([[started, noise, { ...noise, line: '{broken' }, ended]], ['controller.1'])), {
    outcome: 'live',
    events: ['controller-started', 'rollout-ended'],
  });
});

test('lines of one moment are told apart by their text', () => {
  const seen = new SeenLines();
  const [a, b] = [
    { at: at(1), stream: 'stdout', line: 'a' },
    { at: at(1), stream: 'stdout', line: 'b' },
  ] as const;
  assert.deepEqual(
    [seen.admit(a), seen.admit(b), seen.admit(a), seen.admit({ ...a, at: at(2) }), seen.admit(b)],
    [true, true, false, true, false],
  );
  assert.equal(seen.since, at(2));
});
