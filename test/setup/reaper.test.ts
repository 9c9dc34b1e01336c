import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';

type EngineClient = { json(method: string, target: string, call?: { body: string; type: string }): Promise<{ Name: string } | undefined> };

const setup = path.resolve(import.meta.dirname, '../../scripts/setup');
const client = await openClient();
const outerRunId = process.env['CHANGELESS_TEST_RUN'] ?? `t${randomBytes(3).toString('hex')}`;
const label = 'dev.changeless.architecture';

describe('the reaper of a test run', () => {
  it('removes what the run made once the runner is gone, and nothing else', async (t) => {
    const runId = innerRunId();
    const own = await createVolume(t, `${runId}-shop`);
    const foreign = await createVolume(t, `${outerRunId}-other`);

    const reaper = await startReaper(runId);
    assert.ok(await exists(own), 'nothing is removed while the runner lives');
    reaper.stdin?.end();
    await once(reaper, 'close');

    assert.equal(await exists(own), false);
    assert.equal(await exists(foreign), true);
  });

  it('ends the processes that the run left behind', async (t) => {
    const runId = innerRunId();
    const environment = { ...process.env, CHANGELESS_TEST_RUN: runId };
    const left = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, env: environment, stdio: 'ignore' });
    t.after(() => left.kill('SIGKILL'));
    const ended = once(left, 'exit');

    const reaper = await startReaper(runId);
    reaper.kill('SIGTERM');
    reaper.stdin?.end();

    assert.deepEqual(await ended, [null, 'SIGKILL']);
    await once(reaper, 'close');
  });
});

// It is told of the outer run, so that it leaves alone the images that tests beside this one make.
async function startReaper(runId: string): Promise<ChildProcess> {
  const environment = { ...process.env, CHANGELESS_TEST_RUN: outerRunId };
  const reaper = spawn(process.execPath, [path.join(setup, 'reaper.mjs'), runId], { env: environment, stdio: ['pipe', 'pipe', 'inherit'] });
  await once(reaper.stdout, 'data');
  return reaper;
}

async function createVolume(t: TestContext, architecture: string): Promise<string> {
  const name = `${architecture}-volume`;
  const body = JSON.stringify({ Name: name, Labels: { [label]: architecture } });
  await client.json('POST', '/volumes/create', { body, type: 'application/json' });
  t.after(() => client.json('DELETE', `/volumes/${name}?force=1`));
  return name;
}

async function exists(volume: string): Promise<boolean> {
  return (await client.json('GET', `/volumes/${volume}`)) !== undefined;
}

// Longer than the run this test is part of, whose own reaper then removes what is left when the test is interrupted.
function innerRunId(): string {
  return `${outerRunId}${randomBytes(2).toString('hex')}`;
}

async function openClient(): Promise<EngineClient> {
  const { engineClient } = (await import(path.join(setup, 'engine-client.mjs'))) as { engineClient: () => EngineClient };
  return engineClient();
}
