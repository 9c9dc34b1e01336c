import type { Result } from '../../result.ts';
import type { LogLine, LogOptions, NetworkSpec } from '../engine.ts';
import type { BroughtArtifacts, JobSteps, JobStepName, JobStepSpec, ObservedJobStep, StepPlace } from '../job-steps.ts';
import { labels } from '../labels.ts';
import type { DockerClient } from './client.ts';
import { createContainer, inspectContainer, listContainers, removeContainer, signalContainer } from './containers.ts';
import { controllerSocket } from './controllers.ts';
import { attempt, Refusal } from './failure.ts';
import { startWithSecrets } from './instance-secrets.ts';
import { copyArtifact } from './job-artifacts.ts';
import { jobStepCreation, secretsMemberOf, secretsVolumeOf } from './job-creation.ts';
import { folderVolume, isOfJobs, jobsNetwork, jobStepNameOf, ofRole, placeName, stepName } from './job-names.ts';
import { makePlace, overfull } from './job-place.ts';
import { readLog } from './logs.ts';
import { engineName } from './names.ts';
import type { Networks } from './networks.ts';
import { firstEndpoint } from './slot-creation.ts';
import type { HostFacts } from './slot-memory.ts';
import { NEVER, type InspectedContainer } from './vendor.ts';
import { listVolumes, removeMemoryVolumes } from './volumes.ts';

/** So many steps at a time find room in the network of an architecture. */
const network: NetworkSpec = {
  name: jobsNetwork,
  owner: { kind: 'core', name: 'core' },
  internal: false,
  isolated: true,
  hosts: 250,
};

/** Steps of jobs as containers of Docker's, each in the network namespace of a place of its own. */
export class DockerJobs implements JobSteps {
  readonly #client: DockerClient;
  readonly #networks: Networks;

  readonly #host: () => Promise<HostFacts>;

  constructor(client: DockerClient, networks: Networks, host: () => Promise<HostFacts>) {
    this.#client = client;
    this.#networks = networks;
    this.#host = host;
  }

  prepare(architecture: string, spec: JobStepSpec, brought: readonly BroughtArtifacts[]): Promise<Result<string>> {
    return attempt(`step ${spec.step} of ${spec.run} could not be prepared`, async () => {
      const ran = await this.#discardUnstarted(architecture, spec);
      if (ran !== undefined) return ran;
      if (!spec.builder) await this.#networks.ensure(architecture, network);
      const place = await makePlace(this.#client, architecture, spec);
      const creation = jobStepCreation(architecture, spec, { place, socket: controllerSocket(this.#client) });
      const container = await createContainer(this.#client, engineName(architecture, stepName(spec)), creation);
      for (const { from, paths } of brought)
        for (const artifact of paths) {
          const source = engineName(architecture, stepName({ run: spec.run, step: from }));
          await copyArtifact(this.#client, { from: source, fromStep: from, to: container, artifact });
        }
      return container;
    });
  }

  start(architecture: string, { container, spec, values = {} }: Parameters<JobSteps['start']>[1]): Promise<Result<void>> {
    return attempt(`step ${spec.step} of ${spec.run} could not be started`, async () => {
      const found = await inspectContainer(this.#client, container);
      if (found === undefined) throw new Refusal({ code: 'ENGINE_REFUSED', what: `there is no container of step ${spec.step} any more` });
      if (found.State.StartedAt !== NEVER) return;
      const start = async (): Promise<void> => {
        await this.#client.bytes({ method: 'POST', path: `/containers/${container}/start`, long: true });
      };
      if (spec.secrets.length === 0) return start();
      const sandbox = await inspectContainer(this.#client, engineName(architecture, placeName(spec)));
      if (sandbox === undefined) throw new Refusal({ code: 'ENGINE_REFUSED', what: `the place of step ${spec.step} is gone` });
      const member = { client: this.#client, architecture, sandbox, volume: secretsVolumeOf(architecture, spec) };
      await startWithSecrets({ ...member, spec: secretsMemberOf(spec) }, values, start);
    });
  }

  forbid(architecture: string, name: JobStepName): Promise<Result<boolean>> {
    return attempt(`nobody could be kept from starting step ${name.step} of ${name.run}`, async () => {
      const found = await this.#forbid(architecture, name);
      return found === undefined || found.State.StartedAt === NEVER;
    });
  }

  where(architecture: string, name: JobStepName): Promise<Result<StepPlace | undefined>> {
    return attempt(`nobody could say where step ${name.step} of ${name.run} runs`, async () => {
      const [step, place, host] = await Promise.all([
        inspectContainer(this.#client, engineName(architecture, stepName(name))),
        inspectContainer(this.#client, engineName(architecture, placeName(name))),
        this.#host(),
      ]);
      const address = place && firstEndpoint(place)?.IPAddress;
      return step && { container: step.Id, ...(address && { address }), host };
    });
  }

  list(architecture: string): Promise<Result<readonly ObservedJobStep[]>> {
    return attempt(`the steps of ${architecture}'s jobs could not be listed`, async () => {
      const [steps, places] = await Promise.all([
        listContainers(this.#client, ofRole(architecture, 'job-step')),
        listContainers(this.#client, ofRole(architecture, 'job-place')),
      ]);
      const ended = await Promise.all(places.filter(({ State }) => State === 'exited').map(({ Id }) => inspectContainer(this.#client, Id)));
      const full = new Set(ended.filter((place) => place?.State.ExitCode === overfull).map((place) => place?.Name));
      const found = await Promise.all(steps.map(({ Id }) => inspectContainer(this.#client, Id)));
      return found
        .filter((container) => container !== undefined)
        .map((container) => observedStep(container, (name) => full.has(`/${engineName(architecture, placeName(name))}`)));
    });
  }

  signal(architecture: string, name: JobStepName, signal: 'SIGTERM' | 'SIGKILL'): Promise<Result<void>> {
    return attempt(`step ${name.step} of ${name.run} could not be told to end`, async () => {
      await signalContainer(this.#client, engineName(architecture, stepName(name)), signal);
    });
  }

  remove(architecture: string, name: JobStepName): Promise<Result<void>> {
    return attempt(`step ${name.step} of ${name.run} could not be removed`, () => this.#remove(architecture, name));
  }

  clear(architecture: string, { caches }: { caches: boolean }): Promise<Result<void>> {
    return attempt(`the jobs of ${architecture} could not be cleared away`, async () => {
      const parts = await Promise.all(
        (['job-step', 'job-place'] as const).map((role) => listContainers(this.#client, ofRole(architecture, role))),
      );
      const names = new Map(parts.flat().map((part) => [stepName(jobStepNameOf(part)), jobStepNameOf(part)]));
      // One by one: of many that leave a network at once, Docker 20.10 may count one for ever, and then keeps the network.
      for (const name of names.values()) await this.#remove(architecture, name);
      await this.#networks.remove(architecture, jobsNetwork);
      const volumes = await listVolumes(this.#client, architecture);
      const goes = volumes.filter(({ Labels }) => isOfJobs(Labels) && (caches || Labels?.[labels.role] !== 'job-cache'));
      await Promise.all(goes.map(({ Name }) => this.#client.did({ method: 'DELETE', path: `/volumes/${Name}` }, 404)));
    });
  }

  async *logs(architecture: string, name: JobStepName, options: LogOptions): AsyncGenerator<LogLine> {
    const container = await inspectContainer(this.#client, engineName(architecture, stepName(name)));
    if (container) yield* readLog(this.#client, container.Id, options);
  }

  /** Removes what was made of a step that has not run; the id of its container when it has. */
  async #discardUnstarted(architecture: string, name: JobStepName): Promise<string | undefined> {
    const found = await this.#forbid(architecture, name);
    if (found && found.State.StartedAt !== NEVER) return found.Id;
    await this.#remove(architecture, name);
    return undefined;
  }

  /**
   * Removes the place of a step that has not run: without it nobody can start the container, so one that has not started by then never
   * will, however late whoever made it tries.
   */
  async #forbid(architecture: string, name: JobStepName): Promise<InspectedContainer | undefined> {
    const found = await inspectContainer(this.#client, engineName(architecture, stepName(name)));
    if (found && found.State.StartedAt !== NEVER) return found;
    await removeContainer(this.#client, engineName(architecture, placeName(name)));
    return found && (await inspectContainer(this.#client, found.Id));
  }

  async #remove(architecture: string, name: JobStepName): Promise<void> {
    await removeContainer(this.#client, engineName(architecture, stepName(name)));
    await removeContainer(this.#client, engineName(architecture, placeName(name)));
    await this.#client.did({ method: 'DELETE', path: `/volumes/${folderVolume(architecture, name)}` }, 404);
    const volumes = await listVolumes(this.#client, architecture);
    await removeMemoryVolumes(
      this.#client,
      volumes.filter(({ Labels }) => Labels?.[labels.role] === 'once' && Labels[labels.name] === stepName(name)),
    );
  }
}

function observedStep(container: InspectedContainer, isFull: (name: JobStepName) => boolean): ObservedJobStep {
  const { Id, State, Config } = container;
  const name = jobStepNameOf(Config);
  const state = State.Running ? 'running' : State.StartedAt === NEVER ? 'created' : 'exited';
  const exceeded = State.OOMKilled ? ('memory' as const) : isFull(name) ? ('disk' as const) : undefined;
  return {
    ...name,
    job: Config.Labels?.[labels.job] ?? '',
    token: Number(Config.Labels?.[labels.token] ?? 0),
    container: Id,
    state,
    ...(State.StartedAt !== NEVER && { startedAt: State.StartedAt }),
    ...(state === 'exited' && { exitCode: State.ExitCode, endedAt: State.FinishedAt }),
    ...(exceeded && { exceeded }),
  };
}
