import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { writeFileSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { knownSchema } from '../../src/ledger/migrations.ts';
import { openSqliteLedger } from '../../src/ledger/sqlite-ledger.ts';
import { claimBy, ledgerFile, lost, opened, releaseOf, standingBy } from './ledger-fixture.ts';

/** Reaches into the file as no program of ours would. */
function tamper(file: string, sql: string): void {
  const database = new DatabaseSync(file);
  database.exec('DROP TRIGGER entries_are_never_changed; DROP TRIGGER entries_are_never_deleted;');
  database.exec(sql);
  database.close();
}

async function fileWithEntries(test: TestContext): Promise<string> {
  const file = ledgerFile(test);
  const ledger = await opened(file);
  await ledger.append([lost('api-1'), lost('api-2')]);
  await ledger.append([lost('api-3')]);
  await ledger.close();
  return file;
}

async function brokenAt(file: string): Promise<number | undefined> {
  const ledger = await opened(file);
  const broken = await ledger.verifyChain();
  await ledger.close();
  return broken;
}

describe('the record', () => {
  it('gives back what was appended, newest first, after it was closed and opened', async (test) => {
    const ledger = await opened(await fileWithEntries(test));
    assert.deepEqual(await ledger.events({ limit: 2 }), [lost('api-3'), lost('api-2')]);
    assert.equal(await ledger.verifyChain(), undefined);
    await ledger.close();
  });

  it('appends several events whole or not at all', async (test) => {
    const ledger = await opened(ledgerFile(test));
    const unspeakable = { ...lost('api-2'), what: Number.NaN as unknown as string };
    await assert.rejects(ledger.append([lost('api-1'), unspeakable]));
    assert.deepEqual(await ledger.events({ limit: 9 }), []);
    await ledger.append([]);
    await ledger.close();
  });

  it('finds events by type and by release, also those that only happened under its rollout', async (test) => {
    const ledger = await opened(ledgerFile(test));
    await ledger.append([lost('before')]);
    await claimBy(ledger, 'a');
    await ledger.append([lost('during'), standingBy('b')]);
    assert.deepEqual(await ledger.events({ release: releaseOf('a'), limit: 9 }), [lost('during')]);
    assert.deepEqual(await ledger.events({ release: releaseOf('b'), limit: 9 }), [standingBy('b')]);
    assert.deepEqual(await ledger.events({ type: 'instance-lost', limit: 9 }), [lost('during'), lost('before')]);
    await ledger.close();
  });

  it('refuses to change or delete an entry', async (test) => {
    const file = await fileWithEntries(test);
    const database = new DatabaseSync(file);
    assert.throws(() => database.exec(`UPDATE entries SET type = 'evaluated'`), /never changed/);
    assert.throws(() => database.exec('DELETE FROM entries'), /never deleted/);
    database.close();
  });

  const tamperings = [
    { what: 'changed body', sql: `UPDATE entries SET body = replace(body, 'api-2', 'api-9')`, broken: 2 },
    { what: 'changed time', sql: `UPDATE entries SET at = '2020' WHERE id = 3`, broken: 3 },
    { what: 'changed release', sql: `UPDATE entries SET release = 'x' WHERE id = 1`, broken: 1 },
    { what: 'removed entry', sql: 'DELETE FROM entries WHERE id = 2', broken: 2 },
    { what: 'removed first entry', sql: 'DELETE FROM entries WHERE id = 1', broken: 1 },
    {
      what: 'removed entry whose successor takes its number',
      sql: 'DELETE FROM entries WHERE id = 2; UPDATE entries SET id = 2 WHERE id = 3',
      broken: 2,
    },
  ];
  for (const { what, sql, broken } of tamperings)
    it(`tells where the chain breaks after a ${what}`, async (test) => {
      const file = await fileWithEntries(test);
      tamper(file, sql);
      assert.equal(await brokenAt(file), broken);
    });
});

describe('the file', () => {
  it('is shared by two programs, whose entries make one chain', async (test) => {
    const file = ledgerFile(test);
    const [one, other] = [await opened(file), await opened(file)];
    for (const instance of ['api-1', 'api-2', 'api-3']) for (const ledger of [one, other]) await ledger.append([lost(instance)]);
    assert.equal(await one.verifyChain(), undefined);
    assert.equal((await other.events({ limit: 9 })).length, 6);
    assert.equal((await claimBy(one, 'a')).state, 'yours');
    assert.equal((await claimBy(other, 'b')).state, 'held');
    await one.close();
    await other.close();
  });

  it('of a newer program is worked on when that program allows it', async (test) => {
    const file = await fileWithEntries(test);
    alterSchema(file, `ALTER TABLE entries ADD COLUMN novelty TEXT; INSERT INTO schema VALUES (99, 1)`);
    const ledger = await opened(file);
    await ledger.append([lost('api-4')]);
    assert.equal((await ledger.events({ limit: 9 })).length, 4);
    await ledger.close();
  });

  it('of a newer program is refused with a sentence when that program does not allow it', async (test) => {
    const file = await fileWithEntries(test);
    alterSchema(file, 'INSERT INTO schema VALUES (99, 99)');
    const result = await openSqliteLedger(file);
    assert.ok(!result.ok);
    assert.match(
      `${result.problem.what}: ${result.problem.why}`,
      new RegExp(`newer than this program: it needs a program that knows its schema 99; this one knows up to ${knownSchema}`),
    );
  });

  it('that is no ledger is a problem, not a crash', async (test) => {
    const file = ledgerFile(test);
    writeFileSync(file, 'this is a diary, not a database '.repeat(100));
    const result = await openSqliteLedger(file);
    assert.match(result.ok ? '' : result.problem.what, /cannot be opened/);
  });
});

function alterSchema(file: string, sql: string): void {
  const database = new DatabaseSync(file);
  database.exec(sql);
  database.close();
}
