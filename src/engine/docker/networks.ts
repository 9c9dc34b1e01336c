import type { NetworkSpec } from '../engine.ts';
import { labels } from '../labels.ts';
import { networkDigest } from '../spec-digest.ts';
import type { DockerClient } from './client.ts';
import { hasStatus, Refusal } from './failure.ts';
import { hostSubnets } from './host.ts';
import { engineName, ofArchitecture, ownerLabels } from './names.ts';
import { freeSubnet, parseSubnet, subnetText, type Subnet } from './subnets.ts';
import type { VendorNetwork } from './vendor.ts';

export const listNetworks = (client: DockerClient, architecture?: string): Promise<VendorNetwork[]> =>
  client.json<VendorNetwork[]>({
    path: '/networks',
    query: { filters: architecture === undefined ? {} : { label: [ofArchitecture(architecture)] } },
  });

/** So many overlaps that only the engine knows of are likely none. */
const MOST_REFUSALS = 100;

/** Makes networks, each with a subnet of its own out of one pool. One for each engine and process: it knows what is being made. */
export class Networks {
  readonly #client: DockerClient;
  readonly #pool: Subnet;
  readonly #beingMade = new Set<Subnet>();
  readonly #ensuring = new Map<string, Promise<void>>();
  /** The engine said that these overlap something that neither its networks nor our routes show. */
  readonly #refused: Subnet[] = [];

  constructor(client: DockerClient, pool: Subnet) {
    this.#client = client;
    this.#pool = pool;
  }

  /** Of several who ask at once one makes it: the engine may make two of one name, and then takes neither by it. */
  async ensure(architecture: string, spec: NetworkSpec): Promise<void> {
    const name = engineName(architecture, spec.name);
    const before = this.#ensuring.get(name) ?? Promise.resolve();
    const ensured = before.then(
      () => this.#ensureNow(architecture, spec),
      () => this.#ensureNow(architecture, spec),
    );
    this.#ensuring.set(name, ensured);
    try {
      await ensured;
    } finally {
      if (this.#ensuring.get(name) === ensured) this.#ensuring.delete(name);
    }
  }

  async #ensureNow(architecture: string, spec: NetworkSpec): Promise<void> {
    const name = engineName(architecture, spec.name);
    const existing = await this.#find(name);
    if (existing?.Labels?.[labels.spec] === networkDigest(spec)) return;
    // One that has members answers 403: a network is never changed under them.
    if (existing) await this.#client.bytes({ method: 'DELETE', path: `/networks/${existing.Id}` });
    await this.#create(architecture, spec);
  }

  async remove(architecture: string, name: string): Promise<void> {
    await this.#client.did({ method: 'DELETE', path: `/networks/${engineName(architecture, name)}` }, 404);
  }

  async #create(architecture: string, spec: NetworkSpec): Promise<void> {
    for (;;) {
      const subnet = await this.#reserve(spec);
      try {
        const json = networkCreation(architecture, spec, subnet);
        await this.#client.bytes({ method: 'POST', path: '/networks/create', json });
        return;
      } catch (error) {
        if (hasStatus(error, 409)) return; // Another process made it between our look and now.
        if (!hasStatus(error, 403) || this.#refused.length >= MOST_REFUSALS) throw error;
        this.#refused.push(subnet);
      } finally {
        this.#beingMade.delete(subnet);
      }
    }
  }

  async #reserve(spec: NetworkSpec): Promise<Subnet> {
    const networks = await listNetworks(this.#client);
    const used = networks.flatMap(({ IPAM }) => (IPAM.Config ?? []).flatMap(({ Subnet: text }) => parseSubnet(text ?? '') ?? []));
    const subnet = freeSubnet(this.#pool, spec.hosts, [...used, ...hostSubnets(), ...this.#beingMade, ...this.#refused]);
    if (subnet === undefined) {
      const why = `${subnetText(this.#pool)} has no room for ${spec.hosts} members beside ${used.length} networks and the host's routes`;
      throw new Refusal({ code: 'ENGINE_REFUSED', what: `no subnet is free for network ${spec.name}`, why, next: 'docker network prune' });
    }
    this.#beingMade.add(subnet);
    return subnet;
  }

  async #find(name: string): Promise<VendorNetwork | undefined> {
    const found = await this.#client.json<VendorNetwork[]>({ path: '/networks', query: { filters: { name: [name] } } });
    return found.find((network) => network.Name === name); // The filter matches parts of names, too.
  }
}

export function networkCreation(architecture: string, spec: NetworkSpec, subnet: Subnet): object {
  return {
    Name: engineName(architecture, spec.name),
    CheckDuplicate: true,
    Driver: 'bridge',
    Internal: spec.internal,
    Options: spec.isolated ? { 'com.docker.network.bridge.enable_icc': 'false' } : {},
    IPAM: { Driver: 'default', Config: [{ Subnet: subnetText(subnet) }] },
    Labels: { ...ownerLabels(architecture, spec.owner), [labels.name]: spec.name, [labels.spec]: networkDigest(spec) },
  };
}
