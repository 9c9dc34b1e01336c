import { readInstructions, type Directive, type Instruction } from './dockerfile-instructions.ts';
import { wordsOf, wordValue, type Lookup, type Word } from './dockerfile-words.ts';

/**
 * An image that comes from outside: in FROM, `COPY --from=` or `RUN --mount=from=`. `name` has its variables replaced and
 * is empty where they have no value. `start` and `end` are the name's place in the source.
 */
export type ImageReference = { name: string; line: number; column: number; start: number; end: number };

/** What variables a build gives beside the Dockerfile's own defaults. */
export type BuildValues = { arguments: Readonly<Record<string, string>>; platform: string };

type Stage = { names: Map<string, string | undefined>; name: string | undefined };

/** The images a Dockerfile takes from outside, in order; stages of its own and `scratch` are not among them. */
export function imageReferences(source: string, values: BuildValues): ImageReference[] {
  const reading = new Reading(source, values);
  for (const instruction of readInstructions(source).instructions) reading.take(instruction);
  return reading.references;
}

/**
 * The Dockerfile with every outside image replaced by what `pins` has for its name. `# syntax=` is taken out, because it
 * would fetch a builder nobody pinned. Lines keep their numbers. Throws when a name has no pin.
 */
export function pinDockerfile(source: string, values: BuildValues, pins: Readonly<Record<string, string>>): string {
  let pinned = source;
  for (const { name, start, end } of imageReferences(source, values).toReversed()) {
    const pin = pins[name];
    if (pin === undefined) throw new Error(`no pin for the image ${JSON.stringify(name)}`);
    pinned = pinned.slice(0, start) + pin + pinned.slice(end);
  }
  return withoutSyntax(pinned, readInstructions(source).directives);
}

/** Only the first lines can be directives, so the one that stays moves up. */
function withoutSyntax(source: string, directives: readonly Directive[]): string {
  if (!directives.some(({ name }) => name === 'syntax')) return source;
  const escape = directives.find(({ name }) => name === 'escape');
  const rest = source.split('\n').slice(directives.length);
  const head = directives.map((_, index) => (index === 0 && escape !== undefined ? `# escape=${escape.value}` : '#'));
  return [...head, ...rest].join('\n');
}

/** Follows a Dockerfile from top to bottom, as BuildKit does: which variables and which stages there are by then. */
class Reading {
  readonly references: ImageReference[] = [];
  readonly #globals = new Map<string, string | undefined>();
  readonly #stages: Stage[] = [];
  readonly #source: string;
  readonly #values: BuildValues;

  constructor(source: string, values: BuildValues) {
    this.#source = source;
    this.#values = values;
  }

  take(instruction: Instruction): void {
    const words = wordsOf(instruction);
    if (instruction.keyword === 'ARG') this.#declare(words);
    if (instruction.keyword === 'FROM') this.#enter(instruction, words);
    if (instruction.keyword === 'COPY') this.#copy(instruction, words);
    if (instruction.keyword === 'RUN') this.#run(instruction, words);
  }

  #declare(words: readonly Word[]): void {
    const scope = this.#stages.at(-1)?.names ?? this.#globals;
    for (const { text } of words) {
      const equals = text.indexOf('=');
      const name = equals < 0 ? text : text.slice(0, equals);
      const fallback = equals < 0 ? this.#globals.get(name) : wordValue(text.slice(equals + 1), this.#lookup(scope));
      scope.set(name, this.#values.arguments[name] ?? fallback);
    }
  }

  #enter(instruction: Instruction, words: readonly Word[]): void {
    const [image, as, name] = words.filter(({ text }) => !text.startsWith('--'));
    if (image !== undefined) {
      const value = wordValue(image.text, this.#lookup(this.#globals));
      if (value !== 'scratch' && this.#stageNamed(value) === undefined) this.#add(instruction, { ...image, value });
    }
    this.#stages.push({ names: new Map(), name: as?.text.toUpperCase() === 'AS' ? name?.text.toLowerCase() : undefined });
  }

  #copy(instruction: Instruction, words: readonly Word[]): void {
    for (const word of leadingFlags(words)) {
      const flag = '--from=';
      if (word.text.startsWith(flag)) this.#addUnlessStage(instruction, { text: word.text.slice(flag.length), at: word.at + flag.length });
    }
  }

  #run(instruction: Instruction, words: readonly Word[]): void {
    for (const word of leadingFlags(words)) {
      if (!word.text.startsWith('--mount=')) continue;
      const from = /(?<=[=,"])from=([^,"]*)/.exec(word.text);
      if (from?.[1] !== undefined) this.#addUnlessStage(instruction, { text: from[1], at: word.at + from.index + 'from='.length });
    }
  }

  #addUnlessStage(instruction: Instruction, word: Word): void {
    const value = wordValue(word.text, this.#lookup(this.#stages.at(-1)?.names ?? this.#globals));
    const isStage = this.#stageNamed(value) !== undefined || (/^\d+$/.test(value) && Number(value) < this.#stages.length);
    if (!isStage && value !== 'scratch') this.#add(instruction, { ...word, value });
  }

  #add({ offsets }: Instruction, { text, at, value }: Word & { value: string }): void {
    const start = offsets[at] ?? 0;
    const end = (offsets[at + text.length - 1] ?? start) + 1;
    const before = this.#source.slice(0, start);
    this.references.push({ name: value, line: before.split('\n').length, column: start - before.lastIndexOf('\n'), start, end });
  }

  #stageNamed = (name: string): Stage | undefined => this.#stages.find((stage) => stage.name === name.toLowerCase());

  #lookup(scope: ReadonlyMap<string, string | undefined>): Lookup {
    const [os, architecture, variant] = this.#values.platform.split('/');
    const given: Record<string, string | undefined> = {};
    for (const side of ['TARGET', 'BUILD']) {
      Object.assign(given, {
        [`${side}PLATFORM`]: this.#values.platform,
        [`${side}OS`]: os,
        [`${side}ARCH`]: architecture,
        [`${side}VARIANT`]: variant,
      });
    }
    return (name) => (scope.has(name) ? (scope.get(name) ?? given[name]) : given[name]);
  }
}

/** Flags come before everything else. */
function leadingFlags(words: readonly Word[]): Word[] {
  const end = words.findIndex(({ text }) => !text.startsWith('--'));
  return words.slice(0, end < 0 ? words.length : end);
}
