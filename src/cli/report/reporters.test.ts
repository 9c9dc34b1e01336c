import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReleaseId, GenerationId, ImageId } from '../../digest.ts';
import type { ChangelessEvent } from '../../events.ts';
import { type Activities, activitiesAfter } from './activity.ts';
import { jsonReporter } from './json.ts';
import { linesReporter } from './lines.ts';
import { plain } from './problem.ts';
import { activityLines } from './terminal.ts';

const release = 'a'.repeat(64) as ReleaseId;
const generation = 'b'.repeat(64) as GenerationId;
const catalog = { kind: 'app', name: 'catalog' } as const;

const story: ChangelessEvent[] = [
  { type: 'component-build-started', component: 'catalog/api', key: 'k' },
  { type: 'component-build-step', component: 'catalog/api', step: 'RUN make', state: 'started' },
  { type: 'component-built', component: 'catalog/api', key: 'k', image: 'sha256:1' as ImageId, durationMs: 1234 },
  { type: 'component-tests-started', component: 'catalog/api', tests: 'npm test' },
  { type: 'component-tests-passed', component: 'catalog/api', tests: 'npm test', durationMs: 400 },
  { type: 'release-built', release, commit: 'uncommitted', image: 'sha256:2' as ImageId, built: 1, reused: 2, durationMs: 2000 },
  {
    type: 'rollout-started',
    release,
    commit: 'uncommitted',
    environment: 'local',
    token: 1,
    replace: [catalog],
    keep: [{ kind: 'core', name: 'core' }],
  },
  { type: 'step-started', unit: catalog, step: 'api/migrate', instance: 'catalog.api.migrate.blue', generation },
  { type: 'step-ended', unit: catalog, step: 'api/migrate', instance: 'catalog.api.migrate.blue', exitCode: 0, durationMs: 300 },
  { type: 'step-ended', unit: catalog, step: 'api/warm', instance: 'catalog.api.warm.blue', exitCode: 4, durationMs: 300 },
  { type: 'health-waiting', unit: catalog, failing: ['GET /healthz on api-1: 502'] },
  { type: 'health-waiting', unit: catalog, failing: ['GET /healthz on api-1: 502'] },
  { type: 'unit-healthy', unit: catalog, generation, durationMs: 900 },
  { type: 'unit-switched', unit: catalog, generation },
  { type: 'unit-draining', unit: catalog, generation },
  { type: 'unit-retired', unit: catalog, generation },
  { type: 'rollout-ended', release, commit: 'uncommitted', outcome: 'live', durationMs: 1500 },
];

test('a pipe gets one full line for each thing that was done, and a wait once', () => {
  const written: string[] = [];
  const reporter = linesReporter({ isTerminal: false, columns: 80, write: (text) => void written.push(text) }, plain);
  for (const event of story) reporter.report(event);
  assert.deepEqual(written, [
    'building   catalog/api\n',
    'built      catalog/api in 1.2 s\n',
    'tested     catalog/api (npm test) in 400 ms\n',
    'release    aaaaaaaaaaaa from uncommitted files: 1 built, 2 reused\n',
    'rollout    aaaaaaaaaaaa replaces app catalog; keeps core\n',
    'ran        step migrate of catalog/api in 300 ms\n',
    'failed     step warm of catalog/api: exit code 4 after 300 ms\n',
    'checking   app catalog: GET /healthz on api-1: 502\n',
    'healthy    app catalog in 900 ms\n',
    'switched   app catalog\n',
    'retired    app catalog, generation bbbbbbbbbbbb\n',
  ]);
});

test('a live view shows what goes on, and nothing once it is over', () => {
  const shown: string[][] = [];
  let activities: Activities = new Map();
  for (const event of story) {
    activities = activitiesAfter(activities, event, 0);
    shown.push(activityLines(activities, plain, 2500));
  }
  assert.deepEqual(shown[1], ['building   catalog/api  2.0 s  RUN make']);
  assert.deepEqual(shown[3], ['testing    catalog/api  2.0 s  npm test']);
  assert.ok(shown[7]?.includes('running    step migrate of catalog/api  2.0 s'));
  assert.deepEqual(shown[10], ['checking   app catalog: GET /healthz on api-1: 502  2.0 s']);
  assert.deepEqual(shown[14], ['draining   app catalog  2.0 s  the old one finishes what it has']);
  assert.deepEqual(shown.at(-1), []);
});

test('as JSON every event is one line with its time', () => {
  const written: string[] = [];
  const reporter = jsonReporter(
    { isTerminal: false, columns: 80, write: (text) => void written.push(text) },
    () => '2026-01-01T00:00:00.000Z',
  );
  for (const event of story) reporter.report(event);
  assert.equal(written.length, story.length);
  assert.deepEqual(JSON.parse(written.at(-1) ?? ''), { version: 1, at: '2026-01-01T00:00:00.000Z', ...story.at(-1) });
});
