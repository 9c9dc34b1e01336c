/** A line of git's protocol: its length in four hexadecimal digits, itself included, then the payload (gitprotocol-common). */
export function pktLine(payload: string | Buffer): Buffer {
  const bytes = Buffer.from(payload);
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, '0')), bytes]);
}

/** Ends a list of lines. */
export const flushPkt = Buffer.from('0000');

/** What one line may carry, without the byte that names its band. */
const mostInBand = 65_515;

/** Bytes on a band of git's side band: 1 is the answer, 2 is shown to whoever pushes, each line behind `remote: `. */
export function onBand(band: 1 | 2, bytes: Buffer): Buffer {
  const lines: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += mostInBand)
    lines.push(pktLine(Buffer.concat([Buffer.of(band), bytes.subarray(at, at + mostInBand)])));
  return Buffer.concat(lines);
}

/** Says nothing, and keeps a connection from being taken for dead. Git's own receive-pack sends the same. */
export const keepAlive = pktLine(Buffer.of(2));

/** `line`: what it carries; `flush`: the end of a list; `cut`: more bytes are needed; `wrong`: it is no line. `bytes`: how long it is. */
export type ReadPkt =
  | { kind: 'line'; payload: Buffer; bytes: number }
  | { kind: 'flush'; bytes: number }
  | { kind: 'cut' }
  | { kind: 'wrong' };

/** What all the lines at the start of `bytes` carry, up to the first that is none. */
export function payloadsIn(bytes: Buffer): Buffer[] {
  const payloads: Buffer[] = [];
  let rest = bytes;
  for (let pkt = readPkt(rest); pkt.kind === 'line'; pkt = readPkt(rest)) {
    payloads.push(pkt.payload);
    rest = rest.subarray(pkt.bytes);
  }
  return payloads;
}

/** What was said on a band of the side band. */
export const bandIn = (bytes: Buffer, band: 1 | 2): Buffer =>
  Buffer.concat(payloadsIn(bytes).flatMap((payload) => (payload[0] === band ? [payload.subarray(1)] : [])));

/** The line at the start of `bytes`. */
export function readPkt(bytes: Buffer): ReadPkt {
  if (bytes.length < 4) return { kind: 'cut' };
  const digits = bytes.toString('latin1', 0, 4);
  if (!/^[0-9a-f]{4}$/i.test(digits)) return { kind: 'wrong' };
  const length = Number.parseInt(digits, 16);
  if (length === 0) return { kind: 'flush', bytes: 4 };
  if (length < 4) return { kind: 'wrong' };
  return bytes.length < length ? { kind: 'cut' } : { kind: 'line', payload: bytes.subarray(4, length), bytes: length };
}
