import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { CommitId, ReleaseId, RunId } from '../digest.ts';
import type { ChangelessEvent, RecordedEvent } from '../events.ts';
import { postJson, tellChannels, type Sending } from './channels.ts';

const at = '2026-01-01T00:00:00.000Z';
const release = 'a'.repeat(64) as ReleaseId;
const problem = { code: 'ALARM_FIRED', what: 'an alarm fired', why: 'catalog/slow: too slow' } as const;
const unit = { kind: 'app', name: 'catalog' } as const;

const job = { run: 'test-1' as RunId, job: 'test', commit: 'c'.repeat(40) as CommitId } as const;
const failedJob = {
  code: 'JOB_FAILED',
  what: 'job test failed in step unit',
  why: 'it ended with exit code 2 (container 0123456789ab)',
  lines: ['expected 3'],
} as const;

const told: [RecordedEvent, string | undefined][] = [
  [{ type: 'unit-held-back', unit, problem, at }, 'app catalog is held back at its last good generation: an alarm fired'],
  [{ type: 'alarm-fired', unit, alarm: 'catalog/slow', what: 'catalog/slow: too slow', at }, 'alarm catalog/slow: too slow'],
  [
    { type: 'going-back', release, to: release, problem, at },
    'going back from release aaaaaaaaaaaa to aaaaaaaaaaaa: catalog/slow: too slow',
  ],
  [
    { type: 'rollout-ended', release, commit: 'uncommitted', outcome: 'failed', durationMs: 1, token: 2, problem, at },
    'release aaaaaaaaaaaa failed: an alarm fired',
  ],
  [
    { type: 'rollout-ended', release, commit: 'uncommitted', outcome: 'live', durationMs: 1, token: 2, held: [unit], at },
    'release aaaaaaaaaaaa is live, without app catalog',
  ],
  [{ type: 'rollout-ended', release, commit: 'uncommitted', outcome: 'failed', durationMs: 0, problem, at }, undefined],
  [{ type: 'job-started', ...job, at }, 'job test started on commit cccccccccccc (run test-1)'],
  [
    { type: 'job-ended', ...job, outcome: 'failed', durationMs: 5, problem: failedJob, at },
    'job test failed in step unit on commit cccccccccccc (run test-1): it ended with exit code 2 (container 0123456789ab)\nexpected 3',
  ],
  [
    { type: 'job-ended', ...job, outcome: 'passed', durationMs: 5, fixed: true, at },
    'job test is fixed on commit cccccccccccc (run test-1)',
  ],
  [{ type: 'job-ended', ...job, outcome: 'passed', durationMs: 5, at }, undefined],
  [{ type: 'job-ended', ...job, outcome: 'cancelled', durationMs: 5, at }, undefined],
  [{ type: 'job-ended', ...job, outcome: 'superseded', durationMs: 0, at }, undefined],
  [{ type: 'release-live', release, durationMs: 1, at }, undefined],
];

/** A channel that answers as told; what it was sent, and the pauses between. */
function channel(answers: (number | Error)[]) {
  const sent: string[] = [];
  const pauses: number[] = [];
  const reported: ChangelessEvent[] = [];
  const sending: Sending = {
    architecture: 'streaming',
    environment: 'local',
    channels: { ops: { webhook: 'http://ops' } },
    post: async (url, body) => {
      sent.push(`${url} ${body}`);
      const answer = answers.shift() ?? 200;
      if (answer instanceof Error) throw answer;
      return answer;
    },
    timers: {
      after(ms, work) {
        pauses.push(ms);
        setImmediate(work);
        return () => undefined;
      },
    },
    report: (event) => void reported.push(event),
  };
  return { sending, sent, pauses, reported };
}

const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

for (const [event, words] of told)
  test(`of ${event.type} a channel is told ${words === undefined ? 'nothing' : `“${words}”`}`, async () => {
    const { sending, sent } = channel([]);
    tellChannels(sending)(event);
    await turns(2);
    const expected = words === undefined ? [] : [`http://ops ${JSON.stringify({ text: `streaming (local): ${words}`, event })}`];
    assert.deepEqual(sent, expected);
  });

const fired = told[1]![0];

test('a channel that refuses or is away is tried again', async () => {
  const { sending, sent, pauses, reported } = channel([503, new Error('connection refused'), 200]);
  tellChannels(sending)(fired);
  await turns(10);
  assert.deepEqual([sent.length, pauses, reported], [3, [1000, 5000], []]);
});

test('a message that nobody takes is given up, and that is said', async () => {
  const { sending, sent, reported } = channel([500, 500, 500, 500]);
  tellChannels(sending)(fired);
  await turns(20);
  assert.equal(sent.length, 4);
  assert.deepEqual(reported, [{ type: 'notice-lost', channel: 'ops', why: 'it answered 500' }]);
});

test('it is posted as JSON over HTTP', async () => {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      bodies.push(`${request.method} ${request.headers['content-type']} ${body}`);
      response.writeHead(204).end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  assert.equal(await postJson(`http://127.0.0.1:${port}/hook`, '{"text":"hello"}'), 204);
  assert.deepEqual(bodies, ['POST application/json {"text":"hello"}']);
  server.closeAllConnections();
  server.close();
});
