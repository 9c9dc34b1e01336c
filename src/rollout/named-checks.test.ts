import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ObservedSlot, PathPhase } from '../engine/engine.ts';
import { namesAddresses, withNames } from './named-checks.ts';

const checking = (...servers: string[]): PathPhase => ({
  phase: 'checking',
  failing: servers.map((server) => ({ server, asked: 'GET /', check: 'L4CON' })),
});

const slot = (name: string, address: string): ObservedSlot => ({
  name,
  owner: { kind: 'app', name: 'shop' },
  ready: true,
  spec: '',
  container: name,
  address,
});

const slots = [slot('shop.web-2.green.slot', '10.0.0.2'), slot('shop.path.slot', '10.0.0.9')];

test('an address is told as the instance that has it', () => {
  assert.deepEqual(withNames(checking('10.0.0.2', '10.0.0.9', 'db'), { slots }), checking('web-2', '10.0.0.9', 'db'));
});

test('only where servers are named by address is there anything to look up', () => {
  assert.deepEqual([checking('10.0.0.2'), checking('web-1'), { phase: 'healthy' } as const].map(namesAddresses), [true, false, false]);
});
