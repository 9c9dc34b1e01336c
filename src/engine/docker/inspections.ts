import type { EngineEvent } from '../engine.ts';
import type { DockerClient } from './client.ts';
import { inspectContainer } from './containers.ts';
import type { InspectedContainer, ListedContainer } from './vendor.ts';

/**
 * What is known of each container, so that a controller that looks again and again asks only for what is new. Known is kept
 * only while the engine's events are heard: whatever happens to a container is one, and makes it be asked for again. The
 * listing, which is always fresh, says which are there and run.
 */
export class Inspections {
  readonly #client: DockerClient;
  readonly #known = new Map<string, InspectedContainer>();
  /** Questions that are under way, of containers of which no event came since. */
  readonly #asked = new Map<string, Promise<InspectedContainer | undefined>>();
  #heard = false;

  constructor(client: DockerClient) {
    this.#client = client;
  }

  async of({ Id, State }: ListedContainer): Promise<InspectedContainer | undefined> {
    const known = this.#known.get(Id);
    if (known?.State.Running && State === 'running') return known;
    return await (this.#asked.get(Id) ?? this.#ask(Id));
  }

  async #ask(id: string): Promise<InspectedContainer | undefined> {
    const question = inspectContainer(this.#client, id);
    if (!this.#heard) return await question;
    this.#asked.set(id, question);
    try {
      const container = await question;
      // An answer that an event has crossed may be older than the event.
      if (container && this.#asked.get(id) === question) this.#known.set(id, container);
      return container;
    } finally {
      if (this.#asked.get(id) === question) this.#asked.delete(id);
    }
  }

  /** What is known of the container with that name, without asking. */
  knownAs(name: string): InspectedContainer | undefined {
    return [...this.#known.values()].find(({ Name }) => Name === `/${name}`);
  }

  /** Forgets those that are not among these. */
  keepOnly(containers: ReadonlySet<string>): void {
    for (const container of this.#known.keys()) if (!containers.has(container)) this.#known.delete(container);
  }

  /** Passes the events on and learns from them. */
  async *listen(events: AsyncIterable<EngineEvent>): AsyncGenerator<EngineEvent> {
    try {
      for await (const event of events) {
        if (event.kind === 'resynchronise') this.#forgetAll();
        else this.#forget(event.container);
        this.#heard = true;
        yield event;
      }
    } finally {
      this.#heard = false;
      this.#forgetAll();
    }
  }

  #forget(container: string): void {
    this.#known.delete(container);
    this.#asked.delete(container);
  }

  #forgetAll(): void {
    this.#known.clear();
    this.#asked.clear();
  }
}
