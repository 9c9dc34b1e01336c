// node run-files.mjs <counts file> <test files…>: runs them two at a time in the order given, which `node --test` would sort.
import { createWriteStream } from 'node:fs';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import countReporter from './count-reporter.mjs';

const [countsFile, ...files] = process.argv.slice(2);
const tests = run({ files, concurrency: 2, execArgv: ['--import', import.meta.resolve('./end-hanging-file.mjs')] });
tests.on('test:fail', ({ todo }) => {
  if (todo === undefined || todo === false) process.exitCode = 1;
});
tests.compose(new spec()).pipe(process.stdout);
tests.compose(countReporter).pipe(createWriteStream(countsFile));
