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
  { ask: 'add-token', name: 'ci', scope: 'deploy', digest: release, expiresAt: '2026-02-01T00:00:00.000Z' },
  { ask: 'revoke-token', name: 'ci' },
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
  'revoke-token ../up',
  'revoke-token ci now',
  `add-token ci root ${release} 2026-02-01T00:00:00.000Z`,
  'add-token ci read abc 2026-02-01T00:00:00.000Z',
  `add-token ci read ${release} tomorrow`,
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
