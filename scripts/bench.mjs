// npm run bench [-- names]: sets up, builds, and measures Changeless against floors in the same run; see bench/README.md.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { build } from './build.mjs';
import { environmentWithNode, nodeProgram, rootFolder, signalCode } from './setup/processes.mjs';
import { runScript } from './setup/progress.mjs';
import { setUp } from './setup/set-up.mjs';

await runScript(async () => {
  await setUp();
  await build();
  return runBench(process.argv.slice(2));
});

// An interrupted run removes what it made on the engine before it ends: this waits for it.
function runBench(words) {
  const command = [path.join(rootFolder, 'bench/main.ts'), ...words];
  const child = spawn(nodeProgram(), command, { cwd: rootFolder, env: environmentWithNode(), stdio: 'inherit' });
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((resolve) => child.on('close', (code, signal) => resolve(code ?? signalCode(signal))));
}
