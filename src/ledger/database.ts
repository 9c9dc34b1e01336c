import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { knownSchema, migrations } from './migrations.ts';

/** What only looks. */
export type Reading = Pick<Database, 'all' | 'one'>;

/** Rows as plain objects, by a statement that is prepared once. */
export class Database {
  readonly #connection: DatabaseSync;
  readonly #statements = new Map<string, ReturnType<DatabaseSync['prepare']>>();

  private constructor(connection: DatabaseSync) {
    this.#connection = connection;
  }

  /**
   * Durable as soon as a transaction ends: with `synchronous=NORMAL` a loss of power takes acknowledged rows along.
   * Waits up to 10 s for another writer. What a long transaction needs beside it is in memory: where controllers and gateways run there is
   * no folder for temporary files.
   */
  static forWriting(file: string): Database {
    const connection = new DatabaseSync(file, { timeout: 10_000 });
    connection.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA trusted_schema=OFF; PRAGMA temp_store=MEMORY;');
    return new Database(connection);
  }

  /** For somebody who cannot write where the file is. Throws where it cannot be read. */
  static forReading(file: string | URL): Database {
    const connection = new DatabaseSync(file, { readOnly: true, timeout: 1000 });
    connection.exec('PRAGMA temp_store=MEMORY;');
    return new Database(connection);
  }

  all<Row>(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#prepared(sql).all(...values) as Row[];
  }

  one<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#prepared(sql).get(...values) as Row | undefined;
  }

  each<Row>(sql: string): Iterable<Row> {
    return this.#prepared(sql).iterate() as Iterable<Row>;
  }

  /** How many rows it changed. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepared(sql).run(...values).changes);
  }

  execute(sql: string): void {
    this.#connection.exec(sql);
  }

  /** IMMEDIATE: it holds the writer's lock from the start, so what it read still is true when it writes. */
  transaction<T>(work: () => T): T {
    this.#connection.exec('BEGIN IMMEDIATE');
    try {
      const value = work();
      this.#connection.exec('COMMIT');
      return value;
    } catch (error) {
      if (this.#connection.isTransaction) this.#connection.exec('ROLLBACK');
      throw error;
    }
  }

  close(): void {
    if (this.#connection.isOpen) this.#connection.close();
  }

  #prepared(sql: string): ReturnType<DatabaseSync['prepare']> {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = this.#connection.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

/** Brings the schema up to what this program knows; a sentence when the file asks for a newer program. */
export function migrate(database: Database): string | undefined {
  return database.transaction(() => {
    database.execute('CREATE TABLE IF NOT EXISTS schema (number INTEGER PRIMARY KEY, minimum_reader INTEGER NOT NULL) STRICT');
    const made = database.one<{ number: number | null; reader: number | null }>(
      'SELECT max(number) AS number, max(minimum_reader) AS reader FROM schema',
    );
    const reader = made?.reader ?? 0;
    const number = made?.number ?? 0;
    if (reader > knownSchema) return `it needs a program that knows its schema ${reader}; this one knows up to ${knownSchema}`;
    for (const migration of migrations.filter((candidate) => candidate.number > number)) {
      database.execute(migration.sql);
      database.run('INSERT INTO schema (number, minimum_reader) VALUES (?, ?)', migration.number, migration.minimumReader);
    }
    return undefined;
  });
}
