import { readInboxTaken } from '../../src/ledger/read-only-ledger.ts';

/** Says what a user who may only read the ledger is told. Run by read-only-ledger.test.ts. */
const taken = readInboxTaken(process.argv[2]!);
process.stdout.write(JSON.stringify(taken && [...taken]) ?? 'nothing');
