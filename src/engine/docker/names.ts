import type { InstanceRole, Owner } from '../engine.ts';
import { labels } from '../labels.ts';
import type { Labels } from './vendor.ts';

/** What a container is, in its label `role`. `once`: runs to its end, or never starts, and is nobody's instance. */
export type Role = 'sandbox' | InstanceRole | 'controller' | 'request' | 'once';

export const instanceRoles: readonly string[] = ['service', 'path', 'server', 'step', 'departure'] satisfies InstanceRole[];

/** What a thing of the architecture is called on the engine. Docker's names hold no `/`; the label `name` keeps the original. */
export const engineName = (architecture: string, name: string): string => `${architecture}.${name.replaceAll('/', '.')}`;

/** The volume in memory of a slot, and the container that exists while it is not filled yet. */
export const memoryName = (architecture: string, slot: string): string => `${engineName(architecture, slot)}.memory`;

/** What begins the names of the volumes in memory with an instance's secrets, and the container through which they are filled. */
export const secretsName = (architecture: string, instance: string): string => `${engineName(architecture, instance)}.secrets`;

export function ownerLabels(architecture: string, owner: Owner): Labels {
  const own = { [labels.architecture]: architecture };
  if (owner.kind === 'controller') return { ...own, [labels.role]: 'controller' };
  return { ...own, [labels[owner.kind]]: owner.name };
}

export function ownerOf(from: Labels): Owner {
  for (const kind of ['app', 'core', 'store'] as const) {
    const name = from[labels[kind]];
    if (name !== undefined) return { kind, name };
  }
  return { kind: 'controller', name: 'controller' };
}

/** The name of the architecture's word for it; things made by hand from our images have only the engine's. */
export function nameOf(architecture: string, from: Labels, name: string): string {
  const plain = name.replace(/^\//, '');
  const prefix = `${architecture}.`;
  return from[labels.name] ?? (plain.startsWith(prefix) ? plain.slice(prefix.length) : plain);
}

export const ofArchitecture = (architecture: string): string => `${labels.architecture}=${architecture}`;

/** Every member that is a string. */
export function definedLabels(values: Readonly<Record<string, string | undefined>>): Labels {
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
