/** Frames of HTTP/2 (RFC 9113) written byte by byte, so that they may hold what no library would send. */

type Field = readonly [name: string, value: string];

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const [DATA, HEADERS, SETTINGS] = [0, 1, 4];
const [END_STREAM, END_HEADERS] = [1, 4];

/** All that a client says who asks once, on stream 1. */
export function h2Request(fields: readonly Field[], body?: string): Buffer {
  const flags = END_HEADERS | (body === undefined ? END_STREAM : 0);
  return Buffer.concat([
    Buffer.from(PREFACE),
    frame({ type: SETTINGS, flags: 0, stream: 0, payload: Buffer.alloc(0) }),
    frame({ type: HEADERS, flags, stream: 1, payload: Buffer.concat(fields.map(literal)) }),
    ...(body === undefined ? [] : [frame({ type: DATA, flags: END_STREAM, stream: 1, payload: Buffer.from(body, 'latin1') })]),
  ]);
}

function frame({ type, flags, stream, payload }: { type: number; flags: number; stream: number; payload: Buffer }): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A field that enters no table, its name and value as they are (RFC 7541 section 6.2.2). */
const literal = ([name, value]: Field): Buffer => Buffer.concat([Buffer.from([0]), text(name), text(value)]);

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  return Buffer.concat([integer(bytes.length), bytes]);
}

/** An integer with a prefix of seven bits (RFC 7541 section 5.1). */
function integer(value: number): Buffer {
  if (value < 127) return Buffer.from([value]);
  const bytes = [127];
  let rest = value - 127;
  for (; rest >= 128; rest >>= 7) bytes.push((rest & 127) | 128);
  return Buffer.from([...bytes, rest]);
}

/** Whether a stream or its connection has come to an end in what a server said: an answer that is whole, a reset, or a farewell. */
export function isAnswered(said: Buffer): boolean {
  for (let at = 0; at + 9 <= said.length; at += 9 + said.readUIntBE(at, 3)) {
    const [type, flags] = [said.readUInt8(at + 3), said.readUInt8(at + 4)];
    if (type === 3 || type === 7 || ((type === DATA || type === HEADERS) && (flags & END_STREAM) !== 0)) return true;
  }
  return false;
}
