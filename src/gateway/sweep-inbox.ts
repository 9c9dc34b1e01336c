import type { InboxFiles } from './inbox-files.ts';
import { closedName, openName, parseInboxName } from './inbox-name.ts';
import { recordsAt, type Taken } from './inbox-reader.ts';
import { fileStart } from './record.ts';

/**
 * Closes the files of all other writers, so that those of the dead can be removed one day. One that lives finds it out before it
 * acknowledges anything more, and goes on in a new file.
 */
export async function closeOthers(files: InboxFiles): Promise<void> {
  for (const name of await files.names()) {
    const parsed = parseInboxName(name);
    // Its writer may have closed it meanwhile.
    if (parsed && !parsed.isClosed) await files.rename(openName(parsed.file), closedName(parsed.file)).catch(() => undefined);
  }
}

/** Removes closed files that were taken to their last whole record; gives how many. Nothing can be acknowledged in them any more. */
export async function removeTaken(files: InboxFiles, taken: Taken): Promise<number> {
  let removed = 0;
  for (const name of await files.names()) {
    const parsed = parseInboxName(name);
    if (!parsed?.isClosed) continue;
    const from = taken.get(parsed.file) ?? fileStart.length;
    const { deliveries } = await recordsAt(files, { name, from, chunkBytes: 64 * 1024 });
    if (deliveries.length > 0) continue;
    await files.remove(name);
    removed += 1;
  }
  return removed;
}
