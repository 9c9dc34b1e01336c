import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CommitId, ReleaseId, RunId } from './digest.ts';
import { parseRequest, requestText, type Request } from './request.ts';

const release = 'a'.repeat(64) as ReleaseId;

const requests: readonly Request[] = [
  { ask: 'go-back', release },
  { ask: 'let-live', release },
  { ask: 'drop', release },
  { ask: 'scale', app: 'catalog', service: 'api', count: 4 },
  {
    ask: 'run-job',
    run: 'test-1' as RunId,
    job: 'test',
    commit: 'f'.repeat(40) as CommitId,
    parameters: { level: 'as high as "it" gets' },
  },
  { ask: 'cancel-job', run: 'test-1' as RunId },
];

const badJobRequests = [
  'cancel-job',
  'cancel-job ../up',
  'cancel-job a b',
  'run-job a test',
  'run-job a test main {}',
  'run-job a test uncommitted []',
  'run-job a test uncommitted {"n":1}',
  'run-job a test uncommitted {',
];

for (const request of requests)
  test(`${requestText(request)} is read as it was written`, () => assert.deepEqual(parseRequest(requestText(request)), request));

for (const text of [
  '',
  'go-back',
  `go-back ${release} now`,
  'go-back release',
  `explode ${release}`,
  'scale catalog 4',
  'scale a b -1',
  ...badJobRequests,
])
  test(`${JSON.stringify(text)} is no request`, () => assert.equal(parseRequest(text), undefined));
