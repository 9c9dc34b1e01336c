import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { parseSubnet, type Subnet } from './subnets.ts';

type Route = { device: string; subnet: Subnet };

/** Lines of /proc/net/route: device, destination and mask as little-endian hex. */
export function parseRoutes(text: string): Route[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [device, destination, , , , , , mask] = line.split(/\s+/);
      if (!device || destination === undefined || mask === undefined) return [];
      const prefix = Number.parseInt(mask, 16).toString(2).replaceAll('0', '').length;
      const octets =
        destination
          .match(/../g)
          ?.toReversed()
          .map((octet) => Number.parseInt(octet, 16)) ?? [];
      const subnet = parseSubnet(`${octets.join('.')}/${prefix}`);
      return subnet ? [{ device, subnet }] : [];
    });
}

/** Networks the host reaches other than by its default route; none where that cannot be read. */
export const hostSubnets = (): Subnet[] =>
  routes()
    .map(({ subnet }) => subnet)
    .filter(({ prefix }) => prefix > 0);

/** The host's address towards the world: that of its default route's device. */
export function hostAddress(): string {
  const device = routes().find(({ subnet }) => subnet.prefix === 0)?.device;
  const addresses = device === undefined ? [] : (networkInterfaces()[device] ?? []);
  return addresses.find(({ family }) => family === 'IPv4')?.address ?? '127.0.0.1';
}

function routes(): Route[] {
  try {
    return parseRoutes(readFileSync('/proc/net/route', 'utf8'));
  } catch {
    return []; // Not Linux, or hidden: the engine then tells which subnets overlap.
  }
}
