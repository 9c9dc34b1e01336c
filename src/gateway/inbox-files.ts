import { open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import path from 'node:path';

/** A file that only grows. */
export type InboxFile = {
  /** All of it, or it throws and the file may end in a part. */
  append(pieces: readonly Uint8Array[]): Promise<void>;
  /** Resolves when what was appended is on disk. */
  sync(): Promise<void>;
  close(): Promise<void>;
};

/** The folder that gateways share, as a port: tests let it be full, or fail. All throw as Node's file system does. */
export type InboxFiles = {
  names(): Promise<string[]>;
  /** Makes a file that is not there yet; resolves when its name is on disk. */
  make(name: string): Promise<InboxFile>;
  /** Undefined when it is not there. */
  size(name: string): Promise<number | undefined>;
  /** What there is between the two; nothing when the file is not there. */
  read(name: string, from: number, length: number): Promise<Buffer>;
  rename(from: string, to: string): Promise<void>;
  remove(name: string): Promise<void>;
};

export function inboxFilesIn(folder: string): InboxFiles {
  const at = (name: string): string => path.join(folder, name);
  return {
    names: () => readdir(folder),
    make: async (name) => {
      const handle = await open(at(name), 'ax');
      try {
        await syncFolder(folder);
      } catch (error) {
        await handle.close();
        throw error;
      }
      return appendable(handle);
    },
    size: async (name) => (await stat(at(name)).catch(unlessAbsent))?.size,
    read: async (name, from, length) => {
      const handle = await open(at(name)).catch(unlessAbsent);
      return handle ? readFrom(handle, from, length) : Buffer.alloc(0);
    },
    rename: (from, to) => rename(at(from), at(to)),
    remove: (name) => rm(at(name), { force: true }),
  };
}

/** Resolves when the names in it are on disk. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const appendable = (handle: FileHandle): InboxFile => ({
  append: async (pieces) => {
    let left = pieces;
    while (left.length > 0) {
      const { bytesWritten } = await handle.writev(left.slice(0, mostPieces));
      left = without(left, bytesWritten);
    }
  },
  sync: () => handle.datasync(),
  close: () => handle.close(),
});

/** Linux takes no more in one call. */
const mostPieces = 1024;

function without(pieces: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let left = bytes;
  // Empty ones are done, too.
  const next = pieces.findIndex((piece) => {
    if (left < piece.length) return true;
    left -= piece.length;
    return false;
  });
  const [first, ...rest] = next < 0 ? [] : pieces.slice(next);
  return first === undefined ? [] : [first.subarray(left), ...rest];
}

async function readFrom(handle: FileHandle, from: number, length: number): Promise<Buffer> {
  try {
    const { size } = await handle.stat();
    const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(length, size - from)));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, from);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

function unlessAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
