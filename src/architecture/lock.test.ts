import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import type { CommitId } from '../digest.ts';
import { formatLock, type Lock, parseLock } from './lock.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const lock: Lock = {
  version: 1,
  images: { 'node:24': digest, 'debian:bookworm': digest },
  repositories: { 'https://example.com/x.git': { commit: 'b'.repeat(40) as CommitId } },
};

test('a lock is written sorted and indented, and read back the same', () => {
  const text = formatLock(lock);
  assert(text.indexOf('debian:bookworm') < text.indexOf('node:24'));
  assert(text.endsWith('}\n'));
  const parsed = parseLock(text);
  assert(parsed.ok);
  assert.deepEqual(parsed.value, lock);
});

test('a commit without a lock says which command writes it', () => {
  const parsed = parseLock(undefined, 'demo/architecture.lock');
  assert(!parsed.ok);
  assert.equal(parsed.problem.code, 'LOCK_MISSING');
  assert.match(parsed.problem.what, /demo\/architecture\.lock/);
  assert.match(parsed.problem.next ?? '', /changeless lock/);
});

test('every mistake of a lock is told at once, with line and key', () => {
  const text = formatLock(lock)
    .replace(digest, 'latest')
    .replace('b'.repeat(40), 'main')
    .replace('"version": 1', '"version": 2,\n  "extra": 1');
  const parsed = parseLock(text);
  assert(!parsed.ok);
  assert.equal(parsed.problem.code, 'LOCK_INVALID');
  const found = (parsed.problem.findings ?? []).map(({ key, place }) => [key, place?.text?.trim().split(':')[0]]);
  assert.deepEqual(found, [
    ['extra', '"extra"'],
    ['version', '"version"'],
    ['images["debian:bookworm"]', '"debian'],
    ['repositories["https://example.com/x.git"]', '"https'],
  ]);
});

test('a lock that is not JSON names the line', () => {
  const parsed = parseLock('{\n  "version": 1,\n  oops\n}\n');
  assert(!parsed.ok);
  assert.equal(parsed.problem.findings?.[0]?.place?.line, 3);
});

test('reading never throws', () => {
  fc.assert(fc.property(fc.oneof(fc.json(), fc.string()), (text) => void parseLock(text)));
});
