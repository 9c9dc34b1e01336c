import type { ChangelessEvent, RecordedEvent, Report } from '../events.ts';
import type { Ledger } from '../ledger/ledger.ts';

/** Where the controller's events go: its own output at once, the ledger in order behind it. */
export type Journal = { report: Report; flush(): Promise<void> };

/** Said, but not kept: they come often and mean nothing later. */
const passing: ReadonlySet<ChangelessEvent['type']> = new Set([
  'health-waiting',
  'drain-waiting',
  'controller-standing-by',
  'controller-started',
  'rollout-waiting',
]);

/** `onWritten`: called when events have come to the ledger. */
export type Surroundings = { clock: () => Date; onWritten: () => void };

/** `print` gets each event as it happens. Ledger entries follow in the background; `flush` waits for them. */
export function openJournal(ledger: Ledger, print: (event: RecordedEvent) => void, { clock, onWritten }: Surroundings): Journal {
  const waiting: RecordedEvent[] = [];
  let writing: Promise<void> = Promise.resolve();
  const write = async (): Promise<void> => {
    const events = waiting.splice(0);
    if (events.length === 0) return;
    await ledger.append(events);
    onWritten();
  };
  return {
    report(event) {
      const recorded = { ...event, at: clock().toISOString() };
      print(recorded);
      if (passing.has(event.type)) return;
      waiting.push(recorded);
      writing = writing.then(write);
    },
    async flush() {
      await writing;
      await write();
    },
  };
}
