// Starting programs: bounded, with their output kept or passed on, and the Node that the package asks for.
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { SetupProblem } from './progress.mjs';

const OUTPUT_LIMIT = 200_000;

/** The folder of the package, wherever it was cloned. */
export const rootFolder = path.resolve(import.meta.dirname, '../..');

/**
 * Runs a program to its end and gives `{ code, output }`; never throws for an exit code.
 * `output: 'inherit'` passes the terminal through; otherwise the last 200 kB are kept.
 */
export function run(command, options = {}) {
  const { folder = rootFolder, environment = process.env, output = 'keep' } = options;
  return new Promise((resolve) => {
    const stdio = output === 'inherit' ? 'inherit' : ['ignore', 'pipe', 'pipe'];
    const child = spawn(command[0], command.slice(1), { cwd: folder, env: environment, stdio });
    let kept = '';
    const keep = (chunk) => {
      kept = (kept + chunk).slice(-OUTPUT_LIMIT);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    child.on('error', (cause) => resolve({ code: 127, output: cause.message }));
    child.on('close', (code, signal) => resolve({ code: code ?? signalCode(signal), output: kept }));
  });
}

/** Like `run`, but an exit code other than 0 becomes a SetupProblem with the program's last lines. */
export async function mustRun(command, options = {}) {
  const { code, output } = await run(command, options);
  if (code === 0) return output;
  const lastLines = output.trimEnd().split('\n').slice(-15).join('\n');
  throw new SetupProblem(`${command.slice(0, 3).join(' ')} ended with ${code}; its last lines:\n${lastLines}`);
}

/** The exit code a shell would give to a process that a signal ended. */
export function signalCode(signal) {
  return { SIGINT: 130, SIGTERM: 143, SIGKILL: 137 }[signal] ?? 1;
}

/** The path of a program on PATH or in the folders of the system's own programs, or undefined. */
export function findProgram(name) {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/bin', '/sbin'];
  return folders.map((folder) => path.join(folder, name)).find(isExecutable);
}

/** The Node 24 the package brings along, or the running one where it is new enough. */
export function nodeProgram() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 24 || (major === 24 && minor >= 15)) return process.execPath;
  const require = createRequire(import.meta.url);
  try {
    return require.resolve(`node-linux-${process.arch}/bin/node`);
  } catch {
    throw new SetupProblem(
      `Node ${process.versions.node} is older than 24.15 and no copy of Node 24 comes with the package for ` +
        `${process.platform}-${process.arch}: install Node 24.15 or newer.`,
    );
  }
}

/** This process's environment with that Node first on PATH, for children that start `node` by name. */
export function environmentWithNode() {
  return { ...process.env, PATH: `${path.dirname(nodeProgram())}:${process.env.PATH ?? ''}` };
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
