type Reader<T> = { take: (value: T) => void; end: () => void };

/** Hands every value to all who read at the time. A reader that begins late sees nothing of before but `first`. */
export class Feed<T extends object> {
  readonly #readers = new Set<Reader<T>>();

  push(value: T): void {
    for (const reader of this.#readers) reader.take(value);
  }

  /** Readers end once they have read what was pushed. */
  end(): void {
    for (const reader of this.#readers) reader.end();
  }

  async *read(first: readonly T[], signal?: AbortSignal): AsyncGenerator<T, void, void> {
    const queue = [...first];
    let ended = false;
    let wake = (): void => {};
    const end = (): void => {
      ended = true;
      wake();
    };
    const take = (value: T): void => {
      queue.push(value);
      wake();
    };
    const reader: Reader<T> = { take, end };
    this.#readers.add(reader);
    signal?.addEventListener('abort', end, { once: true });
    try {
      while (!signal?.aborted) {
        const value = queue.shift();
        if (value !== undefined) yield value;
        else if (ended) return;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      this.#readers.delete(reader);
      signal?.removeEventListener('abort', end);
    }
  }
}
