import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ImageId } from '../digest.ts';
import type { ListedImage } from './image.ts';
import { labels } from './labels.ts';
import { isJobImage, jobImagesToForget } from './job-images.ts';

const image = (id: string, own: Readonly<Record<string, string>>): ListedImage => ({
  id: id as ImageId,
  tags: [`changeless/shop/${id}:1`],
  labels: own,
  sizeBytes: 1,
  createdAt: '1970-01-01T00:00:00Z',
});
const source = (id: string): ListedImage => image(id, { [labels.role]: 'source' });
const step = (run: string, from: string, id = `${run}-${from}`): ListedImage =>
  image(id, { [labels.role]: 'step-image', [labels.run]: run, [labels.source]: from });

const others = [image('agent', { [labels.role]: 'component' }), image('release', { [labels.role]: 'controller' }), image('none', {})];
const all = [
  ...others,
  source('node'),
  source('java'),
  source('fresh'),
  step('1', 'node'),
  step('1', 'java'),
  step('2', 'node'),
  step('2', 'node', 'more'),
];

const cases: [what: string, ended: string[], gone: string[]][] = [
  ['no run that has ended', [], []],
  ['one that has ended: its steps, and the source that only they have', ['1'], ['java', '1-node', '1-java']],
  ['the other', ['2'], ['2-node', 'more']],
  ['both: but not a source that no step was made from yet', ['1', '2'], ['node', 'java', '1-node', '1-java', '2-node', 'more']],
  ['a run that nobody knows', ['3'], []],
];

for (const [what, ended, gone] of cases) {
  test(`of jobs' images goes, with ${what}`, () =>
    assert.deepEqual(
      jobImagesToForget(all, new Set(ended)).map(({ id }) => id),
      gone,
    ));
}

test('what is no image of a job is told from what is', () =>
  assert.deepEqual(
    all.filter((each) => !isJobImage(each)),
    others,
  ));
