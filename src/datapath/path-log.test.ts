import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePathLine, type PathReport } from './path-log.ts';

const FAILING = '{"server":"api-1","asked":"GET /healthz expecting 200","check":"L7STS","code":503,"detail":"Service Unavailable"}';

const REPORTS: readonly (readonly [string, PathReport])[] = [
  ['{"changeless":"healthy"}', { phase: 'healthy' }],
  ['{"changeless":"holding"}', { phase: 'holding' }],
  ['{"changeless":"serving"}', { phase: 'serving' }],
  [
    '{"changeless":"serving","measures":{"number":3,"spanMs":1002,"requests":9,"connections":2,"open":1,"answers":{"1xx":0,"2xx":7,"3xx":0,"4xx":1,"5xx":1},"latencyMs":{"p50":1,"p95":20,"p99":1300},"routes":{"/a\\u0022":{"answers":{"1xx":0,"2xx":1,"3xx":0,"4xx":0,"5xx":0},"latencyMs":{"p50":2,"p95":2,"p99":2}}},"refused":{"rate:login":7},"retries":4,"redispatches":5,"queue":3,"servers":{"api-1":{"inFlight":4,"state":"up"},"api-2":{"inFlight":1,"state":"draining"}}}}',
    {
      phase: 'serving',
      measures: {
        number: 3,
        spanMs: 1002,
        requests: 9,
        answers: { '1xx': 0, '2xx': 7, '3xx': 0, '4xx': 1, '5xx': 1 },
        latencyMs: { p50: 1, p95: 20, p99: 1300 },
        routes: { '/a"': { answers: { '1xx': 0, '2xx': 1, '3xx': 0, '4xx': 0, '5xx': 0 }, latencyMs: { p50: 2, p95: 2, p99: 2 } } },
        refused: { 'rate:login': 7 },
        retries: 4,
        redispatches: 5,
        connections: 2,
        open: 1,
        queue: 3,
        servers: { 'api-1': { inFlight: 4, state: 'up' }, 'api-2': { inFlight: 1, state: 'draining' } },
      },
    },
  ],
  ['{"changeless":"draining","connections":3}', { phase: 'draining', connections: 3 }],
  ['{"changeless":"draining"}', { phase: 'draining' }],
  [
    `{"changeless":"checking","failing":[${FAILING}]}`,
    {
      phase: 'checking',
      failing: [
        {
          server: 'api-1',
          asked: 'GET /healthz expecting 200',
          check: 'L7STS',
          code: 503,
          detail: 'Service Unavailable',
        },
      ],
    },
  ],
  [
    '{"changeless":"checking","failing":[{"server":"db-1","asked":"connect to port 5432","check":"L4CON","detail":"Connection refused"}]}',
    {
      phase: 'checking',
      failing: [{ server: 'db-1', asked: 'connect to port 5432', check: 'L4CON', detail: 'Connection refused' }],
    },
  ],
  ['[WARNING]  (1) : Proxy app hard-stopped (2 remaining conns will be closed).', { phase: 'draining', cut: 2 }],
];

for (const [line, report] of REPORTS) {
  test(`reads ${line}`, () => assert.deepEqual(parsePathLine(line), report));
}

const OTHERS = [
  '',
  '[NOTICE]   (1) : haproxy version is 2.6.12',
  '{"changeless":"check',
  '{"changeless":"dancing"}',
  '{"changeless":7}',
  '{"level":"info"}',
  '["changeless"]',
  'null',
];

for (const line of OTHERS) {
  test(`passes over ${JSON.stringify(line)}`, () => assert.equal(parsePathLine(line), undefined));
}
