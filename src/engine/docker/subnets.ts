/** IPv4 addresses from `first` on, as numbers; `prefix` bits are fixed. */
export type Subnet = { first: number; prefix: number };

/** Where networks are taken from unless said otherwise: 4,096 of the smallest, in a corner of 10/8 that few hosts use. */
export const defaultSubnetPool = '10.208.0.0/14';

/** Nothing smaller is worth its while: /26, 61 members. */
const SMALLEST_PREFIX = 26;
/** Network and broadcast address, and the bridge's own. */
const RESERVED = 3;

/** Reads `10.0.0.0/8`; undefined for anything else, IPv6 included. Host bits are cleared. */
export function parseSubnet(text: string): Subnet | undefined {
  const [, a, b, c, d, bits] = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(text)?.map(Number) ?? [];
  if (a === undefined || b === undefined || c === undefined || d === undefined || bits === undefined) return undefined;
  if (Math.max(a, b, c, d) > 255 || bits > 32) return undefined;
  const address = a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d;
  return { first: address - (address % sizeOf(bits)), prefix: bits };
}

export function subnetText({ first, prefix }: Subnet): string {
  const octets = [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256);
  return `${octets.join('.')}/${prefix}`;
}

/** The smallest network, /26 or larger, that holds so many members. */
export function prefixFor(hosts: number): number {
  const bits = Math.ceil(Math.log2(hosts + RESERVED));
  return Math.min(SMALLEST_PREFIX, 32 - bits);
}

/** The lowest subnet of the pool that holds `hosts` members and overlaps nothing taken; undefined when there is none. */
export function freeSubnet(pool: Subnet, hosts: number, taken: readonly Subnet[]): Subnet | undefined {
  const prefix = prefixFor(hosts);
  const size = sizeOf(prefix);
  const end = pool.first + sizeOf(pool.prefix);
  const inOrder = taken.toSorted((one, other) => one.first - other.first);
  let first = pool.first;
  for (const each of inOrder) {
    if (first + size > end) return undefined;
    const takenEnd = each.first + sizeOf(each.prefix);
    const overlaps = each.first < first + size && takenEnd > first;
    if (overlaps) first = Math.ceil(takenEnd / size) * size;
  }
  return first + size <= end ? { first, prefix } : undefined;
}

const sizeOf = (prefix: number): number => 2 ** (32 - prefix);
