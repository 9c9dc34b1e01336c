const hidden = '[secret]';

/** A value that nobody may see: printed, logged, joined to a text or made JSON it says `[secret]`. `reveal` is the one way to it. */
export class Secret {
  readonly #value: Uint8Array;

  constructor(value: Uint8Array | string) {
    this.#value = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  }

  reveal(): Uint8Array {
    return this.#value;
  }

  revealText(): string {
    return new TextDecoder().decode(this.#value);
  }

  toString(): string {
    return hidden;
  }

  toJSON(): string {
    return hidden;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return hidden;
  }
}
