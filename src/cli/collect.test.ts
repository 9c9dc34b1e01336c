import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ImageId, ReleaseId } from '../digest.ts';
import { labels } from '../engine/labels.ts';
import type { Manifest } from '../release/manifest.ts';
import { imagesToForget, releasesToKeep } from './collect.ts';
import { historyAfter, historyBefore } from '../rollout/release-history.ts';
import { looksLikeRelease, type ReleaseImage } from './releases.ts';

const id = (name: string): ReleaseId => name as ReleaseId;
const image = (name: string): ReleaseImage => ({
  release: id(name),
  commit: 'uncommitted',
  environment: 'local',
  image: name as ImageId,
  tag: name,
});

test('the live release and those before it are never forgotten; of the others the newest stay', () => {
  const images = ['live', 'before', 'old', 'older', 'built'].map(image);
  const kept = (keep: number): string[] => [
    ...releasesToKeep({ images, needed: new Set([id('live'), id('before')]), rolledOut: ['live', 'before', 'old', 'older'].map(id), keep }),
  ];
  assert.deepEqual(kept(0), ['live', 'before']);
  assert.deepEqual(kept(1), ['live', 'before', 'built']);
  assert.deepEqual(kept(2), ['live', 'before', 'built', 'old']);
});

test('the images of steps stay with the release they are of', () => {
  const path = { blue: 'path', green: 'path' };
  const catalog = { images: { services: { api: 'api' }, steps: { 'api/migrate': 'migrate' }, path } };
  const environments = { local: { core: { images: { services: {}, path } }, apps: { catalog }, stores: {} } };
  const manifest = { outputs: { controller: 'controller', sandbox: 'sandbox', components: {}, environments } } as unknown as Manifest;
  const all = ['api', 'migrate', 'path', 'other'].map((name) => ({
    id: name as ImageId,
    tags: [],
    labels: {},
    sizeBytes: 0,
    createdAt: '',
  }));
  const forgotten = imagesToForget(all, [], { releases: new Set(), manifests: [manifest] });
  assert.deepEqual(
    forgotten.map(({ id: each }) => each),
    ['other'],
  );
});

test('the images of jobs are let be, for they go with their run', () => {
  const image = (role: string) => ({ id: role as ImageId, tags: [], labels: { [labels.role]: role }, sizeBytes: 0, createdAt: '' });
  const forgotten = imagesToForget(['source', 'step-image', 'component'].map(image), [], { releases: new Set(), manifests: [] });
  assert.deepEqual(
    forgotten.map(({ id: each }) => each),
    ['component'],
  );
});

test('history grows with a new release and forgets what came after with a rollback', () => {
  const live = { release: id('c'), history: [id('b'), id('a')] };
  assert.deepEqual(historyAfter(undefined, id('a')), []);
  assert.deepEqual(historyAfter(live, id('d')), ['c', 'b', 'a']);
  assert.deepEqual(historyAfter(live, id('a')), ['c', 'b']);
  assert.deepEqual(historyAfter(live, id('c')), ['b', 'a']);
  assert.deepEqual(historyBefore(live, id('b')), ['a']);
  assert.deepEqual(historyBefore(live, id('a')), []);
  assert.deepEqual(historyBefore(live, id('x')), ['c', 'b', 'a']);
  const long = { release: id('r0'), history: Array.from({ length: 10 }, (_, index) => id(`r${index + 1}`)) };
  assert.equal(historyAfter(long, id('new')).length, 10);
});

test('only a word that can begin an id is taken for a release', () => {
  assert.deepEqual(['3f9c1a2', 'HEAD', 'abc', 'v1.0', 'deadbeefcafe', 'main'].map(looksLikeRelease), [
    true,
    false,
    false,
    false,
    true,
    false,
  ]);
});
