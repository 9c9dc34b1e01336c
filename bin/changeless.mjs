#!/usr/bin/env node
// Starts the command line. Plain old JavaScript, because the Node that reads it first may be an old one.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module, { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const version = process.versions.node.split('.').map(Number);

if (version[0] > 24 || (version[0] === 24 && version[1] >= 15)) {
  // Half of what starting costs beyond Node's own start is compiling the program, which is the same each time.
  module.enableCompileCache();
  await import(programUrl().href);
} else {
  runAgainUnder(newerNode());
}

// A checkout that was not built runs its source; a published package always has dist.
function programUrl() {
  const built = new URL('../dist/cli/main.js', import.meta.url);
  return existsSync(fileURLToPath(built)) ? built : new URL('../src/cli/main.ts', import.meta.url);
}

function newerNode() {
  try {
    return createRequire(import.meta.url).resolve('node-linux-' + process.arch + '/bin/node');
  } catch {
    console.error(
      'error changeless needs Node 24.15 or newer, and this is ' +
        process.versions.node +
        ': install Node 24, or install changeless without omitting its optional packages.',
    );
    process.exit(2);
  }
}

// Ctrl-C reaches the child too, which decides what it means; the other signals are passed on.
function runAgainUnder(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url)].concat(process.argv.slice(2)), { stdio: 'inherit' });
  process.on('SIGINT', function () {});
  ['SIGTERM', 'SIGHUP'].forEach(function (signal) {
    process.on(signal, function () {
      child.kill(signal);
    });
  });
  child.on('error', function (cause) {
    console.error('error the Node that comes with changeless does not start: ' + cause.message);
    process.exit(70);
  });
  child.on('exit', function (code, signal) {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
