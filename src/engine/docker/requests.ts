import type { ImageId } from '../../digest.ts';
import { parseRequest, requestText, type Request } from '../../request.ts';
import type { ObservedRequest } from '../engine.ts';
import { labels } from '../labels.ts';
import type { DockerClient } from './client.ts';
import { createOrKeep, inspectContainer, listContainers, removeContainer } from './containers.ts';
import { hardenedHost } from './creation.ts';
import { engineName, ofArchitecture } from './names.ts';
import type { Creation, InspectedContainer } from './vendor.ts';

/** A container that is created and never started: its label is all there is to it. */
export async function ask(client: DockerClient, architecture: string, asked: Asking): Promise<void> {
  const creation: Creation = {
    Image: asked.image,
    Labels: {
      [labels.architecture]: architecture,
      [labels.role]: 'request',
      [labels.name]: asked.name,
      [labels.request]: requestText(asked.request),
    },
    HostConfig: { ...hardenedHost(), NetworkMode: 'none' },
  };
  await createOrKeep(client, { name: engineName(architecture, asked.name), creation }, () => true);
}

type Asking = { name: string; image: ImageId; request: Request };

export async function takeRequest(client: DockerClient, architecture: string, name: string): Promise<void> {
  const found = await inspectContainer(client, engineName(architecture, name));
  const from = found?.Config.Labels ?? {};
  if (found && from[labels.architecture] === architecture && from[labels.role] === 'request') await removeContainer(client, found.Id);
}

/** Oldest first. */
export async function requests(client: DockerClient, architecture: string): Promise<ObservedRequest[]> {
  const listed = await listContainers(client, [ofArchitecture(architecture), `${labels.role}=request`]);
  const found = await Promise.all(listed.map(({ Id }) => inspectContainer(client, Id)));
  return inOrder(found.filter((container) => container !== undefined).map(observedRequest));
}

export const inOrder = (all: readonly ObservedRequest[]): ObservedRequest[] => all.toSorted((a, b) => (a.createdAt < b.createdAt ? -1 : 1));

export function observedRequest({ Config, Created }: InspectedContainer): ObservedRequest {
  const from = Config.Labels ?? {};
  const request = parseRequest(from[labels.request] ?? '');
  return { name: from[labels.name] ?? '', createdAt: Created, ...(request && { request }) };
}
