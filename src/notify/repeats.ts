import type { RecordedEvent } from '../events.ts';
import type { LedgerEntry } from '../ledger/channel-places.ts';

/** How long the same loss is not told again: what dies as often as it is restored would say nothing else. */
const quietMs = 600_000;

const remembered = 2000;

/** Remembers what was told, so that what goes on is told once. Says the same of an entry whenever it is asked. */
export class Repeats {
  /** When the loss of each instance was told last. */
  readonly #told = new Map<string, string>();
  readonly #decided = new Map<number, boolean>();

  isOne({ number, event }: LedgerEntry): boolean {
    const key = keyOf(event);
    if (key === undefined) return false;
    const decided = this.#decided.get(number) ?? this.#decide(key, event.at);
    this.#decided.set(number, decided);
    const [oldest] = this.#decided.keys();
    if (oldest !== undefined && this.#decided.size > remembered) this.#decided.delete(oldest);
    return decided;
  }

  #decide(key: string, at: string): boolean {
    const told = this.#told.get(key);
    const isRepeat = told !== undefined && Date.parse(at) - Date.parse(told) < quietMs;
    if (!isRepeat) this.#told.set(key, at);
    return isRepeat;
  }
}

const keyOf = (event: RecordedEvent): string | undefined =>
  event.type === 'instance-lost' ? `${event.unit.kind} ${event.unit.name} ${event.instance}` : undefined;
