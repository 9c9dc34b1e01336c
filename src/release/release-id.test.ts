import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { CommitId, ComponentKey, ImageId } from '../digest.ts';
import { componentKey } from './component-key.ts';
import { decodeManifest, encodeManifest } from './manifest-codec.ts';
import type { ComponentInputs, Manifest, ReleaseInputs } from './manifest.ts';
import { releaseId } from './release-id.ts';
import { arbitraryApp, architectureOf, componentInputsOf, inputsOf, jobOf } from './release-fixture.ts';

const changes: readonly [member: keyof ComponentInputs, change: Partial<ComponentInputs>][] = [
  ['tree', { tree: 'f'.repeat(40) }],
  ['dockerfile', { dockerfile: 'other' }],
  ['target', { target: 'test' }],
  ['arguments', { arguments: { A: '1' } }],
  ['tests', { tests: [{ command: ['true'] }] }],
  ['bases', { bases: {} }],
  ['platform', { platform: 'linux/arm64' }],
  ['builder', { builder: 'other' }],
];

for (const [member, change] of changes) {
  test(`a component's key moves with its ${member}`, () => {
    assert.notEqual(componentKey(componentInputsOf(change)), componentKey(componentInputsOf()));
  });
}

test('a component key ignores what is no input', () => {
  const more = { ...componentInputsOf(), note: 'for people' };
  assert.equal(componentKey(more), componentKey(componentInputsOf()));
});

const releaseChanges: readonly [what: string, inputs: ReleaseInputs][] = [
  ['the commit', { ...inputsOf(), source: { ...inputsOf().source, commit: 'uncommitted' } }],
  ['the tree', { ...inputsOf(), source: { commit: 'c'.repeat(40) as CommitId, tree: 'other' } }],
  ['an environment', inputsOf(architectureOf({ environments: { production: {} } }))],
  ['a job', inputsOf(architectureOf({ jobs: { test: jobOf() } }))],
  ['a component', inputsOf(architectureOf(), { sessions: 'f'.repeat(40) })],
  ['the controller', { ...inputsOf(), changeless: { ...inputsOf().changeless, controller: 'x' as ComponentKey } }],
];

for (const [what, inputs] of releaseChanges) {
  test(`the release id moves with ${what}`, () => assert.notEqual(releaseId(inputs), releaseId(inputsOf())));
}

const manifestOf = (inputs: ReleaseInputs): Manifest => {
  const image = `sha256:${'a'.repeat(64)}` as ImageId;
  return {
    schema: 1,
    release: releaseId(inputs),
    inputs,
    outputs: { controller: image, sandbox: image, components: {}, environments: {} },
  };
};

test('a manifest comes back as it was, and its bytes are canonical', () => {
  fc.assert(
    fc.property(arbitraryApp, (app) => {
      const manifest = manifestOf(inputsOf(architectureOf({ apps: { app } })));
      const bytes = encodeManifest(manifest);
      const decoded = decodeManifest(bytes);
      assert.ok(decoded.ok);
      assert.deepEqual(encodeManifest(decoded.value), bytes);
    }),
  );
});

const tampered: readonly [what: string, change: (manifest: Manifest) => unknown, why: RegExp][] = [
  ['a later schema', (manifest) => ({ ...manifest, schema: 2 }), /schema 2/],
  ['another release id', (manifest) => ({ ...manifest, release: 'f'.repeat(64) }), /its inputs make/],
  ['other inputs', (manifest) => ({ ...manifest, inputs: inputsOf(architectureOf({ name: 'other' })) }), /its inputs make/],
  [
    'a key that is not its inputs’',
    (manifest) => ({
      ...manifest,
      inputs: {
        ...manifest.inputs,
        components: {
          ...manifest.inputs.components,
          sessions: { ...manifest.inputs.components['sessions'], inputs: componentInputsOf({ tree: 'x' }) },
        },
      },
    }),
    /key of sessions/,
  ],
  ['no inputs', () => ({ schema: 1 }), /not JSON with the members/],
  ['a list', () => [], /not JSON with the members/],
];

for (const [what, change, why] of tampered) {
  test(`a manifest with ${what} is refused`, () => {
    const decoded = decodeManifest(new TextEncoder().encode(JSON.stringify(change(manifestOf(inputsOf())))));
    assert.ok(!decoded.ok);
    assert.match(decoded.problem.why ?? '', why);
  });
}

test('bytes that are not JSON are refused', () => assert.ok(!decodeManifest(new Uint8Array([0xff, 0])).ok));
