import { canonicalJson } from '../canonical-json.ts';
import { digestOf } from '../digest.ts';
import type { RecordedEvent } from '../events.ts';
import type { Database } from './database.ts';

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

export function readEvents(database: Database, filter: { release?: string; type?: string; limit: number }): RecordedEvent[] {
  const rows = database.all<{ body: string }>(
    'SELECT body FROM entries WHERE (?1 IS NULL OR release = ?1) AND (?2 IS NULL OR type = ?2) ORDER BY id DESC LIMIT ?3',
    filter.release ?? null,
    filter.type ?? null,
    filter.limit,
  );
  return rows.map(({ body }) => JSON.parse(body) as RecordedEvent);
}

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
