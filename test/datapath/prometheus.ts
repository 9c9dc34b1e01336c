import parse from 'parse-prometheus-text-format';

type Sample = { name: string; labels: Readonly<Record<string, string>>; value: number };

/** A page in Prometheus' text format, read by a parser of that format. */
export class Page {
  /** Of each family: counter, gauge, histogram. */
  readonly kinds: Readonly<Record<string, string>>;
  readonly #samples: readonly Sample[];

  constructor(text: string) {
    this.kinds = Object.fromEntries(parse(text).map(({ name, type }) => [name, type.toLowerCase()]));
    // The parser makes one of all histograms of a family, so their samples are read as what they are, too.
    const plain = parse(text.replaceAll(/^(# TYPE \S+) histogram$/gm, '$1 untyped'));
    this.#samples = plain.flatMap(({ name, metrics }) => metrics.map(({ labels = {}, value }) => ({ name, labels, value: Number(value) })));
  }

  /** The one sample that has all these labels. */
  value(name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
    const found = this.#samples.filter(
      (sample) => sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
    );
    if (found.length > 1) throw new Error(`${found.length} samples of ${name} have ${JSON.stringify(labels)}`);
    return found[0]?.value;
  }

  /** Samples that say the same twice; there may be none. */
  get repeated(): readonly Sample[] {
    const texts = this.#samples.map(({ name, labels }) =>
      [name, ...Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`)].toSorted().join(),
    );
    return this.#samples.filter((_, index) => texts.indexOf(texts[index] ?? '') !== index);
  }
}
