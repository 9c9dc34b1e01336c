// Makes node_modules match package-lock.json.
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { mustRun, rootFolder } from './processes.mjs';
import { timed } from './progress.mjs';

/** Runs `npm ci` when node_modules is missing or older than the lock file; otherwise does nothing. */
export async function ensureDependencies() {
  if (areInstalled()) return;
  const environment = npmEnvironment();
  await timed("installing the project's dependencies (npm ci)", async () => {
    await mustRun(['npm', 'ci', '--no-audit', '--no-fund'], { environment });
    if (!existsSync(path.join(rootFolder, 'node_modules/.bin/node'))) await linkNode(environment);
  });
}

// npm 10 unlinks `node` again when it drops the package of the other processor, whose program has the same name.
async function linkNode(environment) {
  const name = `node-linux-${process.arch}`;
  if (existsSync(path.join(rootFolder, 'node_modules', name))) await mustRun(['npm', 'rebuild', name], { environment });
}

// npm writes node_modules/.package-lock.json last, so its time tells when an installation ended.
function areInstalled() {
  const installed = path.join(rootFolder, 'node_modules/.package-lock.json');
  if (!existsSync(installed)) return false;
  return statSync(installed).mtimeMs >= statSync(path.join(rootFolder, 'package-lock.json')).mtimeMs;
}

// A run started by `npm start` hands its own settings down as npm_config_*; what is installed must not depend on them.
function npmEnvironment() {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^npm_(config_(?!cafile|registry|.*proxy)|lifecycle|package)/i.test(name),
  );
  return Object.fromEntries(inherited);
}
