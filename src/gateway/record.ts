import { crc32 } from 'node:zlib';
import type { Delivery } from '../ledger/delivery.ts';

/**
 * A file of the inbox is `fileStart` and then records, each `length (4 bytes) · CRC-32 of what follows (4) · head as JSON · \n · body`.
 * Numbers are little-endian. A file is only ever appended to, and never after a write to it has failed: so the first record that is
 * not whole is the last there will be, and it was never acknowledged.
 */
export const fileStart = Buffer.from('INBOX 1\n');

const prefixBytes = 8;

/** The longest head there can be beside the body. */
const headLimitBytes = 64 * 1024;

/** GitHub sends no more than this. */
export const bodyLimitBytes = 25 * 1024 * 1024;

const recordLimitBytes = prefixBytes + headLimitBytes + bodyLimitBytes;

/** In pieces, so that the body is not copied. */
export function encodeRecord({ body, ...head }: Delivery): Uint8Array[] {
  const first = Buffer.from(`${JSON.stringify(head)}\n`);
  const prefix = Buffer.allocUnsafe(prefixBytes);
  prefix.writeUInt32LE(first.length + body.length, 0);
  prefix.writeUInt32LE(crc32(body, crc32(first)), 4);
  return [prefix, first, body];
}

/**
 * The whole records at the start of `bytes`, and how many bytes those are. `needs`: how many bytes there would have to be for one more;
 * left out when what follows can be no record.
 */
export type Decoded = { deliveries: Delivery[]; bytes: number; needs?: number };

export function decodeRecords(bytes: Buffer): Decoded {
  const deliveries: Delivery[] = [];
  for (let at = 0; ;) {
    if (bytes.length - at < prefixBytes) return { deliveries, bytes: at, needs: at + prefixBytes };
    const length = bytes.readUInt32LE(at);
    // Zeros are what a file system may leave where bytes were to be.
    if (length === 0 || length > recordLimitBytes) return { deliveries, bytes: at };
    const end = at + prefixBytes + length;
    if (end > bytes.length) return { deliveries, bytes: at, needs: end };
    const payload = bytes.subarray(at + prefixBytes, end);
    if (crc32(payload) !== bytes.readUInt32LE(at + 4)) return { deliveries, bytes: at };
    deliveries.push(decodePayload(payload));
    at = end;
  }
}

function decodePayload(payload: Buffer): Delivery {
  const end = payload.indexOf('\n');
  return { ...(JSON.parse(payload.toString('utf8', 0, end)) as Omit<Delivery, 'body'>), body: payload.subarray(end + 1) };
}
