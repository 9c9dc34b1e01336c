import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const script = path.join(import.meta.dirname, '../../scripts/setup/run-files.mjs');

const hanging = `
  import { after, test } from 'node:test';
  after(() => { throw new Error('not tidied'); });
  test('leaves something that goes on', () => { setInterval(() => {}, 1000); Promise.reject(new Error('late')); return new Promise(() => {}); });
`;
const passing = `import { test } from 'node:test'; test('passes', () => {});`;

test('a file that goes on after it has failed is ended and named, and the other files are run and counted', async (context) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'changeless-run-files-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const files = Object.entries({ 'hanging.test.mjs': hanging, 'passing.test.mjs': passing }).map(([name, text]) => {
    writeFileSync(path.join(folder, name), text);
    return path.join(folder, name);
  });
  const counts = path.join(folder, 'counts.json');
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const run = promisify(execFile)(process.execPath, [script, counts, ...files], {
    env: { ...env, CHANGELESS_TEST_FILE_LIMIT_MS: '3000' },
    timeout: 60_000,
  });
  const ended = await run.then(
    () => assert.fail('it passed'),
    (cause: { code: number; stdout: string; stderr: string }) => cause,
  );
  assert.equal(ended.code, 1);
  assert.match(ended.stdout + ended.stderr, /hanging\.test\.mjs did not end within 3 s; what keeps it alive: .*Timeout/);
  assert.deepEqual(JSON.parse(readFileSync(counts, 'utf8')), { passed: 1, failed: 2, skipped: 0 });
});
