import type { ObjectReader } from './object-reader.ts';

export type FoundObject = { object: string; kind: 'blob' | 'tree' | 'commit' };

type Entries = ReadonlyMap<string, FoundObject>;

// Some 50 MB at most for folders of ordinary size; then it begins anew.
const KEPT_TREES = 20_000;

/**
 * Finds paths in trees that it reads folder by folder and remembers (an object never changes): git itself would unpack a
 * folder of 1,000 entries again for each of them, 0.36 ms a look-up against a few µs.
 */
export class TreeReader {
  readonly #objects: ObjectReader;
  readonly #trees = new Map<string, Promise<Entries | undefined>>();

  constructor(objects: ObjectReader) {
    this.#objects = objects;
  }

  /** The object at a path (`''`: the tree itself); undefined when there is none. */
  async find(tree: string, path: string): Promise<FoundObject | undefined> {
    let found: FoundObject = { object: tree, kind: 'tree' };
    if (path === '') return (await this.#entries(tree)) === undefined ? undefined : found;
    for (const name of path.split('/')) {
      const entry: FoundObject | undefined = found.kind === 'tree' ? (await this.#entries(found.object))?.get(name) : undefined;
      if (entry === undefined) return undefined;
      found = entry;
    }
    return found;
  }

  #entries(tree: string): Promise<Entries | undefined> {
    const known = this.#trees.get(tree);
    if (known !== undefined) return known;
    if (this.#trees.size >= KEPT_TREES) this.#trees.clear();
    const entries = this.#read(tree);
    this.#trees.set(tree, entries);
    return entries;
  }

  async #read(tree: string): Promise<Entries | undefined> {
    const { header, body } = await this.#objects.ask(tree);
    // What is not there now may be there later (a snapshot): not remembered.
    if (header?.kind !== 'tree') this.#trees.delete(tree);
    return header?.kind === 'tree' ? parseTree(body, header.object.length / 2) : undefined;
  }
}

// `<mode> <name>\0<the object's bytes>`, again and again.
function parseTree(body: Buffer, objectBytes: number): Entries {
  const entries = new Map<string, FoundObject>();
  for (let at = 0; at < body.length;) {
    const space = body.indexOf(0x20, at);
    const end = body.indexOf(0, space);
    const next = end + 1 + objectBytes;
    const mode = body.toString('latin1', at, space);
    const kind = mode === '40000' ? 'tree' : mode === '160000' ? 'commit' : 'blob';
    entries.set(body.toString('utf8', space + 1, end), { object: body.toString('hex', end + 1, next), kind });
    at = next;
  }
  return entries;
}
