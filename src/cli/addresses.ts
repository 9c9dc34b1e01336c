import type { Publish } from '../architecture/model.ts';
import type { ResolvedArchitecture } from '../release/resolve-environment.ts';

/** Where a browser reaches each app: its host names at the core's published ports, the first port first. */
export function addressesOf(architecture: ResolvedArchitecture): Record<string, string[]> {
  const { publish } = architecture.core;
  const apps = Object.entries(architecture.apps);
  return Object.fromEntries(apps.map(([name, { hosts }]) => [name, publish.flatMap((port) => hosts.map((host) => address(host, port)))]));
}

function address(host: string, { port }: Publish): string {
  if (port === 443) return `https://${host}`;
  return port === 80 ? `http://${host}` : `http://${host}:${port}`;
}

/** Addresses as lines, app by app, aligned. */
export function addressLines(addresses: Readonly<Record<string, readonly string[]>>): string[] {
  const width = Math.max(0, ...Object.keys(addresses).map((name) => name.length));
  return Object.entries(addresses).map(([name, urls]) => `  ${name.padEnd(width)}  ${urls.join('  ') || 'no host name'}`);
}
