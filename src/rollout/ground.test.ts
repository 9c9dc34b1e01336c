import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sealRelease, streaming, app, service } from '../../test/rollout/release-fixture.ts';
import { createMemoryEngine } from '../engine/memory/create-memory-engine.ts';
import { slotDigest } from '../engine/spec-digest.ts';
import { desiredOf, type Desired } from './desired.ts';

function desired(change = {}): Desired {
  const result = desiredOf(sealRelease(createMemoryEngine(), { architecture: streaming(change) }), 'local');
  assert.ok(result.ok);
  return result.value;
}

const slotsOf = ({ units }: Desired) => units.flatMap(({ seats, pathSlot }) => [pathSlot, ...seats.blue.slots, ...seats.green.slots]);

void test('only the core publishes ports, and only one of its networks is not internal', () => {
  const all = desired();
  const open = new Set(all.networks.filter(({ internal }) => !internal).map(({ name }) => name));
  for (const slot of slotsOf(all)) {
    const isCore = slot.owner.kind === 'core';
    assert.equal(slot.publish.length > 0, isCore, slot.name);
    assert.equal(slot.networks.filter(({ network }) => open.has(network)).length, isCore ? 1 : 0, slot.name);
  }
});

void test('a name that services use is unique to a colour on each network', () => {
  const seen = new Map<string, string>();
  for (const slot of new Map(slotsOf(desired()).map((each) => [each.name, each])).values())
    for (const { network, aliases } of slot.networks)
      for (const alias of aliases.filter((each) => /-\d+\./.test(each) || !each.includes('.'))) {
        const key = `${network} ${alias}`;
        assert.equal(seen.get(key) ?? slot.name, slot.name, key);
        seen.set(key, slot.name);
      }
});

void test('a service that may go out gets a network whose members cannot reach each other', () => {
  const all = desired({ apps: { web: app({ site: service({ outbound: true }) }, 'web.localhost') }, stores: {} });
  assert.deepEqual(all.networks.find(({ name }) => name === 'outbound')?.isolated, true);
  assert.ok(slotsOf(all).some(({ networks }) => networks.some(({ network }) => network === 'outbound')));
  assert.equal(
    desired().networks.some(({ name }) => name === 'outbound'),
    false,
  );
});

void test('a service reaches the stores it names, and no other', () => {
  const reaching = slotsOf(desired()).filter(({ networks }) => networks.some(({ network }) => network === 'store/sessions'));
  assert.deepEqual(
    new Set(reaching.map(({ facts }) => `${facts.app}/${facts.service}`)),
    new Set(['accounts/api', 'sessions/path', 'sessions/server']),
  );
});

void test('the image of a sandbox does not make its place another one', () => {
  const [slot] = slotsOf(desired());
  assert.ok(slot);
  assert.equal(slotDigest({ ...slot, image: 'sha256:other' as typeof slot.image }), slotDigest(slot));
  assert.notEqual(slotDigest({ ...slot, publish: [{ address: '0.0.0.0', port: 1, target: 1 }] }), slotDigest(slot));
});
