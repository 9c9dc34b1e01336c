import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Alarms } from './alarms.ts';

const unit = { kind: 'app', name: 'catalog' } as const;
const nothing = { networks: [], volumes: [], slots: [], instances: [], controllers: [], requests: [], strangers: [] };

test('what ended where nothing is watched is forgotten at the next look', () => {
  const alarms = new Alarms();
  const desired = { architecture: 'shop', units: [], networks: [], volumes: [] };
  assert.equal(alarms.isDue(desired, 1000), false);
  alarms.note({ type: 'instance-lost', unit, instance: 'catalog.api-1.blue', what: 'ended' }, 1000);
  assert.equal(alarms.isDue(desired, 2000), true);
  alarms.look(desired, { observed: nothing, usage: [], nowMs: 2000 });
  assert.equal(alarms.isDue(desired, 3000), false);
});
