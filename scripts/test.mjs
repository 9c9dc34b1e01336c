// npm test [files]: sets up, runs all the tests, and ends with a line that counts them.
// What the run makes on the engine is removed by a reaper, which also outlives a runner that is killed.
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from './build.mjs';
import { filesUnder } from './setup/files.mjs';
import { environmentWithNode, nodeProgram, rootFolder, signalCode } from './setup/processes.mjs';
import { runScript, say } from './setup/progress.mjs';
import { setUp } from './setup/set-up.mjs';

const FOLDERS = ['src', 'test'];
const INTERRUPTED = 130;

await runScript(async () => {
  await setUp();
  await build();
  return runTests(process.argv.slice(2));
});

async function runTests(asked) {
  const runId = `t${randomBytes(3).toString('hex')}`;
  const seed = Number(process.env.CHANGELESS_TEST_SEED ?? randomBytes(3).readUIntBE(0, 3));
  const folder = mkdtempSync(path.join(tmpdir(), `changeless-${runId}-`));
  const reaper = await startReaper(runId, folder);
  say(`  test run ${runId}, files shuffled with seed ${seed} (CHANGELESS_TEST_SEED=${seed} repeats the order)`);
  const countsFile = path.join(folder, 'counts.json');
  const code = await runNode({ runId, countsFile, files: asked.length > 0 ? asked : shuffled(FOLDERS.flatMap(testFiles), seed) });
  const counts = readCounts(countsFile);
  await reaper.finished();
  return report(code, counts);
}

// The tests run in a process group of their own, so that the reaper can end all of them when this runner was killed.
function runNode({ runId, countsFile, files }) {
  const child = spawn(nodeProgram(), [path.join(rootFolder, 'scripts/setup/run-files.mjs'), countsFile, ...files], {
    cwd: rootFolder,
    detached: true,
    env: { ...environmentWithNode(), CHANGELESS_TEST_RUN: runId, TMPDIR: path.dirname(countsFile) },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => interrupt(child, signal));
  return new Promise((resolve) => {
    child.on('close', (code, signal) => resolve(child.interrupted ? INTERRUPTED : (code ?? signalCode(signal))));
  });
}

// Files share nothing but the engine, so any order must do; the tests of a file on a real engine may build on one another.
// Those that take minutes come first, or one of them would be the last, with one processor idle beside it.
function shuffled(files, seed) {
  const rank = (file) => (isLong(file) ? 0 : 1) + createHash('sha256').update(`${seed} ${file}`).digest('hex');
  return files
    .map((file) => ({ file, rank: rank(file) }))
    .toSorted((a, b) => (a.rank < b.rank ? -1 : 1))
    .map(({ file }) => file);
}

function isLong(file) {
  return /[/\\](e2e|simulation)[/\\]/.test(file);
}

function testFiles(folder) {
  return filesUnder(folder).filter((file) => file.endsWith('.test.ts'));
}

function interrupt(child, signal) {
  child.interrupted = true;
  try {
    process.kill(-child.pid, signal);
  } catch (cause) {
    if (cause.code !== 'ESRCH') throw cause;
  }
}

// The pipe to the reaper's standard input closes when this process ends, however it ends.
async function startReaper(runId, folder) {
  const reaper = spawn(process.execPath, [path.join(rootFolder, 'scripts/setup/reaper.mjs'), runId, folder], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(reaper.stdout, 'data');
  reaper.stdout.destroy();
  const ended = new Promise((resolve) => reaper.on('close', resolve));
  reaper.unref();
  return {
    async finished() {
      reaper.ref();
      reaper.stdin.end();
      await ended;
    },
  };
}

function report(code, counts) {
  if (!counts) {
    console.log(`the tests ended with ${code} before they could be counted`);
    return code === 0 ? 1 : code;
  }
  console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  return code === 0 && counts.failed > 0 ? 1 : code;
}

function readCounts(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
