import { existsSync, statSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { Database, type Reading } from './database.ts';

/** Reads a ledger for somebody who cannot write where it is. Looks are short: nobody who writes waits for one. */
export class LedgerReader {
  readonly #file: string;
  #open: { database: Database; inode: number } | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  /** What is found there now; undefined when it cannot be read just now, or has nothing of the kind yet. */
  read<T>(look: (database: Reading) => T): T | undefined {
    try {
      return existsSync(`${this.#file}-wal`) ? look(this.#database()) : this.#readUnwritten(look);
    } catch (error) {
      this.close();
      // A file that is not there, or is no ledger; anything else is a mistake of the one who looks.
      if (error instanceof Error && 'code' in error && ['ERR_SQLITE_ERROR', 'ENOENT', 'EACCES'].includes(String(error.code)))
        return undefined;
      throw error;
    }
  }

  close(): void {
    this.#open?.database.close();
    this.#open = undefined;
  }

  /** Kept open from look to look, as long as it is the same file. */
  #database(): Database {
    const inode = statSync(this.#file).ino;
    if (this.#open?.inode !== inode) {
      this.close();
      this.#open = { database: Database.forReading(this.#file), inode };
    }
    return this.#open.database;
  }

  /**
   * Where nobody has it open there is no log beside it, and SQLite would make one, which a reader cannot. Then it is read as a file that
   * never changes; when it has changed meanwhile, what was read is worth nothing.
   */
  #readUnwritten<T>(look: (database: Reading) => T): T | undefined {
    this.close();
    const before = statSync(this.#file).mtimeMs;
    const url = pathToFileURL(this.#file);
    url.searchParams.set('immutable', '1');
    const database = Database.forReading(url);
    try {
      const found = look(database);
      return existsSync(`${this.#file}-wal`) || statSync(this.#file).mtimeMs !== before ? undefined : found;
    } finally {
      database.close();
    }
  }
}
