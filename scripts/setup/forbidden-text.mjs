// What no tracked file may hold: where a package came from, and paths of the machine it was written on.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { mustRun, rootFolder } from './processes.mjs';

const FORBIDDEN = [
  {
    what: 'the host name of a package registry',
    pattern: /\b(?:registry|npm|pypi|proxy)(?:-\w+)*(?:\.[\w-]+)+\.(?:com|dev|io|net|org)\b/i,
  },
  { what: 'a path of one machine', pattern: /(?<![\w./-])\/(?:work|Users|root|home\/(?!node\b)\w+)\/\w/ },
  { what: 'a path of one machine', pattern: /(?<![\w./-])\/tmp\/(?:tool|bash_jobs)\b/ },
];
const TEXT_LIMIT_BYTES = 2_000_000;

/** Every place in a tracked or untracked (not ignored) file that holds forbidden text, as `file:line  what: text`. */
export async function findForbiddenText() {
  const listed = await mustRun(['git', 'ls-files', '--cached', '--others', '--exclude-standard', '-z']);
  return listed.split('\0').filter(Boolean).flatMap(findingsIn);
}

function findingsIn(file) {
  const bytes = contents(file);
  if (!bytes || bytes.length > TEXT_LIMIT_BYTES || bytes.includes(0)) return [];
  return bytes
    .toString('utf8')
    .split('\n')
    .flatMap((line, index) => {
      const found = FORBIDDEN.map(({ what, pattern }) => ({ what, text: pattern.exec(line)?.[0] })).filter(({ text }) => text);
      return found.map(({ what, text }) => `${file}:${index + 1}  ${what}: ${text}`);
    });
}

// A file that was deleted and is still in the index has nothing to say.
function contents(file) {
  try {
    return readFileSync(path.join(rootFolder, file));
  } catch {
    return undefined;
  }
}
