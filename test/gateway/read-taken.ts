/** Says how far the inbox was taken, each time it is asked on standard input, of the ledger it is given. */
import { createInterface } from 'node:readline';
import { inboxTaken } from '../../src/ledger/deliveries.ts';
import { LedgerReader } from '../../src/ledger/ledger-reader.ts';

const reader = new LedgerReader(process.argv[2] ?? '');
for await (const _ of createInterface({ input: process.stdin })) {
  const taken = reader.read(inboxTaken);
  console.log(taken === undefined ? 'nothing' : JSON.stringify([...taken]));
}
