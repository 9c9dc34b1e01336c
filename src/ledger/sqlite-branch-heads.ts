import type { BranchHeads, NewestPush } from './branch-heads.ts';
import type { Database } from './database.ts';
import { rolloutInCharge } from './rollouts.ts';

/** Says that a repository was looked at, also when it had no branch. */
const lookedAt = '';

/** Every method is one transaction, on disk before it resolves. */
export class SqliteBranchHeads implements BranchHeads {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async noted(repository: string): Promise<ReadonlyMap<string, string> | undefined> {
    const sql = 'SELECT branch, head FROM branch_heads WHERE repository = ?';
    const rows = this.#database.all<{ branch: string; head: string }>(sql, repository.toLowerCase());
    if (rows.length === 0) return undefined;
    return new Map(rows.filter(({ branch }) => branch !== lookedAt).map(({ branch, head }) => [branch, head]));
  }

  async note(token: number, repository: string, heads: ReadonlyMap<string, string | undefined>): Promise<boolean> {
    const set = 'INSERT INTO branch_heads (repository, branch, head) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET head = ?3';
    const name = repository.toLowerCase();
    return this.#database.transaction(() => {
      if (rolloutInCharge(this.#database)?.token !== token) return false;
      this.#database.run(set, name, lookedAt, '');
      for (const [branch, head] of heads)
        if (head === undefined) this.#database.run('DELETE FROM branch_heads WHERE repository = ? AND branch = ?', name, branch);
        else this.#database.run(set, name, branch, head);
      return true;
    });
  }

  async newestPush(repository: string, branch: string): Promise<NewestPush | undefined> {
    const sql = `SELECT number, "after" FROM deliveries
      WHERE lower(repository) = ? AND branch = ? AND kind = 'push' ORDER BY number DESC LIMIT 1`;
    const row = this.#database.one<{ number: number; after: string | null }>(sql, repository.toLowerCase(), branch);
    return row && { number: row.number, ...(row.after !== null && { after: row.after }) };
  }
}
