import { writeSync } from 'node:fs';
import { lost, opened } from './ledger-fixture.ts';

/** Appends without end, and says each instance name once its entry is acknowledged. Run by killed.test.ts. */
const [file, round] = process.argv.slice(2);
const ledger = await opened(file!);
for (let count = 0; ; count += 1) {
  await ledger.append([lost(`${round}-${count}`)]);
  writeSync(1, `${round}-${count}\n`);
}
