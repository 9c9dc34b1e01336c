import type { PublishedPort } from '../engine.ts';
import type { DockerClient } from './client.ts';
import type { ListedContainer } from './vendor.ts';

/** The container that publishes the port, in words; undefined when it is none of the engine's. */
export async function portHolder(client: DockerClient, port: PublishedPort): Promise<string | undefined> {
  const running = await client.json<ListedContainer[]>({ path: '/containers/json' });
  const holder = running.find(({ Ports }) =>
    (Ports ?? []).some((held) => held.PublicPort === port.port && overlaps(held.IP ?? '', port.address)),
  );
  return holder && `container ${(holder.Names[0] ?? holder.Id).replace(/^\//, '')}`;
}

const overlaps = (held: string, wanted: string): boolean => held === wanted || isAny(held) || isAny(wanted);

const isAny = (address: string): boolean => address === '' || address === '0.0.0.0' || address === '::';
