import type { Ledger } from './ledger.ts';
import { openSqliteLedger, type LedgerOptions } from './sqlite-ledger.ts';

/** The same ledger without a file. Closing keeps it, as a file would be kept: the next controller of a test reads it. */
export async function openMemoryLedger(options: LedgerOptions = {}): Promise<Ledger> {
  const opened = await openSqliteLedger(':memory:', options);
  if (!opened.ok) throw new Error(opened.problem.why);
  const ledger = opened.value;
  ledger.close = async () => {};
  return ledger;
}
