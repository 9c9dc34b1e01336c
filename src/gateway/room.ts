type Asked = { bytes: number; grant: () => void };

/** `granted` resolves when there is room; `callOff` gives it back, or no longer waits for it. */
export type Place = { granted: Promise<void>; callOff: () => void };

/** Memory that many share. Who finds too little waits for others to give theirs back, in the order of asking. */
export class Room {
  #free: number;
  readonly #waiting: Asked[] = [];

  constructor(bytes: number) {
    this.#free = bytes;
  }

  take(bytes: number): Place {
    const { promise, resolve } = Promise.withResolvers<void>();
    const asked: Asked = { bytes, grant: resolve };
    this.#waiting.push(asked);
    this.#grant();
    return { granted: promise, callOff: () => this.#callOff(asked) };
  }

  give(bytes: number): void {
    this.#free += bytes;
    this.#grant();
  }

  #callOff(asked: Asked): void {
    const at = this.#waiting.indexOf(asked);
    if (at < 0) return this.give(asked.bytes);
    this.#waiting.splice(at, 1);
    this.#grant();
  }

  #grant(): void {
    for (let next = this.#waiting[0]; next && next.bytes <= this.#free; next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#free -= next.bytes;
      next.grant();
    }
  }
}
