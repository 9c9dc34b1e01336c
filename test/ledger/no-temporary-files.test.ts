import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Database } from '../../src/ledger/database.ts';
import { ledgerFile, opened } from './ledger-fixture.ts';

// Where controllers and gateways run there is no folder for them: a batch of some hundred deliveries beside thousands ended in "disk I/O error".
test('what long transactions need beside the file is in memory', async (context) => {
  const file = ledgerFile(context);
  const ledger = await opened(file);
  context.after(() => ledger.close());
  for (const database of [Database.forWriting(file), Database.forReading(file)]) {
    assert.equal(database.one<{ temp_store: number }>('PRAGMA temp_store')?.temp_store, 2);
    database.close();
  }
});
