import type { RecordedEvent } from '../events.ts';

/** An entry of the record. `digest`: its own, and so the same whoever reads it. */
export type LedgerEntry = { number: number; digest: string; event: RecordedEvent };

/** How far somebody has been told the record. `dropped`: how much of it never was, and that was not told yet. */
export type ChannelPlace = { told: number; dropped: number };

/** From where to where a place moves; `dropped`: what is then to be told as lost. */
export type ChannelMove = { from: number; to: number; dropped: number };

/**
 * What channels are told is the record itself: an event that is written down is a message that waits, and what was told of it is a
 * place in it. Only who is in charge moves one.
 */
export interface ChannelPlaces {
  /** Where the channel is; one that is new begins at the end of the record. Undefined when the token is not in charge. */
  open(token: number, channel: string): Promise<ChannelPlace | undefined>;
  /** Entries of these types that come after a number, oldest first. */
  after(number: number, filter: { types: readonly RecordedEvent['type'][]; limit: number }): Promise<LedgerEntry[]>;
  /** False when the token is not in charge, or the place is another by now: then it stays. */
  move(token: number, channel: string, move: ChannelMove): Promise<boolean>;
}
