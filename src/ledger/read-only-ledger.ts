import { existsSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';

/**
 * How far each file of the inbox was taken, for somebody who cannot write where the ledger is. Undefined when it cannot be read just
 * now, or has nothing of the kind yet.
 */
export function readInboxTaken(file: string): ReadonlyMap<string, number> | undefined {
  try {
    return existsSync(`${file}-wal`) ? readTaken(file) : readUnwritten(file);
  } catch {
    return undefined;
  }
}

/**
 * Where nobody has it open there is no log beside it, and SQLite would make one, which a reader cannot. Then it is read as a file that
 * never changes; when it has changed meanwhile, what was read is worth nothing.
 */
function readUnwritten(file: string): ReadonlyMap<string, number> | undefined {
  const before = statSync(file).mtimeMs;
  const url = pathToFileURL(file);
  url.searchParams.set('immutable', '1');
  const taken = readTaken(url);
  return existsSync(`${file}-wal`) || statSync(file).mtimeMs !== before ? undefined : taken;
}

function readTaken(file: string | URL): ReadonlyMap<string, number> {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const rows = database.prepare('SELECT file, taken FROM inbox_files').all() as { file: string; taken: number }[];
    return new Map(rows.map(({ file: name, taken }) => [name, taken]));
  } finally {
    database.close();
  }
}
