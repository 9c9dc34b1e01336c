import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import type { ImageId, ReleaseId, RunId } from '../../src/digest.ts';
import { createMemoryEngine } from '../../src/engine/memory/create-memory-engine.ts';
import type { JobStepSpec } from '../../src/engine/job-steps.ts';
import { keepLog, type Keeping } from '../../src/jobs/keep-log.ts';
import { forgetLogs, openKept, readKept, type KeptLine } from '../../src/jobs/kept-log.ts';

const architecture = 'workshop';
const name = { run: 'r-1' as RunId, step: '/unit' };

async function running(context: TestContext) {
  const folder = mkdtempSync(path.join(tmpdir(), 'changeless-logs-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const engine = createMemoryEngine();
  engine.jobs.onStep = () => 'runs';
  const image: ImageId = engine.world.addImage({ tag: 'fixture/step:1' });
  const limits = { memoryBytes: 1, processes: 1 };
  const origin = { environment: 'local', release: 'a'.repeat(64) as ReleaseId, commit: 'uncommitted' } as const;
  const spec: JobStepSpec = { ...name, job: 'test', token: 1, image, place: image, caches: {}, secrets: [], limits, diskBytes: 1, origin };
  const prepared = await engine.jobs.prepare(architecture, spec, []);
  assert.ok(prepared.ok);
  await engine.jobs.start(architecture, { container: prepared.value, spec });
  const keeping = (token: number, signal = new AbortController().signal, more: Partial<Keeping> = {}): Keeping => ({
    engine,
    architecture,
    logs: { folder },
    name,
    token,
    signal,
    ...more,
  });
  const kept = async (): Promise<KeptLine[]> => {
    const lines: KeptLine[] = [];
    for await (const line of readKept({ folder }, name.run, name.step)) lines.push(line);
    return lines;
  };
  const until = async (count: number): Promise<void> => {
    const deadline = performance.now() + 10_000;
    while ((await kept()).length < count) assert.ok(performance.now() < deadline, 'waited in vain for lines');
  };
  const print = (line: string): void => engine.jobs.print(name.run, name.step, line);
  const finish = (): void => engine.jobs.finish(name.run, name.step, 0);
  // As a log that is rotated.
  const loseFirst = (): void => void engine.world.machine.logOf(prepared.value).lines.shift();
  return { folder, keeping, kept, until, print, finish, loseFirst };
}

test('what a step prints can be read while it runs, and after its end', async (context) => {
  const { keeping, kept, until, print, finish } = await running(context);
  const keptWhole = keepLog(keeping(1));
  print('one');
  await until(1);
  print('two');
  finish();
  assert.equal(await keptWhole, 'whole');
  assert.deepEqual(
    (await kept()).map(({ line }) => line),
    ['one', 'two'],
  );
});

test('whoever comes next goes on where the one before stopped, though its last line is torn, and the engine has dropped the first', async (context) => {
  const { folder, keeping, kept, until, print, finish, loseFirst } = await running(context);
  const abort = new AbortController();
  const first = keepLog(keeping(1, abort.signal));
  print('one');
  await until(1);
  abort.abort();
  assert.equal(await first, 'broken-off');
  const [file] = readdirSync(path.join(folder, name.run));
  await appendFile(path.join(folder, name.run, file ?? ''), '{"at":"2026');
  print('two');
  loseFirst();
  const second = keepLog(keeping(2));
  await until(2);
  print('three');
  finish();
  assert.equal(await second, 'whole');
  assert.deepEqual(
    (await kept()).map(({ line }) => line),
    ['one', 'two', 'three'],
  );
  assert.equal(readdirSync(path.join(folder, name.run)).length, 1, 'the former file is gone');
});

test('whoever was paused writes to a file that nobody reads any more', async (context) => {
  const { folder, kept, keeping, print, finish } = await running(context);
  const paused = await openKept({ folder }, { ...name, token: 1 });
  print('one');
  finish();
  assert.equal(await keepLog(keeping(2)), 'whole');
  await paused.add({ at: '2026-01-01T00:00:00Z', stream: 'stdout', line: 'from the past' });
  await paused.close();
  assert.deepEqual(
    (await kept()).map(({ line }) => line),
    ['one'],
  );
});

test('where the disk takes nothing it is broken off, to be tried again, and throws at nobody', async (context) => {
  const { folder, keeping, kept, print, finish } = await running(context);
  writeFileSync(path.join(folder, name.run), 'in the way');
  print('one');
  finish();
  assert.equal(await keepLog(keeping(1)), 'broken-off');
  rmSync(path.join(folder, name.run));
  assert.equal(await keepLog(keeping(1)), 'whole');
  assert.equal((await kept()).length, 1);
});

test('while the engine is asked whether a step has ended no file is open', async (context) => {
  const { folder, keeping, print, finish } = await running(context);
  print('one');
  finish();
  const { engine } = keeping(1);
  const open: string[] = [];
  const list = engine.jobs.list.bind(engine.jobs);
  engine.jobs.list = (on) => {
    open.push(...openIn(folder));
    return list(on);
  };
  assert.equal(await keepLog(keeping(1)), 'whole');
  assert.deepEqual(open, []);
});

/** Files of a folder that this process has open. */
function openIn(folder: string): string[] {
  const files = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return files.filter((file) => file.startsWith(folder));
}

test('a step that prints without end is kept from its beginning and at its end, and it is said that it was cut', async (context) => {
  const { keeping, kept, print, finish } = await running(context);
  for (let number = 1; number <= 1000; number += 1) print(`line ${number}`);
  const limits = { bytes: 100, lastLines: 3 };
  assert.equal(await keepLog(keeping(1, undefined, { limits })), 'full', 'nothing more is read of it while it runs');
  finish();
  assert.equal(await keepLog(keeping(1, undefined, { limits })), 'whole');
  const lines = await kept();
  assert.ok(lines.length < 20);
  const cut = lines.findIndex((line) => line.cut);
  assert.deepEqual([lines[0]?.line, lines.slice(cut + 1).map(({ line }) => line)], ['line 1', ['line 998', 'line 999', 'line 1000']]);
  assert.match(lines[cut]?.line ?? '', /cut/);
  assert.equal(await keepLog(keeping(2, undefined, { limits })), 'whole');
  assert.deepEqual(await kept(), lines, 'asked again, it is as it was');
});

test('output of runs of long ago is forgotten', async (context) => {
  const { folder, keeping, kept, print, finish } = await running(context);
  print('one');
  finish();
  await keepLog(keeping(1));
  await forgetLogs({ folder }, new Set([name.run]));
  assert.equal((await kept()).length, 1);
  await forgetLogs({ folder }, new Set(['another']));
  assert.equal((await kept()).length, 0);
});
