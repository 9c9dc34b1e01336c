// Tar archives with fixed times and owners, so that the same content always gives the same bytes (POSIX ustar).

const BLOCK_BYTES = 512;

/**
 * One archive as a list of Buffers and streams-to-be: `entries` are `{ name, mode?, type?, link?, body?, sizeBytes? }`.
 * `body` is a Buffer, or a function that opens a stream of exactly `sizeBytes` bytes.
 */
export async function* tarBytes(entries) {
  for (const entry of entries) {
    const sizeBytes = entry.sizeBytes ?? entry.body?.length ?? 0;
    yield header(entry, sizeBytes);
    if (typeof entry.body === 'function') yield* entry.body();
    else if (entry.body !== undefined) yield entry.body;
    yield Buffer.alloc((BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES);
  }
  yield Buffer.alloc(2 * BLOCK_BYTES);
}

/** The first regular file of an archive, as the engine sends one file of a container. */
export function firstFile(archive) {
  for (let offset = 0; offset < archive.length;) {
    const sizeBytes = Number.parseInt(archive.toString('latin1', offset + 124, offset + 135), 8);
    const isFile = ['0', '\0'].includes(archive.toString('latin1', offset + 156, offset + 157));
    if (isFile) return archive.subarray(offset + BLOCK_BYTES, offset + BLOCK_BYTES + sizeBytes);
    offset += BLOCK_BYTES + Math.ceil(sizeBytes / BLOCK_BYTES) * BLOCK_BYTES;
  }
  return undefined;
}

function header({ name, mode = 0o644, type = '0', link = '', owner = 0, modifiedAt = 0 }, sizeBytes) {
  const block = Buffer.alloc(BLOCK_BYTES);
  const octal = (value, offset, length) => block.write(value.toString(8).padStart(length - 1, '0'), offset, 'latin1');
  block.write(name, 0, 100);
  octal(mode, 100, 8);
  octal(owner, 108, 8);
  octal(owner, 116, 8);
  octal(sizeBytes, 124, 12);
  octal(modifiedAt, 136, 12);
  block.write(' '.repeat(8), 148, 'latin1');
  block.write(type, 156, 'latin1');
  block.write(link, 157, 100);
  block.write('ustar\u000000', 257, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}
