import { canonicalJson } from '../canonical-json.ts';
import type { ReleaseFacts } from '../release-facts.ts';
import type { Database, Reading } from './database.ts';

type Described = { release: string; environment: string; facts: ReleaseFacts };

export function describeRelease(database: Database, { release, environment, facts }: Described): void {
  const sql = 'INSERT INTO release_facts ("release", environment, facts) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET facts = ?3';
  database.run(sql, release, environment, canonicalJson(facts));
}

/** Undefined where its controller has not written any down. */
export function factsOf(database: Reading, { release, environment }: Omit<Described, 'facts'>): ReleaseFacts | undefined {
  const sql = 'SELECT facts FROM release_facts WHERE "release" = ? AND environment = ?';
  const row = database.one<{ facts: string }>(sql, release, environment);
  return row && (JSON.parse(row.facts) as ReleaseFacts);
}
