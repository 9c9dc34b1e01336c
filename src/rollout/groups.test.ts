import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BodyId, GenerationId } from '../digest.ts';
import type { Observation, Owner } from '../engine/engine.ts';
import type { Independence } from '../release/independence.ts';
import type { DesiredUnit } from './desired.ts';
import { groupsOf } from './groups.ts';

const unitOf = (kind: Owner['kind'], name: string): DesiredUnit => {
  const seat = { slots: [], instances: [], path: { name: `${name}.path` } };
  return {
    owner: { kind, name },
    generation: name as GenerationId,
    body: name as BodyId,
    seats: { blue: seat, green: seat },
  } as unknown as DesiredUnit;
};

const units = [unitOf('store', 's'), ...['a', 'b', 'c', 'd'].map((name) => unitOf('app', name)), unitOf('core', 'core')];

const perApp: Independence = { groups: [['a'], ['b'], ['c'], ['d']], stores: { a: ['s'], b: ['s'], c: [], d: [] } };

/** An engine on which these units serve as they are to be. */
const serving = (...names: string[]): Observation => ({
  networks: [],
  volumes: [],
  slots: [],
  controllers: [],
  requests: [],
  strangers: [],
  instances: units
    .filter(({ owner }) => names.includes(owner.name))
    .map(({ owner, generation, body }) => {
      const path = { name: `${owner.name}.path.1`, role: 'path', state: 'running', path: { phase: 'serving' } };
      return { owner, generation, body, ...path };
    }) as unknown as Observation['instances'],
});

const cases: Record<string, [Independence, Observation, string[]]> = {
  'nothing that changes, no group': [perApp, serving('s', 'a', 'b', 'c', 'd', 'core'), []],
  'each app for itself, those that serve left out, the core in none': [perApp, serving('s', 'c'), ['a', 'b', 'd']],
  'apps that share a store that changes go together, with it': [perApp, serving('core'), ['c', 'd', 's a b']],
  'a group that changes in part is whole': [{ ...perApp, groups: [['c', 'd'], ['a'], ['b']] }, serving('s', 'a', 'b', 'c'), ['c d']],
  'a store that changes for nobody is a group': [{ ...perApp, stores: {} }, serving('a', 'b', 'c', 'd'), ['s']],
};

for (const [name, [independent, observed, expected]] of Object.entries(cases))
  void test(name, () => {
    const groups = groupsOf({ independent, units }, observed).map((group) => group.map(({ owner }) => owner.name).join(' '));
    assert.deepEqual(groups.toSorted(), expected.toSorted());
  });
