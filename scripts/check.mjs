// npm run check: types, lint, format, unused code, what would be published, generated docs, forbidden text.
// All of them run, two at a time; the output of those that fail follows, and the exit code is 1 if any did.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { build } from './build.mjs';
import { ensureDependencies } from './setup/dependencies.mjs';
import { findForbiddenText } from './setup/forbidden-text.mjs';
import { nodeProgram, rootFolder, run } from './setup/processes.mjs';
import { runScript, secondsSince, SetupProblem } from './setup/progress.mjs';

const AT_ONCE = 2;

const checks = [
  { name: 'types', command: [tool('typescript/bin/tsc'), '--noEmit'] },
  { name: 'lint', command: [tool('oxlint/bin/oxlint'), '--deny-warnings'] },
  { name: 'format', command: [tool('oxfmt/bin/oxfmt'), '--check'] },
  { name: 'unused code', command: [tool('knip/bin/knip.js')] },
  { name: 'package', work: builtPackage },
  { name: 'generated docs', command: [path.join(rootFolder, 'scripts/docs.mjs'), '--check'] },
  { name: 'forbidden text', work: forbiddenText },
];

await runScript(async () => {
  const startedAt = performance.now();
  await ensureDependencies();
  const failed = await runAll(checks.filter(exists));
  for (const { name, output } of failed) console.log(`\n${name}\n${output.trimEnd()}`);
  const verdict = failed.length === 0 ? 'all checks passed' : `failed: ${failed.map(({ name }) => name).join(', ')}`;
  console.log(`${verdict} (${secondsSince(startedAt)})`);
  return failed.length === 0 ? 0 : 1;
});

async function runAll(all) {
  const waiting = [...all];
  const failed = [];
  const worker = async () => {
    for (let check = waiting.shift(); check; check = waiting.shift()) {
      const result = await runOne(check);
      if (result.code !== 0) failed.push(result);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return failed;
}

async function runOne({ name, command, work }) {
  const startedAt = performance.now();
  const { code, output } = work ? await work() : await run([nodeProgram(), ...command]);
  console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${name} (${secondsSince(startedAt)})`);
  return { name, code, output };
}

async function builtPackage() {
  try {
    await build();
  } catch (problem) {
    if (problem instanceof SetupProblem) return { code: 1, output: problem.message };
    throw problem;
  }
  return run([nodeProgram(), tool('publint/src/cli.js'), '--strict']);
}

async function forbiddenText() {
  const findings = await findForbiddenText();
  return { code: findings.length === 0 ? 0 : 1, output: findings.join('\n') };
}

function exists({ command }) {
  return !command || existsSync(command[0]) || !command[0].endsWith('docs.mjs');
}

function tool(file) {
  return path.join(rootFolder, 'node_modules', file);
}
