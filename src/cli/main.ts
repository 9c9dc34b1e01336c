import { randomBytes } from 'node:crypto';
import { homedir } from 'node:os';
import path from 'node:path';
import { run } from './run.ts';
import { typedBy } from './typed.ts';
import { cacheFolderOf, configFolderOf, type Output, type World } from './world.ts';

const interrupted = new AbortController();

// A second Ctrl-C does not wait for anything. Whatever was begun on the engine is finished or undone by the next who starts.
process.on('SIGINT', () => {
  if (interrupted.signal.aborted) process.exit(130);
  interrupted.abort();
});

// Process 1 of a container gets no SIGTERM it does not ask for; any other command simply ends by it.
const terminated = new AbortController();
if (process.argv.includes('controller')) process.on('SIGTERM', () => terminated.abort());
if (process.argv[2] === 'builder') process.on('SIGTERM', () => interrupted.abort());

// A reader that went away (`changeless log | head`) is no failure of ours.
process.stdout.on('error', (cause: NodeJS.ErrnoException) => process.exit(cause.code === 'EPIPE' ? 0 : 70));

// The source and the bundle both lie two folders below the package's.
const packageFolder = path.resolve(import.meta.dirname, '../..');

const world: World = {
  cwd: process.cwd(),
  env: process.env,
  stdout: outputOf(process.stdout),
  stderr: outputOf(process.stderr),
  stdin: typedBy(() => process.stdin, process.stderr),
  signal: interrupted.signal,
  terminated: terminated.signal,
  cacheFolder: cacheFolderOf(process.env, homedir()),
  configFolder: configFolderOf(process.env, homedir()),
  packageFolder,
  clock: () => new Date().toISOString(),
  random: (characters) =>
    randomBytes(Math.ceil(characters / 2))
      .toString('hex')
      .slice(0, characters),
  engine: async () => (await import('./open-engine.ts')).openEngine(),
  delivery: async () => (await import('./installed-delivery.ts')).installedDelivery(packageFolder),
};

function outputOf(stream: NodeJS.WriteStream): Output {
  return {
    write: (text) => void stream.write(text),
    isTerminal: stream.isTTY,
    get columns() {
      // A terminal that does not say its width says 0.
      return stream.columns || 80;
    },
  };
}

const code = await run(process.argv.slice(2), world);
// Streams to the engine may still be open: they must not keep an ended command alive, nor may the exit cut our output.
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
