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
  #heard = false;

  constructor(client: DockerClient) {
    this.#client = client;
  }

  async of({ Id, State }: ListedContainer): Promise<InspectedContainer | undefined> {
    const known = this.#known.get(Id);
    if (known?.State.Running && State === 'running') return known;
    const container = await inspectContainer(this.#client, Id);
    if (container && this.#heard) this.#known.set(Id, container);
    return container;
  }

  /** Forgets those that are not among these. */
  keepOnly(containers: ReadonlySet<string>): void {
    for (const container of this.#known.keys()) if (!containers.has(container)) this.#known.delete(container);
  }

  /** Passes the events on and learns from them. */
  async *listen(events: AsyncIterable<EngineEvent>): AsyncGenerator<EngineEvent> {
    try {
      for await (const event of events) {
        if (event.kind === 'resynchronise') this.#known.clear();
        else this.#known.delete(event.container);
        this.#heard = true;
        yield event;
      }
    } finally {
      this.#heard = false;
      this.#known.clear();
    }
  }
}
