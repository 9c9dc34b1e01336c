import type { InstanceSpec, SecretValues } from '../engine.ts';
import { labels } from '../labels.ts';
import { instanceDigest } from '../spec-digest.ts';
import type { DockerClient } from './client.ts';
import { createOrKeep, inspectContainer, removeContainer } from './containers.ts';
import { sealOf } from './creation.ts';
import { Refusal } from './failure.ts';
import { instanceCreation } from './instance-creation.ts';
import { hasSecrets, newSecretsVolume, removeFiller, removeSecrets, startWithSecrets } from './instance-secrets.ts';
import { engineName, memoryName } from './names.ts';
import { ranThrough, type Slots } from './slots.ts';
import { NEVER, type InspectedContainer } from './vendor.ts';

type Wanted = { spec: InstanceSpec; values: SecretValues };

/** Starts it in its slot. One of that name that runs in the slot as it is now stays as it is, and so does a step that ran. */
export async function startInstance(slots: Slots, architecture: string, { spec, values }: Wanted): Promise<void> {
  const { client, memory } = slots;
  const sandbox = await readySandbox(slots, architecture, spec.slot);
  if (sandbox === undefined) {
    throw new Refusal({ code: 'ENGINE_REFUSED', what: `slot ${spec.slot} is not ready for ${spec.name}`, next: 'make the slot first' });
  }
  const secrets = spec.secrets && newSecretsVolume(architecture, spec.name);
  const creation = instanceCreation(architecture, spec, { sandbox, secrets });
  const { container, kept } = await createOrKeep(
    client,
    { name: engineName(architecture, spec.name), creation },
    (existing) =>
      (existing.State.Running && existing.HostConfig.NetworkMode === creation.HostConfig.NetworkMode) || isRunOf(existing, spec),
  );
  if (kept) return;
  const start = (): Promise<void> => memory.startFilled(architecture, sandbox, container);
  if (secrets === undefined) return start();
  await removeSecrets(client, architecture, { instance: spec.name, except: secrets });
  await startWithSecrets({ client, architecture, spec, sandbox, volume: secrets }, values, start);
}

/** Whether it is a step that was started, whatever came of it, and in whichever sandbox of its slot. */
const isRunOf = ({ State, Config }: InspectedContainer, spec: InstanceSpec): boolean =>
  spec.role === 'step' && State.StartedAt !== NEVER && sealOf(Config.Labels ?? {}).spec === instanceDigest(spec);

/** The slot's sandbox, unless its memory is lost or not filled. One that is known was seen whole, and nothing happened to it since. */
async function readySandbox({ client, inspections }: Slots, architecture: string, slot: string): Promise<InspectedContainer | undefined> {
  const name = engineName(architecture, slot);
  const known = inspections.knownAs(name);
  if (known && ranThrough(known) && inspections.knownAs(memoryName(architecture, slot)) === undefined) return known;
  const [sandbox, unfilled] = await Promise.all([inspectContainer(client, name), inspectContainer(client, memoryName(architecture, slot))]);
  return sandbox && unfilled === undefined && ranThrough(sandbox) ? sandbox : undefined;
}

/** Asks it to end, with the image's own signal and the time it was made with, and removes it. */
export async function removeInstance(
  client: DockerClient,
  architecture: string,
  { name, container }: { name: string; container?: string | undefined },
): Promise<void> {
  const instance = await inspectContainer(client, container ?? engineName(architecture, name));
  if (instance === undefined || instance.Config.Labels?.[labels.architecture] !== architecture) return;
  if (instance.State.Running) await client.did({ method: 'POST', path: `/containers/${instance.Id}/stop`, long: true }, 404, 304);
  if (!hasSecrets(instance)) return removeContainer(client, instance.Id);
  // What a killed controller was filling them through comes first: it would hold them.
  await removeFiller(client, architecture, name);
  await removeContainer(client, instance.Id);
  await removeSecrets(client, architecture, { instance: name });
}
