import type { BodyId } from '../../digest.ts';
import { failed, type Result } from '../../result.ts';
import type {
  ControllerSpec,
  Engine,
  EngineCapabilities,
  EngineEvent,
  InstanceDifference,
  InstanceSpec,
  InstanceUsage,
  LogLine,
  LogOptions,
  NetworkSpec,
  Observation,
  ObservedController,
  ObservedRequest,
  PathPhase,
  PublishedPort,
  SecretValues,
  SlotSpec,
  VolumeCopy,
  VolumeSpec,
} from '../engine.ts';
import { defaultAddress, dockerAddress } from './address.ts';
import { DockerClient } from './client.ts';
import { findContainer, inspectContainer, signalContainer } from './containers.ts';
import { controllerCommand, controllerSocket, removeController, startController } from './controllers.ts';
import { DockerJobs } from './docker-jobs.ts';
import { DockerImages } from './docker-images.ts';
import { attempt, Refusal } from './failure.ts';
import { hostAddress } from './host.ts';
import { keepKeys } from './identity.ts';
import { Inspections } from './inspections.ts';
import { inspectInstances } from './inspection.ts';
import { removeInstance, startInstance } from './instances.ts';
import { readLog } from './logs.ts';
import { engineName } from './names.ts';
import { Networks } from './networks.ts';
import { architectures, controllers, observe } from './observe.ts';
import { PathPhases } from './paths.ts';
import { portHolder } from './ports.ts';
import { ask, requests, takeRequest } from './requests.ts';
import { SlotMemory, type HostFacts } from './slot-memory.ts';
import { ensureSlot, removeSlot, type Slots } from './slots.ts';
import { defaultSubnetPool, parseSubnet } from './subnets.ts';
import { usage } from './usage.ts';
import { copyVolume, ensureVolume, noteBody, removeVolume } from './volumes.ts';
import { watch } from './watch.ts';

/** `host`: `unix://…` or `tcp://…` (DOCKER_HOST when not given). `subnetPool`: where networks take their addresses from. */
export type DockerEngineOptions = { host?: string; subnetPool?: string };

/** Connects on first use. Throws only on options that cannot be read. */
export function openDockerEngine(options: DockerEngineOptions = {}): DockerEngine {
  const host = options.host ?? defaultAddress();
  const address = dockerAddress(host);
  if (address === undefined) throw new TypeError(`not the address of an engine: ${host} (expected unix://<socket> or tcp://<host>:<port>)`);
  const pool = parseSubnet(options.subnetPool ?? defaultSubnetPool);
  if (pool === undefined) throw new TypeError(`not a pool of subnets: ${options.subnetPool} (expected 10.208.0.0/14)`);
  const client = new DockerClient(address);
  return new DockerEngine(client, new Networks(client, pool));
}

/** Docker Engine as the engine: slots are sandboxes, instances are containers in their network namespace. */
export class DockerEngine implements Engine {
  readonly capabilities: EngineCapabilities = { name: 'Docker Engine', socketHandover: true, microLayers: true };
  readonly images: DockerImages;
  readonly jobs: DockerJobs;
  readonly #client: DockerClient;
  readonly #networks: Networks;
  readonly #phases: PathPhases;
  readonly #inspections: Inspections;
  readonly #slots: Slots;
  #host: Promise<HostFacts> | undefined;

  constructor(client: DockerClient, networks: Networks) {
    this.#client = client;
    this.#networks = networks;
    this.#phases = new PathPhases(client);
    this.#inspections = new Inspections(client);
    this.#slots = { client, memory: new SlotMemory(client, () => this.#hostFacts()), inspections: this.#inspections };
    this.images = new DockerImages(client);
    this.jobs = new DockerJobs(client, networks, () => this.#hostFacts());
  }

  describe(): Promise<Result<{ version: string; host: string; platform: string }>> {
    return attempt('the engine would not say what it is', async () => {
      const version = await this.#client.json<{ Version: string; Os: string; Arch: string }>({ path: '/version' });
      const { name } = await this.#hostFacts();
      return { version: version.Version, host: name, platform: `${version.Os}/${version.Arch}` };
    });
  }

  observe(architecture: string): Promise<Result<Observation>> {
    return attempt(`${architecture} could not be observed`, () =>
      observe({ client: this.#client, phases: this.#phases, inspections: this.#inspections }, architecture),
    );
  }

  controllers(architecture: string): Promise<Result<readonly ObservedController[]>> {
    return attempt(`the controllers of ${architecture} could not be listed`, () => controllers(this.#client, architecture));
  }

  requests(architecture: string): Promise<Result<readonly ObservedRequest[]>> {
    return attempt(`the requests of ${architecture} could not be listed`, () => requests(this.#client, architecture));
  }

  usage(architecture: string): Promise<Result<InstanceUsage[]>> {
    return attempt(`what ${architecture} uses could not be read`, () => usage(this.#client, architecture));
  }

  architectures(): Promise<Result<string[]>> {
    return attempt('architectures could not be listed', () => architectures(this.#client));
  }

  ensureNetwork(architecture: string, spec: NetworkSpec): Promise<Result<void>> {
    return attempt(`network ${spec.name} could not be made`, () => this.#networks.ensure(architecture, spec));
  }

  removeNetwork(architecture: string, name: string): Promise<Result<void>> {
    return attempt(`network ${name} could not be removed`, () => this.#networks.remove(architecture, name));
  }

  ensureVolume(architecture: string, spec: VolumeSpec): Promise<Result<void>> {
    return attempt(`volume ${spec.name} could not be made`, () => ensureVolume(this.#client, architecture, spec));
  }

  removeVolume(architecture: string, name: string): Promise<Result<void>> {
    return attempt(`volume ${name} could not be removed`, () => removeVolume(this.#client, architecture, name));
  }

  copyVolume(architecture: string, copy: VolumeCopy): Promise<Result<void>> {
    return attempt(`volume ${copy.from} could not be copied`, () => copyVolume(this.#client, architecture, copy));
  }

  noteBody(architecture: string, volume: VolumeSpec, body: BodyId): Promise<Result<void>> {
    return attempt(`nothing could be noted of volume ${volume.name}`, () => noteBody(this.#client, architecture, { volume, body }));
  }

  ensureSlot(architecture: string, spec: SlotSpec): Promise<Result<void>> {
    return attempt(`slot ${spec.name} could not be made`, () => ensureSlot(this.#slots, architecture, spec));
  }

  removeSlot(architecture: string, name: string): Promise<Result<void>> {
    return attempt(`slot ${name} could not be removed`, () => removeSlot(this.#client, architecture, name));
  }

  startInstance(architecture: string, spec: InstanceSpec, values: SecretValues = {}): Promise<Result<void>> {
    return attempt(`${spec.name} could not be started`, () => startInstance(this.#slots, architecture, { spec, values }));
  }

  removeInstance(architecture: string, name: string, container?: string): Promise<Result<void>> {
    return attempt(`${name} could not be removed`, () => removeInstance(this.#client, architecture, { name, container }));
  }

  async awaitHealthy(architecture: string, name: string, limitMs: number): Promise<Result<void, { phase: PathPhase; ended: boolean }>> {
    // An engine that went away is not an answer; to the waiting it is a path that has ended.
    const waited = await attempt(`${name} could not be watched`, async () =>
      this.#phases.awaitHealthy(await this.#containerOf(architecture, name), limitMs),
    );
    if (!waited.ok) return failed({ phase: { phase: 'starting' }, ended: true });
    const { phase, reached, ended } = waited.value;
    return reached ? { ok: true, value: undefined } : failed({ phase, ended });
  }

  holdPath(architecture: string, name: string): Promise<Result<void>> {
    return attempt(`${name} could not be told to hold`, async () => this.#phases.hold(await this.#containerOf(architecture, name)));
  }

  promotePath(architecture: string, name: string): Promise<Result<void>> {
    return attempt(`${name} could not be promoted`, async () => this.#phases.promote(await this.#containerOf(architecture, name)));
  }

  drainPath(architecture: string, name: string): Promise<Result<void>> {
    return attempt(`${name} could not be drained`, async () => {
      const container = await inspectContainer(this.#client, engineName(architecture, name));
      if (container) await this.#phases.drain(container.Id);
    });
  }

  signalInstance(architecture: string, name: string, signal: string): Promise<Result<void>> {
    return attempt(`${name} could not be signalled`, async () => {
      await signalContainer(this.#client, engineName(architecture, name), signal);
    });
  }

  keepKeys(architecture: string, kept: Parameters<Engine['keepKeys']>[1]): Promise<Result<void>> {
    return attempt('the keys to secrets could not be kept', () => keepKeys(this.#client, architecture, kept));
  }

  startController(architecture: string, spec: ControllerSpec): Promise<Result<string>> {
    return attempt(`controller ${spec.name} could not be started`, () => startController(this.#client, architecture, spec));
  }

  removeController(architecture: string, name: string): Promise<Result<void>> {
    return attempt(`controller ${name} could not be removed`, () => removeController(this.#client, architecture, name));
  }

  ask(architecture: string, asked: Parameters<Engine['ask']>[1]): Promise<Result<void>> {
    return attempt(`request ${asked.name} could not be made`, () => ask(this.#client, architecture, asked));
  }

  takeRequest(architecture: string, name: string): Promise<Result<void>> {
    return attempt(`request ${name} could not be taken`, () => takeRequest(this.#client, architecture, name));
  }

  controllerCommand(architecture: string, spec: ControllerSpec, imageTag: string): string {
    return controllerCommand(architecture, { spec, socket: controllerSocket(this.#client) }, imageTag);
  }

  watch(architecture: string, signal: AbortSignal): AsyncIterable<EngineEvent> {
    return this.#inspections.listen(watch(this.#client, architecture, signal));
  }

  async *logs(architecture: string, name: string, options: LogOptions): AsyncGenerator<LogLine> {
    const container = await findContainer(this.#client, architecture, name);
    if (container) yield* readLog(this.#client, container.Id, options);
  }

  inspectInstances(architecture: string): Promise<Result<InstanceDifference[]>> {
    return attempt(`${architecture} could not be inspected`, () => inspectInstances(this.#client, architecture));
  }

  portHolder(port: PublishedPort): Promise<string | undefined> {
    return portHolder(this.#client, port);
  }

  async #containerOf(architecture: string, name: string): Promise<string> {
    const container = await inspectContainer(this.#client, engineName(architecture, name));
    if (container) return container.Id;
    throw new Refusal({ code: 'ENGINE_REFUSED', what: `there is no ${name} in ${architecture}` });
  }

  async #hostFacts(): Promise<HostFacts> {
    const { address } = this.#client;
    // Reached over the network, the engine's host has the address we reach it by.
    const outside = 'host' in address ? address.host : hostAddress();
    this.#host ??= this.#client.json<{ Name: string }>({ path: '/info' }).then(({ Name }) => ({ name: Name, address: outside }));
    return this.#host.catch((error: unknown) => {
      this.#host = undefined;
      throw error;
    });
  }
}
