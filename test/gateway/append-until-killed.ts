import { writeSync } from 'node:fs';
import { inboxFilesIn } from '../../src/gateway/inbox-files.ts';
import { inboxNames } from '../../src/gateway/inbox-name.ts';
import { InboxWriter } from '../../src/gateway/inbox-writer.ts';
import { deliveryOf } from './inbox-fixture.ts';

/** Has 16 deliveries appended at any time, without end, and says each once it is acknowledged. Run by inbox-killed.test.ts. */
const [folder, round] = process.argv.slice(2);
const newName = inboxNames({ clock: () => new Date(), random: (characters) => String(round).padStart(characters, '0') });
const writer = new InboxWriter({ files: inboxFilesIn(folder!), newName, fileBytes: 100_000 });
let count = 0;

async function appendOn(): Promise<never> {
  for (;;) {
    count += 1;
    const id = `${round}-${count}`;
    const result = await writer.append(deliveryOf(id, 300 * (count % 40)));
    if (result.ok) writeSync(1, `${id}\n`);
  }
}
await Promise.all(Array.from({ length: 16 }, appendOn));
