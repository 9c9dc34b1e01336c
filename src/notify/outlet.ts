import type { RecordedEvent } from '../events.ts';
import type { LedgerEntry } from '../ledger/channel-places.ts';

/** What came of a message. `later`: it was not taken, and not before `afterMs` will it be; `refused`: by its own fault. */
export type Sent = { state: 'taken' } | { state: 'later'; why: string; afterMs?: number } | { state: 'refused'; why: string };

/** What it is sent with. `dropped`: how many before it nobody was told. `now`: the time. */
export type Sending = { dropped: number; now: Date; signal: AbortSignal };

/** A message. `number`: of the entry it tells of; when it was sent, all entries up to that one are done with. */
export type Letter = { number: number; send: (sending: Sending) => Promise<Sent> };

/** Where messages go to, in the order of the record. */
export type Outlet = {
  /** Of its place in the ledger. */
  name: string;
  /** Events it may tell of. */
  types: readonly RecordedEvent['type'][];
  /** The messages about these entries, in order. Gives the same for the same entries again. */
  letters: (entries: readonly LedgerEntry[]) => Letter[];
  /** At least so long after each message. */
  paceMs?: number;
};
