import type { RecordedEvent } from '../events.ts';
import type { ChannelMove, ChannelPlace, ChannelPlaces, LedgerEntry } from './channel-places.ts';
import type { Database } from './database.ts';
import { rolloutInCharge } from './rollouts.ts';

type EntryRow = { id: number; digest: string; body: string };

/** Every method is one transaction, on disk before it resolves. */
export class SqliteChannelPlaces implements ChannelPlaces {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async open(token: number, channel: string): Promise<ChannelPlace | undefined> {
    const sql = `INSERT INTO channels (name, told) VALUES (?, (SELECT coalesce(max(id), 0) FROM entries)) ON CONFLICT (name) DO NOTHING`;
    return this.#database.transaction(() => {
      if (rolloutInCharge(this.#database)?.token !== token) return undefined;
      this.#database.run(sql, channel);
      const row = this.#database.one<ChannelPlace>('SELECT told, dropped FROM channels WHERE name = ?', channel);
      return row && { told: row.told, dropped: row.dropped };
    });
  }

  async after(number: number, { types, limit }: { types: readonly RecordedEvent['type'][]; limit: number }): Promise<LedgerEntry[]> {
    // One list as a value, so that the statement is prepared once.
    const sql = `SELECT id, digest, body FROM entries WHERE id > ? AND type IN (SELECT value FROM json_each(?)) ORDER BY id LIMIT ?`;
    const rows = this.#database.all<EntryRow>(sql, number, JSON.stringify(types), limit);
    return rows.map(({ id, digest, body }) => ({ number: id, digest, event: JSON.parse(body) as RecordedEvent }));
  }

  async move(token: number, channel: string, { from, to, dropped }: ChannelMove): Promise<boolean> {
    return this.#database.transaction(() => {
      if (rolloutInCharge(this.#database)?.token !== token) return false;
      const sql = 'UPDATE channels SET told = ?, dropped = ? WHERE name = ? AND told = ?';
      return this.#database.run(sql, to, dropped, channel, from) === 1;
    });
  }
}
