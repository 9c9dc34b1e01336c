import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BodyId, GenerationId, ImageId, ReleaseId } from '../digest.ts';
import type { Colour, Observation, ObservedInstance, PathPhase } from '../engine/engine.ts';
import { colourFor, current, inUse, unitState } from './unit-state.ts';

const owner = { kind: 'app', name: 'catalog' } as const;
const body = (name: string): BodyId => name as BodyId;

type Sketch = {
  role: 'path' | 'service' | 'step';
  body: string;
  colour: Colour;
  phase?: PathPhase['phase'];
  state?: ObservedInstance['state'];
  at?: number;
};

const instance = ({ role, body: of, colour, phase, state = 'running', at = 0 }: Sketch): ObservedInstance => ({
  name: `${role}.${of}.${colour}.${at}`,
  container: `${role}${of}${colour}${at}`,
  slot: `${role}.${colour}`,
  owner,
  role,
  generation: of as GenerationId,
  body: body(of),
  colour,
  image: 'sha256:1' as ImageId,
  state,
  createdAt: new Date(at).toISOString(),
  spec: '',
  ...(phase && { path: phase === 'checking' ? { phase, failing: [] } : { phase } }),
  origin: { environment: 'local', release: 'r' as ReleaseId, commit: 'uncommitted', key: 'k' },
});

const observed = (...sketches: Sketch[]): Observation => ({
  networks: [],
  volumes: [],
  slots: [],
  instances: sketches.map(instance),
  controllers: [],
  requests: [],
  strangers: [],
});

const path = (of: string, colour: Colour, phase: PathPhase['phase']): Sketch => ({ role: 'path', body: of, colour, phase, at: 0 });
const later = (sketch: Sketch): Sketch => ({ ...sketch, at: 1 });
const member = (of: string, colour: Colour): Sketch => ({ role: 'service', body: of, colour });

const step = (of: string, colour: Colour): Sketch => ({ role: 'step', body: of, colour });

void test('a body takes the colour that does not serve, and stays where it is', () => {
  const table: [string, Observation, string, Colour][] = [
    ['nothing is there', observed(), 'new', 'blue'],
    ['an older one serves in blue', observed(path('old', 'blue', 'serving'), member('old', 'blue')), 'new', 'green'],
    ['an older one serves in green', observed(path('old', 'green', 'serving'), member('old', 'green')), 'new', 'blue'],
    ['it serves in green itself', observed(path('new', 'green', 'serving'), member('new', 'green')), 'new', 'green'],
    ['it has begun in green', observed(path('old', 'blue', 'serving'), member('old', 'blue'), member('new', 'green')), 'new', 'green'],
    ['its steps have begun in green, and what served is gone', observed(member('old', 'blue'), step('new', 'green')), 'new', 'green'],
    ['it has begun where nothing serves', observed(member('new', 'green')), 'new', 'green'],
    [
      'it drains in blue and serves in green',
      observed(path('new', 'blue', 'draining'), later(path('new', 'green', 'serving'))),
      'new',
      'green',
    ],
    [
      'both serve in the middle of a switch',
      observed(path('old', 'blue', 'serving'), later(path('new', 'green', 'serving'))),
      'new',
      'green',
    ],
  ];
  for (const [what, observation, of, colour] of table) assert.equal(colourFor(unitState(observation, owner), body(of)), colour, what);
});

void test('the path clients reach is the newest that serves', () => {
  const state = unitState(
    observed(later(path('new', 'green', 'serving')), path('old', 'blue', 'serving'), later(path('next', 'blue', 'healthy'))),
    owner,
  );
  assert.equal(current(state)?.body, 'new');
  assert.deepEqual(
    state.waiting.map((each) => each.body),
    ['next'],
  );
});

void test('a body is in use as long as a path serves or drains towards it', () => {
  const state = unitState(
    observed(path('old', 'blue', 'draining'), later(path('new', 'green', 'serving')), later(path('next', 'blue', 'healthy'))),
    owner,
  );
  assert.equal(inUse(state, body('old'), 'blue'), true);
  assert.equal(inUse(state, body('new'), 'green'), true);
  assert.equal(inUse(state, body('next'), 'blue'), false);
  assert.equal(inUse(state, body('old'), 'green'), false);
});

void test('a path that was created and never started, or has ended, is neither waiting nor serving', () => {
  const state = unitState(
    observed({ ...path('new', 'blue', 'healthy'), state: 'created' }, { ...path('old', 'blue', 'serving'), state: 'exited' }),
    owner,
  );
  assert.equal(state.ended.length, 2);
  assert.equal(state.waiting.length + state.serving.length, 0);
});
