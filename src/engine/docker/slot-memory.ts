import type { SlotFacts } from '../engine.ts';
import type { DockerClient } from './client.ts';
import { createContainer, putArchive, removeContainer, startContainer } from './containers.ts';
import { factsLabel, firstEndpoint, memoryPath, holderCreation } from './slot-creation.ts';
import { tar } from './tar.ts';
import type { InspectedContainer } from './vendor.ts';

export type HostFacts = { name: string; address: string };

const FACTS_FILE = 'instance.json';

/** Fills the memory of slots, and knows which ones need no second look. One for each engine and process. */
export class SlotMemory {
  readonly #client: DockerClient;
  readonly #host: () => Promise<HostFacts>;
  /** By name of a slot: the last sandbox that we made for it, and the engine's life in which we did. In that life it holds its memory. */
  readonly #made = new Map<string, { sandbox: string; life: number }>();

  constructor(client: DockerClient, host: () => Promise<HostFacts>) {
    this.#client = client;
    this.#host = host;
  }

  /** Copies the slot's facts through a container that never starts. */
  async fill(sandbox: InspectedContainer, filler: string): Promise<void> {
    const { engineLife } = this.#client;
    const facts = JSON.parse(sandbox.Config.Labels?.[factsLabel] ?? '{}') as SlotFacts;
    const { instance, app, service } = facts;
    const address = firstEndpoint(sandbox)?.IPAddress ?? '';
    const contents = `${JSON.stringify({ instance, app, service, address, host: await this.#host() })}\n`;
    const archive = await tar([{ path: FACTS_FILE, mode: 0o444, contents }]);
    await putArchive(this.#client, filler, { folder: memoryPath, archive });
    this.#made.set(sandbox.Name, { sandbox: sandbox.Id, life: engineLife });
  }

  /**
   * Starts a member that finds the memory filled. An engine that restarts under running containers (live-restore)
   * unmounts such volumes on its side: who runs keeps the memory, who starts later gets a fresh and empty one, which lasts
   * as long as one of those runs (tried on 20.10.24). So it is looked at, and where it is empty, held and filled again.
   */
  async startFilled(architecture: string, sandbox: InspectedContainer, member: string): Promise<void> {
    const made = this.#made.get(sandbox.Name);
    const isHeld = made?.sandbox === sandbox.Id && made.life === this.#client.engineLife;
    if (isHeld || (await this.#findsFacts(member))) return startContainer(this.#client, member);
    // Without a name: the one that is named after the slot would say that it is not ready.
    const holder = await createContainer(this.#client, '', holderCreation(architecture, sandbox));
    try {
      await startContainer(this.#client, holder);
      await this.fill(sandbox, holder);
      this.#made.delete(sandbox.Name);
      await startContainer(this.#client, member);
    } finally {
      await removeContainer(this.#client, holder);
    }
  }

  /** Asks for its state, not for the file: reading that would count as a touch of the member. */
  #findsFacts(member: string): Promise<boolean> {
    const query = { path: `${memoryPath}/${FACTS_FILE}` };
    return this.#client.did({ method: 'HEAD', path: `/containers/${member}/archive`, query }, 404);
  }
}
