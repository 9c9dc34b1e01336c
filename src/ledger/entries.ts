import { canonicalJson } from '../canonical-json.ts';
import { digestOf } from '../digest.ts';
import type { RecordedEvent } from '../events.ts';
import type { Database, Reading } from './database.ts';

type EntryRow = { id: number; at: string; type: string; release: string | null; body: string; previous: string; digest: string };

const start = '0'.repeat(64);

/** An entry's own digest, over all it holds and the digest of the one before. */
const digestOfEntry = ({ digest: _, ...entry }: EntryRow): string => digestOf(entry);

/** To be called in a transaction. `release`: that of the rollout in charge, for events that name none. */
export function appendEntry(database: Database, event: RecordedEvent, release: string | undefined): void {
  const last = database.one<{ id: number; digest: string }>('SELECT id, digest FROM entries ORDER BY id DESC LIMIT 1');
  const about = 'release' in event ? event.release : release;
  const entry = {
    id: (last?.id ?? 0) + 1,
    at: event.at,
    type: event.type,
    release: about ?? null,
    body: canonicalJson(event),
    previous: last?.digest ?? start,
    digest: '',
  };
  const { id, at, type, body, previous } = entry;
  database.run(
    'INSERT INTO entries (id, at, type, release, body, previous, digest) VALUES (?, ?, ?, ?, ?, ?, ?)',
    id,
    at,
    type,
    entry.release,
    body,
    previous,
    digestOfEntry(entry),
  );
}

/** `before`, `after`: numbers of entries, neither of them included; with `after` they come oldest first. */
export type EventFilter = { release?: string; type?: string; run?: string; before?: number; after?: number; limit: number };

export type NumberedEvent = { number: number; event: RecordedEvent };

export const readEvents = (database: Reading, filter: EventFilter): RecordedEvent[] =>
  numberedEvents(database, filter).map(({ event }) => event);

export function numberedEvents(database: Reading, filter: EventFilter): NumberedEvent[] {
  const { release, type, run, before, after, limit } = filter;
  const asked = [
    { sql: 'release = ?', value: release },
    { sql: 'type = ?', value: type },
    // In the words of its index, which is used for no others.
    { sql: `json_extract(body, '$.run') = ?`, value: run },
    { sql: 'id < ?', value: before },
    { sql: 'id > ?', value: after },
  ].flatMap(({ sql, value }) => (value === undefined ? [] : [{ sql, value }]));
  const where = asked.length === 0 ? '' : `WHERE ${asked.map(({ sql }) => sql).join(' AND ')}`;
  const rows = database.all<{ id: number; body: string }>(
    `SELECT id, body FROM entries ${where} ORDER BY id ${after === undefined ? 'DESC' : 'ASC'} LIMIT ?`,
    ...asked.map(({ value }) => value),
    limit,
  );
  return rows.map(({ id, body }) => ({ number: id, event: JSON.parse(body) as RecordedEvent }));
}

/** Number of the newest entry; 0 where there is none. */
export const lastEntry = (database: Reading): number => database.one<{ id: number | null }>('SELECT max(id) AS id FROM entries')?.id ?? 0;

/** Number of the first entry that breaks the chain. Entries cut off at the end leave no trace in what remains. */
export function firstBroken(database: Database): number | undefined {
  let previous = start;
  let expected = 1;
  for (const entry of database.each<EntryRow>('SELECT id, at, type, release, body, previous, digest FROM entries ORDER BY id')) {
    if (entry.id !== expected || entry.previous !== previous || entry.digest !== digestOfEntry({ ...entry })) return expected;
    previous = entry.digest;
    expected += 1;
  }
  return undefined;
}
