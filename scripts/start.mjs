// npm start: from a fresh clone to a live architecture, made from the example `streaming` in demo/.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { build } from './build.mjs';
import { nodeProgram, rootFolder, run } from './setup/processes.mjs';
import { runScript } from './setup/progress.mjs';
import { setUp } from './setup/set-up.mjs';

const DEMO = 'demo';

await runScript(async () => {
  await setUp();
  await build();
  if (!existsSync(path.join(rootFolder, DEMO))) {
    const made = await changeless(['init', DEMO, '--template', 'streaming']);
    if (made !== 0) return made;
  }
  return changeless(['up', '-C', DEMO]);
});

// Ctrl-C goes to the command line as well, which decides how to end; this waits for it.
async function changeless(words) {
  const wait = () => {};
  process.on('SIGINT', wait);
  const command = [nodeProgram(), path.join(rootFolder, 'bin/changeless.mjs'), ...words];
  const { code } = await run(command, { output: 'inherit' });
  process.off('SIGINT', wait);
  return code;
}
