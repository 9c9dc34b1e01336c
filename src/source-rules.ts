import { isIP } from 'node:net';

/** Which addresses may connect: those in `allow` (all, when left out) that are not in `deny`. Each an address, or a range of them. */
export type SourceRules = { allow?: readonly string[]; deny?: readonly string[] };

/** What one source address may have: connections at a time, new ones, and requests. */
export type SourceLimits = { connections?: number; newConnections?: Rate; requests?: Rate };

/** So many within any span of so long. */
export type Rate = { count: number; perMs: number };

/** An IP address, or a range of them: `192.0.2.0/24`, `2001:db8::/32`. */
export function isAddressRange(value: string): boolean {
  const [address = '', bits, ...rest] = value.split('/');
  const most = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  if (most < 0 || address.includes('%') || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
}
