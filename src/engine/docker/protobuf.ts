/** A decoded message: field number → its values in order; numbers for varints, bytes for everything with a length. */
export type Message = ReadonlyMap<number, readonly (number | Buffer)[]>;

const VARINT = 0;
const FIXED_64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;

/** Decodes one message of the protocol buffers wire format (protobuf.dev/programming-guides/encoding), as far as BuildKit's trace needs it. */
export function decodeMessage(bytes: Buffer): Message {
  const fields = new Map<number, (number | Buffer)[]>();
  let offset = 0;
  const varint = (): number => {
    // As a product, not by shifts: values go beyond 32 bits. Beyond 53 only their size matters to us.
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[offset++];
      if (byte === undefined) throw new RangeError('a protobuf message ends within a number');
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number): Buffer => {
    if (offset + length > bytes.length) throw new RangeError('a protobuf message ends within a field');
    offset += length;
    return bytes.subarray(offset - length, offset);
  };
  const value = (type: number): number | Buffer => {
    if (type === VARINT) return varint();
    if (type === LENGTH_DELIMITED) return take(varint());
    if (type === FIXED_64) return take(8);
    if (type === FIXED_32) return take(4);
    throw new RangeError(`a protobuf field of unknown type ${type}`);
  };
  while (offset < bytes.length) {
    const tag = varint();
    const field = Math.floor(tag / 8);
    const values = fields.get(field) ?? [];
    values.push(value(tag % 8));
    fields.set(field, values);
  }
  return fields;
}

/** All embedded messages of a repeated field. */
export const messagesAt = (message: Message, field: number): Message[] =>
  (message.get(field) ?? []).flatMap((value) => (typeof value === 'number' ? [] : [decodeMessage(value)]));

/** The last value as text; empty when the field is absent, as protobuf has it. */
export function textAt(message: Message, field: number): string {
  const value = message.get(field)?.at(-1);
  return value === undefined || typeof value === 'number' ? '' : value.toString();
}

export const flagAt = (message: Message, field: number): boolean => message.get(field)?.at(-1) === 1;

export const hasField = (message: Message, field: number): boolean => message.has(field);
