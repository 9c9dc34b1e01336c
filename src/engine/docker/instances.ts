import type { InstanceSpec } from '../engine.ts';
import { labels } from '../labels.ts';
import type { DockerClient } from './client.ts';
import { createOrKeep, inspectContainer, removeContainer } from './containers.ts';
import { Refusal } from './failure.ts';
import { instanceCreation } from './instance-creation.ts';
import { engineName, memoryName } from './names.ts';
import { ranThrough, type Slots } from './slots.ts';

/** Starts it in its slot. One of that name that runs in the slot as it is now stays as it is. */
export async function startInstance({ client, memory }: Slots, architecture: string, spec: InstanceSpec): Promise<void> {
  const [sandbox, unfilled] = await Promise.all([
    inspectContainer(client, engineName(architecture, spec.slot)),
    inspectContainer(client, memoryName(architecture, spec.slot)),
  ]);
  if (sandbox === undefined || unfilled !== undefined || !ranThrough(sandbox)) {
    throw new Refusal({ code: 'ENGINE_REFUSED', what: `slot ${spec.slot} is not ready for ${spec.name}`, next: 'make the slot first' });
  }
  const creation = instanceCreation(architecture, spec, sandbox);
  const { container, kept } = await createOrKeep(
    client,
    { name: engineName(architecture, spec.name), creation },
    ({ State, HostConfig }) => State.Running && HostConfig.NetworkMode === creation.HostConfig.NetworkMode,
  );
  if (!kept) await memory.startFilled(architecture, sandbox, container);
}

/** Asks it to end, with the image's own signal and the time it was made with, and removes it. */
export async function removeInstance(client: DockerClient, architecture: string, name: string): Promise<void> {
  const instance = await inspectContainer(client, engineName(architecture, name));
  if (instance === undefined || instance.Config.Labels?.[labels.architecture] !== architecture) return;
  if (instance.State.Running) await client.did({ method: 'POST', path: `/containers/${instance.Id}/stop`, long: true }, 404, 304);
  await removeContainer(client, instance.Id);
}
